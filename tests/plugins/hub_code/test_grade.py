"""The reward `code`."""

from collections.abc import Iterator
from typing import Any

import pytest

import hub
from hub.errors import OptionError, SandboxError, SandboxOverloaded, SandboxUnavailable
from hub.sandbox import Execution, Limits, Program, Verdict
from hub.score import Failure, Outcome
from hub.testing import RewardSuite
from hub_code.grade import Code
from hub_code.scores import LONGEST_COMPLETION

HEAD = "def add(a: int, b: int) -> int:\n    '''Add.'''\n"
TESTS = "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(-1, 1) == 0\n"
ADD = {"tests": TESTS, "entry_point": "add"}
WHOLE = "```python\ndef add(a, b):\n    return a + b\n```"
SUMS = {"inputs": ["1 2", "3 4", "5 6"], "outputs": ["3", "7", "11"]}
CASES = {"entry_point": "add", "cases": [[[1, 2], 3], [[-1, 1], 0], [[2, 2], 4], [[0, 0], 0]]}


class TestCode(RewardSuite):
    reward = "code"
    gold = [
        hub.Sample("Add.", WHOLE, ADD),
        hub.Sample(HEAD, "    return a + b\n", ADD),
        hub.Sample("Add.", WHOLE, CASES),
        hub.Sample("Add.", "```python\na, b = map(int, input().split())\nprint(a + b)\n```", SUMS),
        hub.Sample("", "def add(a, b): return a + b", {"test_list": ["assert add(1, 2) == 3"]}),
    ]
    wrong = [
        hub.Sample("Add.", WHOLE.replace("+", "-"), ADD),
        hub.Sample("Add.", "I cannot.", ADD),
        hub.Sample("Add.", "", ADD),
        hub.Sample("Add.", "```python\nimport os\nos._exit(0)\n```", ADD),
        hub.Sample("Add.", "```python\nprint(3)\n```", SUMS),
        hub.Sample("Add.", WHOLE.replace("+", "*"), CASES),
    ]


@pytest.fixture(scope="module")
def code(sandbox: str) -> Iterator[Code]:
    reward = Code(sandbox=sandbox, wall_s=2.0)
    yield reward
    reward.runner.sandbox.close()


@pytest.fixture(scope="module")
def part(sandbox: str) -> Iterator[Code]:
    reward = Code(sandbox=sandbox, partial=True, wall_s=1.0, total_s=1.5)
    yield reward
    reward.runner.sandbox.close()


def fenced(program: str) -> str:
    return f"```python\n{program}\n```"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("def add(a, b): return a + b", ""),
        ("def add(a, b): return a", "failed"),
        ("def add(a, b): return 1 / 0", "error"),
        ("def sub(a, b): return a", "error"),
        ("def add(a, b:", "error"),
        ("def add(a, b):\n    while True: pass", "timeout"),
        ("def add(a, b): return bytearray(1 << 40)", "memory"),
        ("import os\ndef add(a, b): os.kill(os.getpid(), 9)", "killed"),
        ("def add(a, b):\n    while True: print('x' * 10000)", "output_limit"),
        ("def add(a, b): return a + b\n\0", "error"),
        ("s = '\ud800'\ndef add(a, b): return a + b", "error"),
        ("# " + "x" * 10_000_000 + "\ndef add(a, b): return a + b", ""),
    ],
    ids=lambda value: value[:40].encode("ascii", "replace").decode(),
)
def test_verdicts_are_reasons(code: Code, program: str, reason: str) -> None:
    score = code(hub.Sample("", fenced(program), ADD))
    assert (score.value, score.reason) == (float(not reason), reason)
    assert score.info == {"verdict": reason or "passed"}


def test_a_hanging_program_earns_nothing_and_is_no_failure(engine: hub.Engine, sandbox: str) -> None:
    reward = hub.find_reward("code").bind({"sandbox": sandbox, "wall_s": 0.5})
    samples = [
        hub.Sample("", fenced(text), ADD)
        for text in ("while True: pass", "9**9**9**9", "def add(a, b): return a + b")
    ]
    assert [score.reason for score in engine.score(reward, samples)] == ["timeout", "timeout", ""]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no_code"),
        ("I cannot.", "no_code"),
        ("```json\n{}\n```", "no_code"),
        ("x" * (LONGEST_COMPLETION + 1), "too_long"),
    ],
    ids=["nothing", "words", "another language", "too long"],
)
def test_where_nothing_is_run(code: Code, text: str, reason: str) -> None:
    score = code(hub.Sample("", text, ADD))
    assert (score.value, score.reason, score.info) == (0.0, reason, {"verdict": "error"})


@pytest.mark.parametrize(
    ("columns", "program", "reason"),
    [
        # the tests' own imports and set-up
        (
            {"test_list": ["assert math.isclose(f(1), 1)"], "test_imports": ["import math"]},
            "def f(x): return x + 1e-12",
            "",
        ),
        (
            {"test_list": ["assert f(1) == 1"], "test_imports": ["import math"]},
            "def f(x): return math.floor(x)",
            "",
        ),
        ({"test_list": ["assert f(x) == 2"], "test_setup_code": "x = [1, 2]"}, "def f(x): return len(x)", ""),
        (
            {
                "test_list": ["assert total(root) == 3"],
                "test_setup_code": "root = Node(1)\nroot.left = Node(2)",
            },
            "class Node:\n    def __init__(self, v): self.v, self.left = v, None\n"
            "def total(n): return n.v + total(n.left) if n else 0",
            "",
        ),
        ({"test_list": ["x = [3, 1]\nf(x)\nassert x == [1, 3]"]}, "def f(x): x.sort()", ""),
        ({"test_list": ["assert list(f(3)) == [0, 1, 2]"]}, "def f(n): yield from range(n)", ""),
        (
            {"tests": "from collections import Counter\nassert f('aab') == Counter('aab')"},
            "def f(s):\n    from collections import Counter\n    return Counter(s)",
            "",
        ),
        # the prompt's helper is the data's, whatever the completion calls by its name
        (
            {
                "tests": "def check(c):\n    assert c(twice(2)) == 2",
                "entry_point": "half",
                "prompt_code": "def twice(x):\n    return 2 * x\n\ndef half(x):\n",
            },
            "def twice(x): return 2\ndef half(x): return x",
            "failed",
        ),
        (
            {
                "tests": "def check(c):\n    assert c(twice(2)) == 2",
                "entry_point": "half",
                "prompt_code": "def twice(x):\n    return 2 * x\n\ndef half(x):\n",
            },
            "def half(x): return 2 if x == twice(2) else 0",
            "",
        ),
        # printing
        ({"stdin": "3", "expected_stdout": "9\n"}, "print(int(input()) ** 2)", ""),
        ({"stdin": "3", "expected_stdout": "9\n"}, "print(9); raise SystemExit(3)", "error"),
        ({"mode": "io", "tests": "assert 0", "expected_stdout": ""}, "pass", ""),
        ({"expected_stdout": "1 2"}, "print('1\\n2')", "failed"),
    ],
)
def test_rows(code: Code, columns: dict[str, Any], program: str, reason: str) -> None:
    score = code(hub.Sample("", fenced(program), columns))
    assert (score.value, score.reason) == (float(not reason), reason), score


@pytest.mark.parametrize(
    ("compare", "printed", "passes"),
    [
        ("lines", "1 \\n2\\n", True),
        ("lines", "1 2", False),
        ("tokens", "1 2", True),
        ("exact", "1\\n2", True),
        ("exact", "1\\n2\\n", False),
    ],
)
def test_how_printed_text_is_compared(sandbox: str, compare: Any, printed: str, passes: bool) -> None:
    reward = Code(sandbox=sandbox, compare=compare)
    score = reward(hub.Sample("", f"print('{printed}', end='')", {"expected_stdout": "1\n2"}))
    assert score.value == float(passes)
    reward.runner.sandbox.close()


@pytest.mark.parametrize(
    ("columns", "program", "value", "info"),
    [
        (ADD, "def add(a, b): return a + b", 1.0, {"verdict": "passed", "passed": 2, "of": 2}),
        (ADD, "def add(a, b): return 0", 0.5, {"verdict": "failed", "passed": 1, "of": 2}),
        (ADD, "def add(a, b:", 0.0, {"verdict": "error", "passed": 0, "of": 2}),
        (CASES, "def add(a, b): return 0", 0.5, {"verdict": "failed", "passed": 2, "of": 4}),
        (
            CASES,
            "def add(a, b): return a + b if a else 1 / 0",
            0.75,
            {"verdict": "error", "passed": 3, "of": 4},
        ),
        (SUMS, "print(7)", 1 / 3, {"verdict": "failed", "passed": 1, "of": 3}),
        (
            SUMS,
            "if input()[0] == '1':\n    print(3)\nelse:\n    while True: pass",
            1 / 3,
            {"verdict": "timeout", "passed": 1, "of": 3},
        ),
        (
            {"test_list": ["assert f() == 1", "assert f() == 2", "assert f()"]},
            "def f(): return 1",
            2 / 3,
            {"verdict": "failed", "passed": 2, "of": 3},
        ),
    ],
)
def test_the_fraction_passed(
    part: Code, columns: dict[str, Any], program: str, value: float, info: Any
) -> None:
    score = part(hub.Sample("", fenced(program), columns))
    assert (score.value, score.info) == (value, info)
    assert score.reason == ("" if value == 1.0 else info["verdict"])


def test_packages_are_the_sandboxs_option(sandbox: str) -> None:
    pytest.importorskip("numpy")
    reward = Code(sandbox=sandbox, sandbox_options={"packages": ["numpy"]}, memory_mb=1024, wall_s=20.0)
    program = "import numpy as np\ndef f(n): return np.arange(n) * 2.0"
    tests = "import numpy\ndef check(c):\n    assert numpy.allclose(c(3), [0, 2, 4])"
    wrong = program.replace("2.0", "2.1")
    scores = [
        reward(hub.Sample("", fenced(text), {"tests": tests, "entry_point": "f"}))
        for text in (program, wrong)
    ]
    reward.runner.sandbox.close()
    assert [score.reason for score in scores] == ["", "failed"], scores


def test_tests_in_the_programs_own_process_are_opted_into(sandbox: str) -> None:
    tests = "from unittest.mock import patch\nwith patch('builtins.print') as p:\n    f()\nassert p.called"
    scores = []
    for in_process in (False, True):
        reward = Code(sandbox=sandbox, in_process=in_process)
        scores.append(reward(hub.Sample("", "def f(): print(1)", {"tests": tests})).value)
        reward.runner.sandbox.close()
    assert scores == [0.0, 1.0]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"mode": "stdin"}, "bad_reference"),
        ({"inputs": ["1"], "outputs": ["1", "2"]}, "bad_reference"),
        ({"tests": "def check(:", "entry_point": "add"}, "bad_reference"),
        ({"tests": "import a_module_that_nobody_has\nassert add(1, 2) == 3"}, "bad_reference"),
        (
            {"test_list": ["assert add(1, 2) == 3", "assert 1 == 2"], "test_setup_code": "1 / 0"},
            "bad_reference",
        ),
        ({"tests": "def test_add():\n    assert add(1, 2) == 3"}, "bad_reference"),
        ({}, "missing_column"),
    ],
)
def test_rows_that_judge_nothing_fail(
    engine: hub.Engine, sandbox: str, columns: dict[str, Any], reason: str
) -> None:
    (score,) = engine.score(
        hub.find_reward("code").bind({"sandbox": sandbox}), [hub.Sample("", WHOLE, columns)]
    )
    assert (score.outcome, score.reason, score.fault) == (Outcome.FAILED, reason, "data")


@pytest.mark.parametrize(
    "options",
    [
        {"wall_s": 0},
        {"wall_s": -1.0},
        {"wall_s": 61},
        {"total_s": 500},
        {"memory_mb": 0},
        {"memory_mb": 10**12},
        {"language": "cobol"},
        {"sandbox_options": '{"slots": 1}'},
    ],
    ids=str,
)
def test_options_that_make_no_sense(sandbox: str, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Code(sandbox=sandbox, **options)


def test_a_sandbox_that_is_not_there() -> None:
    with pytest.raises(hub.errors.UnknownName, match="sandbox 'cloud'"):
        Code(sandbox="cloud")


class Broken:
    """A sandbox that cannot run anything."""

    def __init__(self, error: SandboxError) -> None:
        self.error = error

    def run(self, program: Program, limits: Limits) -> Execution:
        raise self.error

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("error", "failure"),
    [(SandboxUnavailable("gone"), Failure.UNAVAILABLE), (SandboxOverloaded("busy"), Failure.OVERLOADED)],
)
def test_a_sandbox_that_fails_is_never_a_score(
    code: Code, error: SandboxError, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code.runner, "sandbox", Broken(error))
    score = hub.engine.call.call_one(code, hub.Sample("", WHOLE, ADD))
    assert (score.outcome, score.reason, score.fault) == (Outcome.FAILED, failure, "infrastructure")


def test_all_runs_together_have_a_limit(part: Code) -> None:
    columns = {"inputs": ["1"] * 50, "outputs": ["1"] * 50}
    score = part(hub.Sample("", "while True: pass", columns))
    assert (score.value, score.reason, score.info["of"]) == (0.0, Verdict.TIMEOUT, 50)


@pytest.mark.parametrize(
    ("language", "program"),
    [
        ("c", '#include <stdio.h>\nint main() { int n; scanf("%d", &n); printf("%d\\n", n * n); }'),
        ("cpp", "#include <iostream>\nint main() { int n; std::cin >> n; std::cout << n * n; }"),
        ("javascript", "console.log(Number(require('fs').readFileSync(0)) ** 2)"),
    ],
)
def test_other_languages(sandbox: str, language: str, program: str) -> None:
    try:
        reward = Code(sandbox=sandbox, language=language, wall_s=10.0)
    except OptionError as error:
        pytest.skip(str(error))
    texts = [f"```{language}\n{program}\n```", f"```{language}\nx(\n```", f"```python\n{program}\n```"]
    scores = [reward(hub.Sample("", text, {"stdin": "3", "expected_stdout": "9"})) for text in texts]
    reward.runner.sandbox.close()
    assert [score.reason for score in scores] == ["", "error", "no_code"], scores
