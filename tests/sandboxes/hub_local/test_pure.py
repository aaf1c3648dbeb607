"""Tests that leave nothing behind are judged by a process that stays; all others by one of their own."""

import ast
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import hub
import hub.errors
from hub_local.program import MOST_JUDGED, Waiting
from hub_local.pure import is_pure
from hub_local.sandbox import LocalSandbox

PURE = (
    "assert f(1) == 2",
    "METADATA = {'author': 'x'}\ndef check(candidate):\n    assert candidate([1, 2]) == [2, 1], 'wrong'",
    "import math\nassert math.isclose(f(2), math.sqrt(2), abs_tol=1e-6)",
    "from math import isclose as near\nassert near(f(1), 1.0)",
    "assert type(f(1)) == int and isinstance(f(1), int)",
    "assert type(f(1)) in (int, float) and int is type(f(2)) == type(3)",
    "for n in range(3):\n    assert f(n) == sorted([n, 1], key=lambda x: -x)[0]",
    "try:\n    f(0)\n    assert False\nexcept ZeroDivisionError as error:\n    pass",
    "assert [x.strip().lower() for x in f('A, B').split(',')] == ['a', 'b']",
    "assert all(abs(a - b) < 1e-6 for a, b in zip(f(2), [0.5, 0.25]))",
    "assert f'{f(1):03d}' == '001'",
)
IMPURE = {
    "another module": "import sys\nassert f(1) == 1\nsys.setrecursionlimit(50)",
    "part of another module": "from os import environ\nassert f(environ) == 1",
    "a module without an import": "assert f(1) == sys.getsizeof(1)",
    "all of a module's names": "from json import *\nassert f(1)",
    "a private name of math": "import math\nassert math.__loader__ and f(1)",
    "part of a package that is there": "import hub_local.judge\nassert f(1)",
    "a package's usual name": "assert np.sum(f(1)) == 1",
    "the sandbox's own name": "assert hub_local.x == f(1)",
    "another builtin": "assert f(1) == eval('1')",
    "an attribute by its text": "getattr([], 'append')\nassert f(1)",
    "a builtin under another name": "g = exec\ng('1')\nassert f(1)",
    "printing": "print(f(1))\nassert f(1)",
    "an attribute of a type": "assert f.__class__\nassert f(1)",
    "a chain to all classes": "().__class__.__base__.__subclasses__()\nassert f(1)",
    "a text that reads attributes": "assert '{0.x}'.format(f(1)) == '1'",
    "a frame of a generator": "g = (x for x in [1])\ng.gi_frame\nassert f(1)",
    "an attribute that is set": "f.x = 1\nassert f(1)",
    "builtins by their hidden name": "__builtins__['len'] = f\nassert f(1)",
    "a hidden name as an argument": "def g(__builtins__):\n    return 1\nassert f(1)",
    "a builtin that is replaced": "open = 1\nassert f(1)",
    "a class": "class A:\n    pass\nassert f(A)",
    "a class made by type": "assert type('A', (), {}) and f(1)",
    "a class made by starred type": "assert type(*('A', (), {})) and f(1)",
    "type as a value": "g = type\nassert f(1)",
    "a class made by the type of a type": "A = type(type(1))('A', (), {})\nassert f(A)",
    "a class made by a type that is kept": "t = type(int)\nA = t('A', (), {})\nassert f(A)",
    "a type that a rebound name lets out": "isinstance = lambda a, b: b\nt = isinstance(1, type(int))\nassert f(t)",
    "a decorator": "@f\ndef g():\n    pass\nassert f(1)",
    "a global": "def g():\n    global x\n    x = 1\nassert f(1)",
    "a generator": "def g():\n    yield 1\nassert f(1)",
    "a coroutine": "async def g():\n    pass\nassert f(1)",
    "a context": "with f(1):\n    pass\nassert f(1)",
    "a pattern": "match f(1):\n    case int(real=1):\n        pass\nassert f(1)",
    "a name that is taken away": "x = 1\ndel x\nassert f(1)",
    "an exit": "raise SystemExit(f(1))",
}


@pytest.mark.parametrize("tests", PURE)
def test_what_leaves_nothing_behind(tests: str) -> None:
    assert is_pure(list(ast.walk(ast.parse(tests))))


@pytest.mark.parametrize("tests", IMPURE.values(), ids=IMPURE)
def test_what_may_leave_something_behind(tests: str) -> None:
    assert not is_pure(list(ast.walk(ast.parse(tests))))


F = "def f(x=0):\n    return x\n"


def judging(box: LocalSandbox) -> str:
    """The process that waits for tests or runs them: the server's child, whose parent is the first process."""
    first = box._all[0].slot("judge").process.pid
    (server,) = children(first)
    return children(server)[0]


def children(pid: int | str) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def passes(box: LocalSandbox, tests: str) -> bool:
    return box.run(hub.Program(F, tests=tests), hub.Limits(wall_s=10.0)).verdict is hub.Verdict.PASSED


def another(box: LocalSandbox, before: str) -> str:
    """Wait for another process than before: a server makes it after its report."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = [judging(box)] if children(children(box._all[0].slot("judge").process.pid)[0]) else []
        if found and found[0] != before:
            return found[0]
        time.sleep(0.01)
    return before


def test_the_process_stays_for_the_next_program(box: LocalSandbox) -> None:
    assert passes(box, "assert f(1) == 1")
    before = judging(box)
    assert passes(box, "assert f(2) == 2")
    assert not passes(box, "assert f(2) == 3")
    with pytest.raises(hub.errors.BadInput, match="invalid syntax"):
        passes(box, "assert f(2) ==")
    assert passes(box, "assert f(2) == 2\n" + "#" * 20_000)
    assert judging(box) == before


def test_a_process_whose_tests_leave_something_behind_is_gone(box: LocalSandbox) -> None:
    assert passes(box, "assert f(1) == 1")
    before = judging(box)
    tests = "import builtins, math\nassert f(1) == 1\nbuiltins.sorted = math.sin = lambda *a, **k: 'no'"
    assert passes(box, tests)
    assert passes(box, "assert sorted([2, f(1)]) == [1, 2]")
    assert passes(box, "import math\nassert math.sin(0) == f(0)")
    assert another(box, before) != before


def test_no_process_judges_for_ever(box: LocalSandbox) -> None:
    assert passes(box, "assert f(1) == 1")
    before = judging(box)
    for _ in range(MOST_JUDGED):
        assert passes(box, "assert f(1) == 1")
    assert another(box, before) != before


def test_what_ends_the_process_takes_no_other_verdict(box: LocalSandbox) -> None:
    ends = {
        "assert f(1)\nwhile True:\n    pass": hub.Verdict.TIMEOUT,
        "assert f(1) == 1\nx = [0] * 10 ** 9": hub.Verdict.ERROR,
        "assert f(1) == 1\nassert f(2) == 2": hub.Verdict.PASSED,
    }
    for _ in range(3):
        for tests, verdict in ends.items():
            done = box.run(hub.Program(F, tests=tests), hub.Limits(wall_s=0.5, memory_mb=128))
            assert done.verdict is verdict, (tests, done)


def test_limits_are_those_of_each_program(box: LocalSandbox) -> None:
    tests = "assert f(1) == 1\nx = [f(1)] * 30_000_000"
    for memory_mb, verdict in ((64, "error"), (512, "passed"), (64, "error")):
        done = box.run(hub.Program(F, tests=tests), hub.Limits(wall_s=10.0, memory_mb=memory_mb))
        assert done.verdict == verdict, done


LEAVE = {
    "a cycle around much memory": "x = [f(0)] * 40_000_000\ndef g():\n    return x\n",
    "a cycle around memory that was never touched": "assert f(1)\nx = [bytearray(300_000_000)]\nx.append(x)\n",
    "a cycle of many objects": "assert f(1)\nx = [[] for n in range(500_000)]\nx.append(x)\n",
}


@pytest.mark.parametrize("tests", LEAVE.values(), ids=LEAVE)
def test_memory_that_tests_leave_is_not_missing_for_the_next(box: LocalSandbox, tests: str) -> None:
    assert passes(box, "assert f(1) == 1")
    before = judging(box)
    limits = hub.Limits(wall_s=10.0, memory_mb=400)
    for text in (tests, "assert f(1) == 1\nx = [0] * 30_000_000"):
        assert box.run(hub.Program(F, tests=text), limits).verdict is hub.Verdict.PASSED
    assert another(box, before) != before


def test_a_message_that_cannot_be_shown_costs_no_verdict(box: LocalSandbox) -> None:
    for tests, verdict in (
        ("assert f(1) == 2, 10 ** 5_000", hub.Verdict.FAILED),
        ("assert f(1) == 1\nraise ValueError(10 ** 5_000)", hub.Verdict.ERROR),
        (
            "class E(Exception):\n    def __str__(self):\n        raise self\nassert f(1) == 1\nraise E",
            hub.Verdict.ERROR,
        ),
    ):
        done = box.run(hub.Program(F, tests=tests), hub.Limits(wall_s=10.0))
        assert done.verdict is verdict, done
        assert "cannot be shown" in done.info["detail"]


def test_a_judge_that_is_killed_from_outside_costs_no_verdict(box: LocalSandbox) -> None:
    assert passes(box, "assert f(1) == 1")
    slot = box._all[0].slot("judge")
    victim, runs = int(judging(box)), slot.runs
    source = "import time\ndef f(x):\n    time.sleep(x)\n    return x\n"
    program = hub.Program(source, tests="assert f(0.5) == 0.5")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(box.run, program, hub.Limits(wall_s=20.0))
        while slot.runs == runs:
            time.sleep(0.01)
        time.sleep(0.2)  # while it waits for the answer; at any other moment the verdict is the same
        os.kill(victim, signal.SIGKILL)
        assert running.result().verdict is hub.Verdict.PASSED
    assert passes(box, "assert f(1) == 1")


def test_a_program_that_a_killed_process_took_is_known() -> None:
    """A process may be killed at the limit of a program that it has just judged, with the next one in hand."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        waiting = Waiting(
            theirs, {"tier": "landlock", "landlock_abi": 3, "gvisor": False, "tools": False}, 0, -1
        )
        for number, phase, reached, taken in (
            (1, 1, "read", 1),
            (1, 2, "begun", 1),
            (2, 1, "begun", 2),
            (2, 3, "begun", 2),
        ):
            waiting._tell(number, phase)
            assert (waiting.reached(1), waiting.taken) == (reached, taken)
