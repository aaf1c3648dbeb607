"""The sandbox docker where gVisor runs its containers: what differs there, on a real engine."""

from typing import Any

import pytest

from hub.errors import SandboxUnavailable
from hub.sandbox import Limits, Program, Verdict
from hub_docker.sandbox import DockerSandbox

LEAVES = """
import os
for change in (lambda: os.utime("/dev/null"), lambda: os.chmod("/dev/null", 0o600),
               lambda: os.truncate("/dev/full", 0), lambda: os.symlink("/tmp", "/tmp/link"),
               lambda: open("/dev/null", "w").write("left"), lambda: open("/dev/random", "w").write("left")):
    try:
        change()
    except OSError:
        pass
os.mkdir("/tmp/folder")
open("/tmp/folder/file", "w").write("left")
os.chdir("/tmp/folder")
"""
LOOKS = """
import os
print(sorted(os.listdir("/tmp")), os.getcwd(), [os.stat("/dev/" + n)[:9] for n in ("null", "full", "random")])
"""


def test_it_is_namespaces_in_gvisor(gvisor_box: DockerSandbox) -> None:
    layers = {layer.name: layer for layer in gvisor_box.describe()}
    assert layers["gvisor"].active
    assert all(layer.active for name, layer in layers.items() if name.startswith("namespace: "))
    assert not layers["landlock"].active
    assert "runsc" in layers["container"].detail


def test_an_engine_without_it_is_refused(engine_client: Any) -> None:
    with pytest.raises(SandboxUnavailable, match="has no gvisor"):
        DockerSandbox(slots=1, runtime="runc", require="gvisor")


def test_nothing_is_left_on_devices_or_in_the_folder(gvisor_box: DockerSandbox) -> None:
    before = gvisor_box.run(Program(LOOKS), Limits()).stdout
    assert before.startswith("[] /tmp ")
    assert gvisor_box.run(Program(LEAVES), Limits()).verdict is Verdict.PASSED
    assert gvisor_box.run(Program(LOOKS), Limits()).stdout == before


HOG = "x = []\nwhile True: x.append(bytearray(1 << 20))"
JUDGE_HOG = "big = [0] * 5_000_000\nassert f() == 1"


@pytest.mark.parametrize(
    ("program", "verdicts"),
    [
        (Program("while True: pass"), {Verdict.TIMEOUT}),
        (Program(HOG), {Verdict.MEMORY}),
        (Program("for n in range(10**6): open(f'/tmp/{n}', 'w').close()"), {Verdict.KILLED}),
        (Program("while True: open('/tmp/x', 'ab').write(bytes(1 << 20))"), {Verdict.ERROR, Verdict.KILLED}),
        (Program("f = lambda: 1", tests=JUDGE_HOG), {Verdict.PASSED}),
        (Program("f = lambda: 1", tests="import random\nassert f() == 1"), {Verdict.PASSED}),
        (Program("f = lambda: 2", tests="assert f() == 1"), {Verdict.FAILED}),
    ],
)
def test_limits(gvisor_box: DockerSandbox, program: Program, verdicts: set[Verdict]) -> None:
    wall_s = 2.0 if Verdict.TIMEOUT in verdicts else 60.0
    execution = gvisor_box.run(program, Limits(wall_s=wall_s, memory_mb=256))
    assert execution.verdict in verdicts
    assert gvisor_box.run(Program("print(1)", expected_stdout="1"), Limits()).verdict is Verdict.PASSED
