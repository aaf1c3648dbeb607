"""Nothing is left behind: processes, mounts, descriptors, files; and a server that dies costs little."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import hub
from hub.errors import SandboxUnavailable
from hub_local.sandbox import LocalSandbox
from hub_local.slot import Lost, Slot
from tests.sandboxes.hub_local.conftest import ACTIVE, TIERS

FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
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


def children(pid: int) -> set[int]:
    """The processes below one, whatever session they are in."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found.update(below)
        waiting += below
    return found


def state() -> dict[str, object]:
    return {
        "mounts": [
            line for line in Path("/proc/self/mountinfo").read_text().splitlines() if "docker" not in line
        ],
        "descriptors": sorted(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "files": {f"{folder}/{name}" for folder in FOLDERS for name in os.listdir(folder) if "hub-" in name},
    }


@pytest.fixture(params=TIERS)
def options(request: pytest.FixtureRequest) -> dict[str, object]:
    if TIERS[request.param] not in ACTIVE:
        pytest.skip(f"this machine refuses the tier {request.param}")
    return {"require": [request.param], "slots": 2}


def run(box: hub.Sandbox, name: str) -> tuple[str, str]:
    return name, str(box.run(MIXED[name][0], hub.Limits(wall_s=10)).verdict)


def test_hundreds_of_programs_leave_nothing(options: dict[str, object]) -> None:
    before, processes = state(), children(os.getpid())
    box = hub.open_sandbox("local", **options)
    names = [*MIXED] * 2
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: run(box, name), names))
        steady, served = state(), children(os.getpid())
        found = list(pool.map(lambda name: run(box, name), [*MIXED] * 20))
        assert {(name, verdict) for name, verdict in found} == {(name, MIXED[name][1]) for name in MIXED}
        assert state() == steady
        assert children(os.getpid()) == served
    box.close()
    assert state() == before
    assert children(os.getpid()) <= processes


def test_closing_or_failing_to_open_leaves_nothing(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, processes = state(), children(os.getpid())
    for _ in range(3):
        hub.open_sandbox("local", **options).close()
    monkeypatch.setattr("hub_local.sandbox.try_breaches", lambda *a: ["a wall fell"])
    with pytest.raises(SandboxUnavailable, match="a wall fell"):
        hub.open_sandbox("local", **options)
    assert state() == before
    assert children(os.getpid()) <= processes


def test_servers_end_when_their_host_is_killed(options: dict[str, object]) -> None:
    source = f"import hub\nbox = hub.open_sandbox('local', **{options!r})\nprint('open', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "open\n"
        served = children(host.pid)
        assert served
        host.kill()
    for pid in served:
        gone(pid)


def gone(pid: int) -> None:
    """Wait until a process is no more (or, orphaned in a container without an init, is a zombie)."""
    for _ in range(1000):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return
        if fields[0] == "Z":
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} goes on")


def servers(box: LocalSandbox) -> list[int]:
    return [slot.process.pid for place in box._all for slot in place._slots.values()]


def test_a_server_killed_in_mid_program_costs_nothing(options: dict[str, object]) -> None:
    box = hub.open_sandbox("local", **{**options, "slots": 1})
    assert isinstance(box, LocalSandbox)
    with ThreadPoolExecutor(1) as pool:
        [server] = servers(box)
        source = "import sys, time\nprint('1', flush=True)\ntime.sleep(1.5)"
        running = pool.submit(box.run, hub.Program(source, expected_stdout="1"), hub.Limits(wall_s=20))
        wait_for_child(server, at_rest=1 if box.tier == "namespaces" else 0)
        os.kill(server, signal.SIGKILL)
        assert running.result().verdict is hub.Verdict.PASSED  # run once more, by another server
        assert servers(box) != [server]
        assert run(box, "judged") == ("judged", "passed")
    box.close()


def wait_for_child(server: int, at_rest: int) -> None:
    """Wait until a server runs a program: a process more than it has at rest."""
    for _ in range(1000):
        if len(children(server)) > at_rest:
            return
        time.sleep(0.01)
    raise AssertionError("the program was not started")


def test_a_program_lost_twice_is_infrastructure(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    box = hub.open_sandbox("local", **options)
    tried = []

    def lose(self: Slot, request: object, descriptors: object) -> None:
        tried.append(1)
        raise Lost("ended")

    with monkeypatch.context() as patched:
        patched.setattr(Slot, "begin", lose)
        with pytest.raises(SandboxUnavailable, match="twice"):
            run(box, "honest")
    assert len(tried) == 2
    assert run(box, "honest") == ("honest", "passed")
    box.close()
