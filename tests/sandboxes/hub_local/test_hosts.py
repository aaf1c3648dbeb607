"""Hosts that are interrupted, forked or killed while a sandbox is open, and clean-ups that take long."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

import pytest

import hub
from hub_local import layers, scratch
from hub_local.sandbox import LocalSandbox
from tests.sandboxes.hub_local.conftest import GIVEN
from tests.sandboxes.hub_local.test_leftovers import gone, servers

PRINTS = hub.Program("print(1)", expected_stdout="1")


@pytest.fixture(params=GIVEN)
def tier(request: pytest.FixtureRequest) -> str:
    if not GIVEN[request.param]:
        pytest.skip(f"this machine refuses the tier {request.param}")
    return str(request.param)


def opened(tier: str) -> LocalSandbox:
    box = hub.open_sandbox("local", slots=1, require=[tier])
    assert isinstance(box, LocalSandbox)
    return box


class Interrupt(Exception):
    pass


def interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupt


def test_an_interrupted_caller_leaves_nothing_running(tier: str) -> None:
    with contextlib.closing(opened(tier)) as box:
        [server] = servers(box)
        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            with pytest.raises(Interrupt):
                box.run(hub.Program("while True: pass"), hub.Limits(wall_s=600))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        gone(server)
        assert box.run(PRINTS, hub.Limits()).verdict is hub.Verdict.PASSED


HOST = """
import os, sys, time
import hub
from pathlib import Path
box = hub.open_sandbox("local", slots=1, require=[TIER])
JUDGED = hub.Program("def f(): return 1", tests="assert f() == 1")
if WHAT != "idle": box.run(JUDGED, hub.Limits())
place = box._all[0]
folders = [folder.path for folder in place._folders]
if WHAT == "forked" and os.fork() == 0: time.sleep(600)
if WHAT == "busy":
    import threading
    threading.Thread(target=box.run, args=(hub.Program("while True: pass"), hub.Limits(wall_s=600))).start()
    time.sleep(0.3)
print([slot.process.pid for slot in place._slots.values()], folders, sep=";", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("what", ["idle", "judged", "busy", "forked"])
def test_a_host_that_is_killed_leaves_nothing(tier: str, what: str) -> None:
    source = f"TIER, WHAT = {tier!r}, {what!r}\n{HOST}"
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", source],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as host:
        assert host.stdout is not None
        pids, folders = map(eval, host.stdout.readline().split(";"))
        assert pids
        os.kill(host.pid, signal.SIGKILL)
        for pid in pids:
            gone(pid)
        os.killpg(host.pid, signal.SIGKILL)  # with its fork
    assert [folder for folder in folders if Path(folder).exists()] == []


HALF = """
import hub
from hub_local import kernel, seccomp
kernel.gain_nothing()
kernel.Filter(seccomp._program([], [], [CALL], None)).install()
box = hub.open_sandbox("local", slots=1)
print(box.tier, box.run(hub.Program("print(1)"), hub.Limits()).verdict)
box.close()
"""


@pytest.mark.skipif(not GIVEN["landlock"], reason="this kernel has no Landlock")
@pytest.mark.parametrize("call", ["unshare", "mount", "umount2"])
def test_where_namespaces_are_half_refused_it_is_landlock(call: str) -> None:
    command = [sys.executable, "-c", f"CALL = {call!r}\n{HALF}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout == "landlock passed\n", done.stderr


LITTERS = """
import os
for name in range(15): os.makedirs(f"{name}/a/b/c")
for _ in range(60): os.mkdir("deep"); os.chdir("deep")
"""


@pytest.mark.skipif(not GIVEN["landlock"], reason="this kernel has no Landlock")
def test_what_takes_long_to_clean_up_costs_neither_its_verdict_nor_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layers, "CLEANS_S", 0.0)
    with contextlib.closing(opened("landlock")) as box:
        folders = set()
        for _ in range(3):
            seen = box._all[0]._folders[:]
            assert box.run(hub.Program(LITTERS), hub.Limits()).verdict is hub.Verdict.PASSED
            folders |= {folder.path for folder in seen}
            judged = hub.Program(f"def f(): return 1\n{LITTERS}", tests="assert f() == 1")
            assert box.run(judged, hub.Limits()).verdict is hub.Verdict.PASSED
            assert box.run(PRINTS, hub.Limits()).verdict is hub.Verdict.PASSED
        assert len(folders) > 1  # another one, while the first is emptied
    assert [folder for folder in folders if Path(folder).exists()] == []


def test_a_folder_is_emptied_whatever_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "wide").mkdir()
    for name in range(40):
        (tmp_path / "wide" / f"{name}").mkdir()
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(900):  # longer than any path may be
            os.mkdir("deep", dir_fd=here)
            there = os.open("deep", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = there
        os.mkdir("closed", 0, dir_fd=here)
    finally:
        os.close(here)
    (tmp_path / "link").symlink_to("/")
    (tmp_path / "wide" / "file").write_text("x")
    (tmp_path / "wide").chmod(0)
    assert not scratch.empty(str(tmp_path), 0.0)
    assert scratch.empty(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert scratch.empty(str(tmp_path), 0.0)
