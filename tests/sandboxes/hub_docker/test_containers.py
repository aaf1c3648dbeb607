"""Containers: their walls as the engine sees them, recycling, losses, leftovers; on a real engine."""

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import BadInput, OptionError, SandboxOverloaded, SandboxUnavailable
from hub.sandbox import Case, Execution, Limits, Program, Verdict
from hub_docker.container import Container
from hub_docker.leftovers import labels
from hub_docker.sandbox import IMAGE, DockerSandbox

PRINTS = Program("print(1)", expected_stdout="1")
HANGS = Program("while True: pass")


@pytest.fixture
def box(engine_client: Any) -> Iterator[DockerSandbox]:
    sandbox = DockerSandbox(slots=1, runs_per_container=3)
    yield sandbox
    sandbox.close()


def mine(client: Any, sandbox: DockerSandbox) -> list[Any]:
    """Containers of a sandbox that the engine lists, running or not."""
    owner = sandbox.walls.labels["hub.sandbox.owner"]
    return list(
        client.containers.list(all=True, filters={"label": f"hub.sandbox.owner={owner}"}, ignore_removed=True)
    )


def current(sandbox: DockerSandbox) -> Any:
    place = sandbox._places.take(30)
    try:
        return place.container()._container
    finally:
        sandbox._places.give(place)


def test_walls(engine_client: Any, box: DockerSandbox) -> None:
    container = current(box)
    container.reload()
    host, config = container.attrs["HostConfig"], container.attrs["Config"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Privileged"] is False
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["PidsLimit"] == 512
    assert host["Memory"] == host["MemorySwap"] == 1024 << 20
    assert host["NanoCpus"] == 1_000_000_000
    assert host["IpcMode"] == "none"
    assert host["AutoRemove"] is True
    assert not host["Binds"]
    assert set(host["Tmpfs"]) == {"/tmp", "/var/tmp"}
    assert all("nosuid,nodev,noexec" in options for options in host["Tmpfs"].values())
    assert config["User"] == "10000:10000"
    assert config["Labels"]["hub.sandbox"] == "1"


def test_walls_as_the_kernel_sees_them(box: DockerSandbox) -> None:
    code, printed = current(box).exec_run(["cat", "/proc/1/status"])
    assert code == 0
    status = dict(line.split(":\t", 1) for line in printed.decode().splitlines())
    assert status["Uid"].split() == ["10000"] * 4
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}


def test_it_describes_both(box: DockerSandbox) -> None:
    names = [layer.name for layer in box.describe()]
    assert names[:2] == ["container", "container: network"]
    assert "landlock" in names
    assert all(layer.active for layer in box.describe() if layer.name.startswith("container"))


def test_containers_are_kept_and_replaced_after_so_many_runs(box: DockerSandbox) -> None:
    ids = []
    for _ in range(7):
        ids.append(current(box).id)
        assert box.run(PRINTS, Limits()).verdict is Verdict.PASSED
    assert len(set(ids)) == 3
    assert [ids.count(each) for each in dict.fromkeys(ids)] == [3, 3, 1]


@pytest.mark.parametrize(
    ("program", "verdict"),
    [
        (HANGS, Verdict.TIMEOUT),
        (Program("print('x' * 5000)"), Verdict.OUTPUT_LIMIT),
        (Program("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), Verdict.KILLED),
    ],
)
def test_a_container_is_replaced_after_a_kill(box: DockerSandbox, program: Program, verdict: Verdict) -> None:
    before, wall_s = current(box).id, 1.0 if verdict is Verdict.TIMEOUT else 60.0
    assert box.run(program, Limits(wall_s=wall_s, output_bytes=1000)).verdict is verdict
    assert current(box).id != before
    assert box.run(PRINTS, Limits()).verdict is Verdict.PASSED


def test_a_wrong_program_costs_no_container(box: DockerSandbox) -> None:
    before = current(box).id
    assert box.run(Program("1 / 0"), Limits()).verdict is Verdict.ERROR
    assert box.run(Program("x = bytearray(1 << 30)"), Limits()).verdict is Verdict.MEMORY
    assert current(box).id == before


def test_a_lost_container_costs_nothing(box: DockerSandbox) -> None:
    lost = current(box)
    lost.kill()
    assert box.run(PRINTS, Limits()).verdict is Verdict.PASSED
    assert current(box).id != lost.id


@pytest.mark.parametrize("lost", [1, 2])
def test_a_container_lost_in_mid_run_is_retried_once(
    box: DockerSandbox, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    run, killers = Container.run, list[threading.Timer]()

    def run_and_be_killed(self: Container, *given: Any) -> Execution:
        if len(killers) < lost:
            killers.append(threading.Timer(0.5, self._container.kill))
            killers[-1].start()
        return run(self, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Container, "run", run_and_be_killed)
        sleeps = Program(f"import time\ntime.sleep({3 if lost == 1 else 600})\nprint(1)")
        if lost == 1:
            assert box.run(sleeps, Limits(wall_s=60)).verdict is Verdict.PASSED
        else:
            with pytest.raises(SandboxUnavailable, match="two containers were lost"):
                box.run(sleeps, Limits(wall_s=600))
    for killer in killers:
        killer.join()
    assert len(killers) == lost
    assert box.run(PRINTS, Limits()).verdict is Verdict.PASSED


def test_closing_removes_containers(engine_client: Any) -> None:
    owner = f"hub.sandbox.owner={labels()['hub.sandbox.owner']}"
    list_all = engine_client.containers.list
    before = {one.id for one in list_all(all=True, filters={"label": owner}, ignore_removed=True)}
    sandbox = DockerSandbox(slots=2)
    assert {one.id for one in mine(engine_client, sandbox)} > before
    sandbox.close()
    sandbox.close()
    assert {one.id for one in mine(engine_client, sandbox)} <= before  # other sandboxes of this process


OWNER = """
    import os, signal, sys
    from hub_docker.sandbox import DockerSandbox
    from hub.sandbox import Limits, Program
    box = DockerSandbox(slots=2)
    assert box.run(Program("print(1)"), Limits()).stdout == "1\\n"
    print(box.walls.labels["hub.sandbox.owner"], flush=True)
    {end}
"""


@pytest.mark.parametrize(
    "end", ["pass", "raise KeyboardInterrupt", "sys.exit(3)", "os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_no_container_outlives_its_owner(engine_client: Any, end: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(OWNER.format(end=end))],
        capture_output=True,
        text=True,
        check=False,
    )
    owner = ended.stdout.strip()
    assert owner, ended.stderr
    until = time.monotonic() + 30
    while time.monotonic() < until:
        left = engine_client.containers.list(
            all=True, filters={"label": f"hub.sandbox.owner={owner}"}, ignore_removed=True
        )
        if not left:
            return
        time.sleep(0.2)
    pytest.fail(f"{left} are left by a process that is gone")


def test_leftovers_are_removed(engine_client: Any, box: DockerSandbox) -> None:
    machine, process, started = box.walls.labels["hub.sandbox.owner"].split()
    gone = "999999999"
    kinds = {
        "gone": f"{machine} {gone} 1",
        "reused": f"{machine} {process} 1",
        "alive": f"{machine} {process} {started}",
        "elsewhere": f"other {gone} 1",
    }
    made = {
        kind: engine_client.containers.create(IMAGE, labels={"hub.sandbox": "1", "hub.sandbox.owner": owner})
        for kind, owner in kinds.items()
    }
    try:
        DockerSandbox(slots=1).close()
        left = {c.id for c in engine_client.containers.list(all=True, ignore_removed=True)}
        assert {kind for kind, c in made.items() if c.id in left} == {"alive", "elsewhere"}
    finally:
        for container in made.values():
            if container.id in {c.id for c in engine_client.containers.list(all=True, ignore_removed=True)}:
                container.remove(force=True)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"image": "no-such-image"}, SandboxUnavailable, "build_image.sh"),
        ({"runtime": "runsc-missing"}, SandboxUnavailable, "runsc-missing"),
        ({"host": "unix:///nonexistent/docker.sock"}, SandboxUnavailable, "no Docker engine answers"),
        ({"host": "tcp://127.0.0.1:9"}, SandboxUnavailable, "no Docker engine answers"),
        ({"host": "gopher://x"}, SandboxUnavailable, "no Docker engine answers"),
        ({"require": "namespaces"}, SandboxUnavailable, "namespaces"),
        ({"require": "moat"}, OptionError, "moat"),
        ({"packages": ["nonesuch"]}, OptionError, "nonesuch"),
        ({"seccomp": "/nonexistent.json"}, OptionError, "nonexistent"),
        ({"user": "0:0"}, OptionError, "root"),
        ({"user": "root"}, OptionError, "root"),
        ({"slots": -1}, OptionError, "negative"),
        ({"cpus": 0}, OptionError, "limits"),
        ({"memory_mb": -5}, OptionError, "limits"),
    ],
)
@pytest.mark.usefixtures("engine_is_away")
def test_what_cannot_be_opened(
    engine_client: Any, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    start = time.monotonic()
    with pytest.raises(error, match=says):
        DockerSandbox(**{"slots": 1, **options})
    assert time.monotonic() - start < 30


def test_landlock_refused_by_a_profile_is_said(engine_client: Any, tmp_path: Path) -> None:
    refused = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"]
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": refused, "action": "SCMP_ACT_ERRNO"}],
    }
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(profile))
    with pytest.raises(SandboxUnavailable, match=r"landlock.*`seccomp` the path"):
        DockerSandbox(slots=1, seccomp=str(path))
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}))
    with hub_box(slots=1, seccomp=str(path)) as sandbox:
        assert sandbox.run(PRINTS, Limits()).verdict is Verdict.PASSED


def hub_box(**options: Any) -> Any:
    import contextlib

    return contextlib.closing(hub.open_sandbox("docker", **options))


def test_limits_beyond_the_container(docker_box: DockerSandbox) -> None:
    with pytest.raises(BadInput, match="memory_mb=2256"):
        docker_box.run(Program("", tests="assert f()"), Limits(memory_mb=1000))
    assert docker_box.run(PRINTS, Limits(memory_mb=768)).verdict is Verdict.PASSED


def test_no_container_comes_free(engine_client: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with hub_box(slots=1, queue_s=0.2) as sandbox, ThreadPoolExecutor(1) as pool:
        busy = pool.submit(sandbox.run, HANGS, Limits(wall_s=3))
        time.sleep(0.5)
        with pytest.raises(SandboxOverloaded):
            sandbox.run(PRINTS, Limits())
        assert busy.result(30).verdict is Verdict.TIMEOUT


def test_files_left_by_a_program_are_gone(docker_box: DockerSandbox) -> None:
    leaves = """
        import os
        os.umask(0)
        open("/tmp/state.json", "w").write("1")
        os.mkdir("/tmp/closed", 0o300)
        open("/tmp/closed/file", "w").write("1")
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
    """
    assert docker_box.run(Program(textwrap.dedent(leaves)), Limits(wall_s=30)).verdict is Verdict.PASSED
    looks = Program("import os; print(os.listdir('/tmp'), os.getcwd())", expected_stdout="[] /tmp")
    assert docker_box.run(looks, Limits()).verdict is Verdict.PASSED


def test_tests_and_program_share_no_folder(docker_box: DockerSandbox) -> None:
    program = Program(
        "import os\ndef f():\n    open('/tmp/mine', 'w').write('x')\n    return os.listdir('/tmp')",
        tests="import os, tempfile\n"
        "with tempfile.NamedTemporaryFile() as file:\n    assert f() == ['mine']\n    assert os.listdir() != ['mine']",
    )
    assert docker_box.run(program, Limits()).verdict is Verdict.PASSED


@pytest.mark.parametrize("threads", ["threading.stack_size(1 << 15)", "pass"])
def test_threads_without_end_are_the_programs_fault(docker_box: DockerSandbox, threads: str) -> None:
    bomb = f"""
        import threading, time
        {threads}
        try:
            while True:
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        except RuntimeError:
            pass
        def f():
            return 1
    """
    program = Program(textwrap.dedent(bomb), tests="assert f() == 2")
    assert docker_box.run(program, Limits(wall_s=20)).verdict is Verdict.FAILED
    assert docker_box.run(PRINTS, Limits()).verdict is Verdict.PASSED


def test_cases_that_the_image_cannot_read(docker_box: DockerSandbox) -> None:
    from decimal import Decimal
    from fractions import Fraction

    adds = Program("def f(a, b): return a + b", entry_point="f", cases=(Case((Decimal(1), Fraction(2)), 3),))
    assert docker_box.run(adds, Limits()).verdict is Verdict.ERROR  # as Python has it
    with pytest.raises(BadInput, match="does not have"):
        docker_box.run(Program("", entry_point="f", cases=(Case((DockerSandbox,), 3),)), Limits())


def test_it_is_not_used_after_a_fork(docker_box: DockerSandbox) -> None:
    child = os.fork()
    if child == 0:
        docker_box.close()  # must leave the parent's containers alone
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert docker_box.run(PRINTS, Limits()).verdict is Verdict.PASSED
