"""The reward `code-runs`."""

from collections.abc import Iterator
from typing import Any

import pytest

import hub
from hub.testing import RewardSuite
from hub_code.runs import CodeRuns


class TestCodeRuns(RewardSuite):
    reward = "code-runs"
    gold = [
        hub.Sample("", "```python\nprint(1)\n```"),
        hub.Sample("", "```python\nprint(int(input()))\n```", {"stdin": "3"}),
        hub.Sample("", "    return 1", {"prompt_code": "def f():\n", "entry_point": "f"}),
    ]
    wrong = [
        hub.Sample("", "```python\n1 / 0\n```"),
        hub.Sample("", "```python\nprint(int(input()))\n```"),
        hub.Sample("", "I cannot."),
    ]


@pytest.fixture(scope="module")
def runs(sandbox: str) -> Iterator[CodeRuns]:
    reward = CodeRuns(sandbox=sandbox, wall_s=1.0)
    yield reward
    reward.runner.sandbox.close()


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import math", ""),
        ("import nothing_of_this_name", "error"),
        ("raise SystemExit(0)", ""),
        ("raise SystemExit(1)", "error"),
        ("while True: pass", "timeout"),
        ("import os; os.kill(os.getpid(), 9)", "killed"),
        ("def f(:", "error"),
    ],
)
def test_verdicts(runs: CodeRuns, program: str, reason: str) -> None:
    score = runs(hub.Sample("", f"```python\n{program}\n```"))
    assert (score.value, score.reason, score.info) == (
        float(not reason),
        reason,
        {"verdict": reason or "passed"},
    )


@pytest.mark.parametrize("columns", [{"stdin": ["1"]}, {"entry_point": 1}, {"prompt_code": []}])
def test_columns_that_cannot_be_used(runs: CodeRuns, columns: dict[str, Any]) -> None:
    score = runs(hub.Sample("", "print(1)", columns))
    assert (score.reason, score.fault) == ("bad_reference", "data")
