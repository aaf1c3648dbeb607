"""Nothing is left behind: processes, mounts, descriptors, files; and a server that dies costs little."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import hub
from benchmarks.sandbox_soak import children
from hub.errors import SandboxUnavailable
from hub_local import folders
from hub_local.sandbox import LocalSandbox
from hub_local.slot import Lost, Slot
from tests.sandboxes.hub_local.conftest import GIVEN

MIXED = {
    "honest": (hub.Program("print(1)", expected_stdout="1"), "passed"),
    "judged": (hub.Program("def f(x): return x + 1", tests="assert f(1) == 2"), "passed"),
    "cases": (hub.Program("def f(x): return x", cases=(hub.Case((1,), 1),), entry_point="f"), "passed"),
    "wrong": (hub.Program("print(2)", expected_stdout="1"), "failed"),
    "files": (hub.Program("import tempfile\nfor n in range(20): tempfile.mkdtemp()\nprint(1)"), "passed"),
    "a thread": (hub.Program("import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()"), "passed"),
    "fork": (hub.Program("import os\ntry: os.fork()\nexcept OSError: print(1)", expected_stdout="1"), "passed"),
    "killed": (hub.Program("import os\nos.kill(os.getpid(), 9)"), "killed"),
    "memory": (hub.Program("x = bytearray(1 << 34)"), "memory"),
    "output": (hub.Program("while True: print('x' * 1000)"), "output_limit"),
    "gone": (hub.Program("import os\ndef f(x): os._exit(0)", tests="assert f(1) == 2"), "error"),
    "no Python": (hub.Program("It is 42.", tests="assert f(1) == 2"), "error"),
}  # fmt: skip


def state() -> dict[str, object]:
    return {
        "mounts": [
            line for line in Path("/proc/self/mountinfo").read_text().splitlines() if "docker" not in line
        ],
        "descriptors": sorted(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "files": set(os.listdir(tempfile.gettempdir())),
    }


def started() -> set[int]:
    """The processes that this one has started."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the thread has ended
            found.update(map(int, (task / "children").read_text().split()))
    return found


@pytest.fixture(params=GIVEN)
def options(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> dict[str, object]:
    # A folder of its own: other sandboxes of this machine have theirs where this one would have it.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("scratch")))
    if not GIVEN[request.param]:
        pytest.skip(f"this machine refuses the tier {request.param}")
    return {"require": [request.param], "slots": 2}


def run(box: hub.Sandbox, name: str) -> tuple[str, str]:
    return name, str(box.run(MIXED[name][0], hub.Limits(wall_s=10)).verdict)


def test_hundreds_of_programs_leave_nothing(options: dict[str, object]) -> None:
    before, processes = state(), started()
    with contextlib.closing(hub.open_sandbox("local", **options)) as box:
        assert isinstance(box, LocalSandbox)
        steady = at_rest(box)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda name: run(box, name), [*MIXED] * 20))
        assert {(name, verdict) for name, verdict in found} == {(name, MIXED[name][1]) for name in MIXED}
        assert at_rest(box) == steady
        for server in servers(box):
            waiting(server)
        below = started().union(*map(children, started() - processes)) - processes
    for pid in below:
        gone(pid)
    assert state() == before
    assert started() <= processes


def at_rest(box: LocalSandbox) -> dict[str, object]:
    """Wait until every place has its solver and judge, and none that still cleans up; return what there is."""
    for place in box._all:
        place.slot("solver")
        place.slot("judge")
    for _ in range(1000):
        if all(place.clean and not place._cleaning for place in box._all):
            return {
                **state(),
                "descriptors": len(os.listdir("/proc/self/fd")),
                "files": len(os.listdir(tempfile.gettempdir())),
            }
        assert run(box, "honest") == ("honest", "passed")
        time.sleep(0.01)
    raise AssertionError("a zygote cleans up without end")


def test_closing_or_failing_to_open_leaves_nothing(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, processes = state(), started()
    for _ in range(3):
        hub.open_sandbox("local", **options).close()
    monkeypatch.setattr("hub_local.sandbox.try_breaches", lambda *a: ["a wall fell"])
    with pytest.raises(SandboxUnavailable, match="a wall fell"):
        hub.open_sandbox("local", **options)
    assert state() == before
    assert started() <= processes


def test_servers_end_and_clean_up_when_their_host_is_killed(
    options: dict[str, object], tmp_path: Path
) -> None:
    source = f"import hub\nbox = hub.open_sandbox('local', **{options!r})\nprint('open', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "open\n"
        served = children(host.pid)
        assert served
        assert any(tmp_path.iterdir()) == ("landlock" in str(options))
        host.kill()
    for pid in served:
        gone(pid)
    assert not any(tmp_path.iterdir())


def test_folders_that_nobody_lived_to_remove_go_when_another_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    held = folders.Folder()
    source = "import os; from hub_local import folders; print(folders.Folder().path); os._exit(9)"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, env=environment)
    left = Path(done.stdout.strip())
    (left / "a" / "b").mkdir(parents=True)
    assert Path(held.path).is_dir()
    (tmp_path / "another").mkdir()
    new = folders.Folder()
    assert {path.name for path in tmp_path.iterdir()} == {
        Path(held.path).name,
        Path(new.path).name,
        "another",
    }
    held.close()
    new.close()
    assert [path.name for path in tmp_path.iterdir()] == ["another"]


def gone(pid: int) -> None:
    """Wait until a process is no more (or, orphaned in a container without an init, is a zombie)."""
    for _ in range(1000):
        if state_of(pid) in ("", "Z"):
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} goes on")


def servers(box: LocalSandbox) -> list[int]:
    return [slot.process.pid for place in box._all for slot in place._slots.values()]


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def waiting(server: int) -> int:
    """Wait until all that is below a server is the process of its next program; return that."""
    for _ in range(1000):
        found = children(server)
        leaves = [pid for pid in found if not children(pid)]
        if len(found) == 2 and len(leaves) == 1 and state_of(leaves[0]) == "S":
            return leaves[0]
        time.sleep(0.01)
    raise AssertionError(f"the server does not come to rest: {found}")


def test_a_server_killed_in_mid_program_costs_nothing(options: dict[str, object]) -> None:
    box = hub.open_sandbox("local", **{**options, "slots": 1})
    assert isinstance(box, LocalSandbox)
    with ThreadPoolExecutor(1) as pool:
        [server] = servers(box)
        process = waiting(server)
        source = "import time\nwhile time.process_time() < 1: pass\nprint(1)"
        running = pool.submit(box.run, hub.Program(source, expected_stdout="1"), hub.Limits(wall_s=20))
        wait_until_busy(process)
        os.kill(server, signal.SIGKILL)
        assert running.result().verdict is hub.Verdict.PASSED  # run once more, by another server
        assert servers(box) != [server]
        assert run(box, "judged") == ("judged", "passed")
    box.close()


def wait_until_busy(process: int) -> None:
    """Wait until a process has computed for some tenths of a second."""
    for _ in range(2000):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        if int(fields[11]) > 0.3 * os.sysconf("SC_CLK_TCK"):
            return
        time.sleep(0.01)
    raise AssertionError("the program was not started")


def test_a_process_killed_before_its_program_costs_nothing(options: dict[str, object]) -> None:
    with contextlib.closing(hub.open_sandbox("local", **{**options, "slots": 1})) as box:
        assert isinstance(box, LocalSandbox)
        for name in ("honest", "judged", "cases"):
            process = waiting(servers(box)[0])
            os.kill(process, signal.SIGKILL)
            gone(process)
            assert run(box, name) == (name, MIXED[name][1])


def test_a_program_lost_twice_is_infrastructure(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    box = hub.open_sandbox("local", **options)
    tried = []

    def lose(*_: object) -> None:
        tried.append(1)
        raise Lost("ended")

    with monkeypatch.context() as patched:
        patched.setattr(Slot, "begin", lose)
        with pytest.raises(SandboxUnavailable, match="twice"):
            run(box, "honest")
    assert len(tried) == 2
    assert run(box, "honest") == ("honest", "passed")
    box.close()
