"""The benchmark `cruxeval` and the reward `literal-answer`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import DataError, SandboxUnavailable
from hub.evaluation.plan import find_benchmark
from hub.testing import BenchmarkSuite, RewardSuite
from hub_benchmarks.cruxeval import rows
from hub_benchmarks.literal import LiteralAnswer

UNSOLVED = ("sample_258-input",)
"""Its published input is a name that the function's own code defines."""


@pytest.fixture(scope="module", autouse=True)
def folder(shared_data: Path) -> Iterator[None]:
    try:
        hub.open_sandbox("local", slots=1).close()
    except SandboxUnavailable as error:
        pytest.skip(f"needs the sandbox local: {error}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
        yield


def program(row: dict[str, Any]) -> str:
    return f"It returns this:\n\n```python\n{row['solution']}\n```"


class TestCruxEval(BenchmarkSuite):
    benchmark = "cruxeval"
    options = {"train_share": 0.5}

    def solve(self, row: dict[str, Any]) -> str | None:
        return None if row["id"] in UNSOLVED else program(row)


def test_all_rows_are_there() -> None:
    both = list(rows("test"))
    assert [row["predict"] for row in both[:2]] == ["output", "input"]
    assert len(both) == 1600
    assert [row["id"] for row in rows("test", predict="input")][:2] == ["sample_0-input", "sample_1-input"]
    first = both[0]
    assert "What does `f([1, 1, 3, 1, 3, 1])` return?" in first["prompt"]
    assert first["tests"].endswith("candidate() == [(4, 1), (4, 1), (4, 1), (4, 1), (2, 3), (2, 3)]\n")
    assert "[(4, 1)" not in first["prompt"]
    assert "[1, 1, 3" not in both[1]["prompt"]


def grade(row: dict[str, Any], text: str, engine: hub.Engine) -> hub.MixScore:
    mix = hub.Mix.from_tables(find_benchmark("cruxeval").rewards)
    (score,) = mix.score([hub.Sample(row["prompt"], text, row)], engine=engine)
    return score


COMPUTED = "```python\n{code}\n\ndef answer():\n    return f({input})\n```"
WRITTEN = "```python\ndef answer():\n    return {}\n```"
DICT = {
    "code": "def f(a, b):\n    return {a: None, b: None}",
    "input": "1, 2",
    "output": "{1: None, 2: None}",
}
ANSWERS: list[tuple[str, str, str, float]] = [
    ("the output", "output", WRITTEN.format("{1: None, 2: None}"), 1.0),
    ("the output in another order", "output", WRITTEN.format("{2: None, 1: None}"), 1.0),
    ("another output", "output", WRITTEN.format("{1: None}"), 0.0),
    ("the output computed", "output", COMPUTED.format(**DICT), 0.0),
    ("the output without a function", "output", "```python\n{1: None, 2: None}\n```", 0.0),
    (
        "an object that equals all",
        "output",
        WRITTEN.format("type('A', (), {'__eq__': lambda a, b: True})()"),
        0.0,
    ),
    ("no program", "output", "It returns {1: None, 2: None}.", 0.0),
    ("the input", "input", WRITTEN.format("(1, 2)"), 1.0),
    ("another input with that output", "input", WRITTEN.format("(2, 1)"), 1.0),
    ("another input", "input", WRITTEN.format("(1, 3)"), 0.0),
    ("one argument too few", "input", WRITTEN.format("(1, )"), 0.0),
    (
        "f in the answer",
        "input",
        "```python\nf = lambda a: {1: None, 2: None}\n" + WRITTEN.format("0")[10:],
        0.0,
    ),
]


@pytest.mark.parametrize(
    ("predict", "text", "value"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
def test_answers(predict: Any, text: str, value: float, tmp_path: Path, engine: hub.Engine) -> None:
    (tmp_path / "cruxeval.jsonl").write_text(json.dumps({"id": "x", **DICT}))
    (row,) = rows("test", path=str(tmp_path), predict=predict)
    score = grade(row, text, engine)
    assert score.total.outcome is hub.Outcome.SCORED
    assert score.value == value


def test_one_argument_need_not_be_a_tuple(tmp_path: Path, engine: hub.Engine) -> None:
    one = {"id": "x", "code": "def f(a):\n    return a + a", "input": "[1]", "output": "[1, 1]"}
    (tmp_path / "cruxeval.jsonl").write_text(json.dumps(one))
    (row,) = rows("test", path=str(tmp_path), predict="input")
    assert grade(row, WRITTEN.format("[1]"), engine).value == 1.0
    assert grade(row, WRITTEN.format("([1],)"), engine).value == 1.0


EQUAL = "type('A', (), {'__eq__': lambda a, b: True, '__hash__': lambda a: 0})()"


@pytest.mark.parametrize("given", [EQUAL, f"[{EQUAL}]", f"{{1: {EQUAL}}}"])
def test_an_input_that_equals_everything_earns_nothing(
    given: str, tmp_path: Path, engine: hub.Engine
) -> None:
    one = {"id": "x", "code": "def f(a):\n    return a", "input": "[1]", "output": "[1]"}
    (tmp_path / "cruxeval.jsonl").write_text(json.dumps(one))
    (row,) = rows("test", path=str(tmp_path), predict="input")
    assert grade(row, WRITTEN.format(f"({given}, )"), engine).value == 0.0


def test_other_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cruxeval.jsonl").write_text(json.dumps({"id": "x", "code": "", "input": ""}))
    with pytest.raises(DataError, match="row 0 has the columns id, code, input, and not all of id, code"):
        list(rows("test", path=str(tmp_path)))


LITERALS: list[tuple[str, str, float]] = [
    ("a literal", WRITTEN.format("[(1, 'a'), {2: None}, -1.5, b'', {3}]"), 1.0),
    ("with a docstring", "```python\ndef answer():\n    '''It.'''\n    return 1\n```", 1.0),
    ("bare", "def answer():\n    return 1", 1.0),
    ("after thinking", "<think>```python\nanswer = f(2)\n```</think>" + WRITTEN.format("1"), 1.0),
    ("another block that does not define it", "```python\nprint(2)\n```\n" + WRITTEN.format("1"), 1.0),
    ("two of them", WRITTEN.format("1") + "\n" + WRITTEN.format("f(2)"), 0.0),
    ("a name", WRITTEN.format("x"), 0.0),
    ("a call", WRITTEN.format("str(1)"), 0.0),
    ("an operation", WRITTEN.format("'a' * 20"), 0.0),
    ("a formatted text", WRITTEN.format("f'{1}'"), 0.0),
    ("a statement before", "```python\ndef answer():\n    x = 1\n    return 1\n```", 0.0),
    ("a decorator", "```python\n@f\ndef answer():\n    return 1\n```", 0.0),
    ("an import before", "```python\nimport os\ndef answer():\n    return 1\n```", 0.0),
    ("a lambda", "```python\nanswer = lambda: 1\n```", 0.0),
    ("no return", "```python\ndef answer():\n    1\n```", 0.0),
    ("an empty return", "```python\ndef answer():\n    return\n```", 0.0),
    ("no Python", "```python\ndef answer(:\n```", 0.0),
    ("nothing", "", 0.0),
]


class TestLiteralAnswer(RewardSuite):
    reward = "literal-answer"
    gold = [hub.Sample("", text, {"entry_point": "answer"}) for _, text, value in LITERALS if value]
    wrong = [hub.Sample("", text, {"entry_point": "answer"}) for _, text, value in LITERALS if not value]


@pytest.mark.parametrize(
    ("text", "value"), [case[1:] for case in LITERALS], ids=[case[0] for case in LITERALS]
)
def test_literals(text: str, value: float) -> None:
    assert LiteralAnswer()(hub.Sample("", text, {"entry_point": "answer"})).value == value
    assert LiteralAnswer()(hub.Sample("", text, {"entry_point": "answer", "literal": False})).value == 1.0


def test_long_texts_take_no_time() -> None:
    for text in ("```\n" * 100_000, "def answer():\n" * 50_000, "(" * 39_000 + " answer", "`" * 100_000):
        assert LiteralAnswer()(hub.Sample("", text, {"entry_point": "answer"})).value == 0.0
