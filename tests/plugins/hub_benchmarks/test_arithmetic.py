"""The benchmark `arithmetic`."""

import re
from typing import Any, ClassVar

import pytest

from hub.errors import OptionError
from hub.testing import BenchmarkSuite
from hub_benchmarks.arithmetic import EXAMPLES, rows


class TestArithmetic(BenchmarkSuite):
    benchmark = "arithmetic"

    def solve(self, row: dict[str, Any]) -> str | None:
        return f"It is \\boxed{{{row['answer']}}}."


class TestSumsWithoutExamples(TestArithmetic):
    options: ClassVar[dict[str, Any]] = {"operations": "+", "max_operand": 20, "rows": 50, "examples": 0}


def test_answers_are_right() -> None:
    for row in rows("train", rows=2000):
        question = row["prompt"][-1]["content"]
        a, operation, b = re.fullmatch(
            r"What is (\d+) ([-+*]) (\d+)\? Put the answer in \\boxed{}.", question
        ).groups()  # type: ignore[union-attr]
        expected = {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[operation]
        assert row["answer"] == str(expected)
        assert row["operation"] == {"+": "sum", "-": "difference", "*": "product"}[operation]


def test_splits_share_no_problem_whatever_the_options() -> None:
    def problems(split: str, **options: Any) -> set[tuple[str, ...]]:
        found = (re.fullmatch(r"(\d+)([-+*])(\d+)", row["id"]) for row in rows(split, **options))
        return {(m[2], *sorted((m[1], m[3]))) for m in found if m}

    train = problems("train", rows=8000)
    for options in ({}, {"seed": 1}, {"max_operand": 20, "rows": 200}, {"operations": "*"}):
        test = problems("test", **options)
        assert len(test) > 100
        assert not test & train
    assert {(operation, *sorted((str(a), str(b)))) for operation, a, b in EXAMPLES}.isdisjoint(train)


def test_a_seed_draws_other_problems() -> None:
    first, again, other = ([row["id"] for row in rows("test", seed=seed)] for seed in (0, 0, 1))
    assert first == again != other
    assert len(set(first)) == len(first) == 500


def test_examples_are_earlier_turns_and_of_the_operations_asked_for() -> None:
    row = next(rows("test", operations="*", examples=1, prompt="{problem} = ?"))
    assert row["prompt"][:2] == [
        {"role": "user", "content": "3 * 4 = ?"},
        {"role": "assistant", "content": "\\boxed{12}"},
    ]
    assert row["prompt"][2]["content"] == f"{row['id'].replace('*', ' * ')} = ?"
    assert (
        next(rows("test", operations="*", examples=0, prompt="{problem} = ?"))["prompt"]
        == row["prompt"][2]["content"]
    )


def test_all_problems_there_are_can_be_had() -> None:
    with pytest.raises(OptionError, match=r"has only (\d+) test problems"):
        list(rows("test", operations="+", max_operand=9, rows=100))
    both = [
        len(list(rows(split, operations="+", max_operand=9, rows=count)))
        for split, count in (("test", 17), ("train", 70))
    ]
    assert both == [17, 70]


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown operation", {"operations": "+/"}, "some of '+-*', not '+/'"),
    ("no operation", {"operations": ""}, "not ''"),
    ("an operation twice", {"operations": "++"}, "not '++'"),
    ("operands of none", {"max_operand": 0}, "at least 1, not 0"),
    ("rows of none", {"rows": 0}, "at least 1"),
    ("too many examples", {"operations": "+", "examples": 3}, "examples is from 0 to 2 for '+', not 3"),
    ("a negative number of examples", {"examples": -1}, "from 0 to 6"),
    ("a prompt without a problem", {"prompt": "What is it?"}, "no {problem} in it"),
    (
        "more rows than problems",
        {"operations": "+", "max_operand": 9, "rows": 500},
        "lower rows, or raise max_operand",
    ),
]


@pytest.mark.parametrize(("options", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_options_are_one_clear_error(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=re.escape(words)):
        list(rows("test", **options))
