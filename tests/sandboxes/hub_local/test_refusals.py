"""What the machine or the caller does not give is refused in words, and nothing weaker is used."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import BadInput, OptionError, SandboxOverloaded
from hub_local.sandbox import LARGEST_SOURCE, LocalSandbox
from hub_local.syscalls import NUMBERS
from tests.sandboxes.hub_local.conftest import GIVEN

ROOT = Path(__file__).resolve().parents[3]
NOBODY = 65534


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"require": ["nonsense"]}, "'nonsense'"),
        ({"require": ["namespaces", "nonsense"]}, "'nonsense'"),
        ({"slots": -1}, "negative"),
        ({"queue_s": -1.0}, "negative"),
        ({"packages": ["a_package_that_nobody_has"]}, "pip install a_package_that_nobody_has"),
        ({"slotz": 1}, "slots"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        hub.open_sandbox("local", **options)


def test_what_cannot_be_run(box: LocalSandbox) -> None:
    for program, words in (
        (hub.Program("x", "klingon"), "klingon.*python"),
        (hub.Program("x", ""), "python"),
        (hub.Program("x" * (LARGEST_SOURCE + 1)), "more than"),
        (hub.Program("x", stdin="x" * (LARGEST_SOURCE + 1)), "more than"),
        (hub.Program("x", tests="x" * (LARGEST_SOURCE + 1)), "more than"),
        (hub.Program("x", tests="x", entry_point="x" * 300_000), "entry point"),
    ):
        with pytest.raises(BadInput, match=words):
            box.run(program, hub.Limits())
    if "c" in box.languages:
        with pytest.raises(BadInput, match="for Python"):
            box.run(hub.Program("int main() {}", "c", tests="assert f()"), hub.Limits())


@pytest.mark.parametrize("name", ["Python", "PY", "python3"])
def test_other_names_of_python(box: LocalSandbox, name: str) -> None:
    assert box.run(hub.Program("print(1)", name), hub.Limits()).verdict is hub.Verdict.PASSED


def test_no_slot_is_overload_and_no_verdict() -> None:
    if not any(GIVEN.values()):
        pytest.skip("this machine refuses namespaces and Landlock")
    box = hub.open_sandbox("local", slots=1, queue_s=0.2)
    started = threading.Thread(
        target=box.run, args=(hub.Program("import time\ntime.sleep(3)"), hub.Limits(wall_s=10))
    )
    started.start()
    refused: list[str] = []
    while started.is_alive():
        try:
            box.run(hub.Program("print(1)"), hub.Limits())
        except SandboxOverloaded as error:
            refused.append(str(error))
    assert refused
    assert all("0.2 s" in message for message in refused)
    assert box.run(hub.Program("print(1)"), hub.Limits()).verdict is hub.Verdict.PASSED
    box.close()


FORBID = """
import ctypes, struct, sys
def forbid(numbers):
    code = [(0x20, 0, 0, 0)]
    for number in numbers:
        code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050001)]
    code.append((0x06, 0, 0, 0x7FFF0000))
    data = b"".join(struct.pack("HBBI", *one) for one in code)
    held = ctypes.create_string_buffer(data, len(data))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(held)), 16)
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(head)), 0, 0) == 0
forbid(NUMBERS)
import hub
try:
    box = hub.open_sandbox("local", **OPTIONS)
except hub.errors.HubError as error:
    print(type(error).__name__, error)
else:
    print(box.tier, box.run(hub.Program("print(1)"), hub.Limits()).verdict)
    box.close()
"""


def without(calls: str, **options: Any) -> str:
    """Open a sandbox in a process that the kernel refuses these calls, as a container does."""
    known = {"pivot_root": 155 if NUMBERS["read"] == 0 else 41, **NUMBERS}
    numbers = [known[name] for name in calls.split()]
    source = f"NUMBERS = {numbers!r}\nOPTIONS = {options!r}\nimport hub.errors\n{FORBID}"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


needs_landlock = pytest.mark.skipif(not GIVEN["landlock"], reason="this kernel has no Landlock")
needs_namespaces = pytest.mark.skipif(not GIVEN["namespaces"], reason="this machine refuses namespaces")


@needs_landlock
def test_without_namespaces_it_is_landlock_unless_namespaces_are_required() -> None:
    assert without("unshare", slots=1) == "landlock passed"
    refused = without("unshare", slots=1, require=["namespaces"])
    assert refused.startswith("SandboxUnavailable ")
    assert "unshare: Operation not permitted" in refused
    assert "user.max_user_namespaces" in refused


@needs_namespaces
def test_without_landlock_it_is_namespaces_unless_landlock_is_required() -> None:
    assert without("landlock_create_ruleset", slots=1) == "namespaces passed"
    refused = without("landlock_create_ruleset", slots=1, require=["landlock"])
    assert refused.startswith("SandboxUnavailable ")
    assert "landlock" in refused


def test_with_neither_it_is_refused_naming_both_and_what_to_do() -> None:
    refused = without("unshare landlock_create_ruleset", slots=1)
    assert refused.startswith("SandboxUnavailable ")
    for words in ("unshare: Operation not permitted", "landlock", "docker", "sysctl"):
        assert words in refused


@needs_namespaces
@pytest.mark.parametrize("call", ["mount", "pivot_root"])
def test_a_call_refused_halfway_is_named(call: str) -> None:
    refused = without(call, slots=1, require=["namespaces"])
    assert refused.startswith("SandboxUnavailable "), refused
    assert call in refused


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_{which}, (3 << 30, 3 << 30))
import hub, hub.errors
box = hub.open_sandbox("local", slots=1, require=[{tier!r}])
for memory_mb in (256, 5000, 256):
    try: print(box.run(hub.Program("print(1)"), hub.Limits(memory_mb=memory_mb)).verdict)
    except hub.errors.HubError as error: print(type(error).__name__, error)
box.close()
"""


@pytest.mark.parametrize("tier", GIVEN)
@pytest.mark.parametrize("which", ["AS", "DATA"])
def test_memory_that_this_process_cannot_give_is_no_verdict(tier: str, which: str) -> None:
    if not GIVEN[tier]:
        pytest.skip(f"this machine refuses the tier {tier}")
    command = [sys.executable, "-c", LIMITED.format(which=which, tier=tier)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    first, second, third = done.stdout.splitlines()
    assert (first, third) == ("passed", "passed")
    assert second.startswith("SandboxUnavailable"), second
    assert "ulimit" in second


ORDINARY = """
import os, sys
os.setgroups([]); os.setresgid(NOBODY, NOBODY, NOBODY); os.setresuid(NOBODY, NOBODY, NOBODY)
os.environ["HOME"] = "/nonexistent"
sys.path[:0] = PATHS
import hub
from hub_local.sandbox import LocalSandbox
with_tests = hub.Program("def f(x):\\n  return x + 1", tests="assert f(1) == 2")
for tier in TIERS:
    box = LocalSandbox(slots=1, require=[tier])
    for program in (
        hub.Program("import os\\nprint(os.listdir('.'))", expected_stdout="[]"), with_tests,
        hub.Program("def f(): return 1", cases=(hub.Case((), 1),), entry_point="f"),
        hub.Program("while True: pass"), hub.Program("x = bytearray(1 << 34)"), hub.Program("import os\\nos.fork()"),
        hub.Program("open('/etc/passwd').read()"), hub.Program("import socket\\nsocket.socket()"),
    ):
        print(tier, box.run(program, hub.Limits(wall_s=2)).verdict)
    box.close()
"""


def interpreter() -> str:
    """An interpreter of this version that every user can run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for place in (os.path.realpath(sys.executable), f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        folders = [Path(place), *Path(place).parents]
        if Path(place).exists() and all(folder.stat().st_mode & 0o005 == 0o005 for folder in folders):
            return place
    pytest.skip(f"no {version} that an ordinary user can run")


@pytest.mark.skipif(os.geteuid() != 0, reason="these tests are run by an ordinary user already")
def test_it_works_for_an_ordinary_user() -> None:
    import site

    packages = [str(ROOT), str(ROOT / "sandboxes"), *site.getsitepackages()]
    if any(not path.stat().st_mode & 0o005 for path in (ROOT, *ROOT.parents)):
        pytest.skip("the checkout cannot be read by an ordinary user")
    tiers = [tier for tier, given in GIVEN.items() if given]
    source = f"PATHS, TIERS, NOBODY = {packages!r}, {tiers!r}, {NOBODY}\n{ORDINARY}"
    done = subprocess.run(
        [interpreter(), "-I", "-B", "-c", source], capture_output=True, text=True, timeout=120, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    verdicts = ["passed", "passed", "passed", "timeout", "memory", "error", "error", "error"]
    assert done.stdout.splitlines() == [f"{tier} {verdict}" for tier in tiers for verdict in verdicts]
