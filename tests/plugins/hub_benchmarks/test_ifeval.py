"""The benchmark `ifeval` and its reward; test_ifeval_reference.py compares each check with the original."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import hub
from hub.errors import DataError
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.generator import Completion
from hub.testing import BenchmarkSuite, RewardSuite
from hub_benchmarks.follow import LONGEST, IfEval
from hub_benchmarks.ifeval import rows
from hub_benchmarks.instructions import KINDS, BadInstruction, follows


def row(*instructions: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "instruction_id_list": [kind for kind, _ in instructions],
        "kwargs": [arguments for _, arguments in instructions],
    }


Instruction: TypeAlias = tuple[str, dict[str, Any]]
COMMA: Instruction = ("punctuation:no_comma", {})
TITLE: Instruction = ("detectable_format:title", {})
WORDS: Instruction = ("length_constraints:number_words", {"num_words": 3, "relation": "at least"})


class TestIfEval(BenchmarkSuite):
    benchmark = "ifeval"
    options = {"train_share": 0.5}

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def folder(cls, shared_data: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
            yield

    def solve(self, row: dict[str, Any]) -> str | None:
        """Only rows whose instructions one text can follow."""
        easy = {
            "punctuation:no_comma": "",
            "detectable_format:title": "<<a title>>",
            "startend:quotation": '"',
        }
        if not set(row["instruction_id_list"]) <= set(easy):
            return None
        body = "<<a title>> and a text"
        return f'"{body}"' if "startend:quotation" in row["instruction_id_list"] else body


class TestReward(RewardSuite):
    reward = "ifeval"
    gold = [
        hub.Sample("", "<<It>> goes on and on", row(COMMA, TITLE, WORDS)),
        hub.Sample("", "<think>a, b</think>\n<<It>> goes on", row(COMMA, TITLE, WORDS)),
    ]
    wrong = [
        hub.Sample("", "<<It>> goes on, and on", row(COMMA, TITLE, WORDS)),
        hub.Sample("", "It goes on", row(COMMA, TITLE)),
        hub.Sample("", "<<It>>", row(COMMA, TITLE, WORDS)),
        hub.Sample("", "\n ", row(COMMA)),
        hub.Sample("", "a" * (LONGEST + 1), row(COMMA)),
    ]


class TestLoose(RewardSuite):
    reward = "ifeval"
    options = {"mode": "loose"}
    gold = [hub.Sample("", "Sure, here it is:\n<<It>> goes on", row(COMMA, TITLE))]
    wrong = [hub.Sample("", "Sure: here, it is <<It>>", row(COMMA))]


def test_parts_are_what_was_followed() -> None:
    score = IfEval()(hub.Sample("", "<<It>>, so", row(COMMA, TITLE, COMMA)))
    parts = {
        "punctuation:no_comma#1": False,
        "detectable_format:title": True,
        "punctuation:no_comma#3": False,
    }
    assert (score.value, score.reason, score.info) == (0.0, "not_followed", {"parts": parts})
    assert IfEval(partial=True)(hub.Sample("", "<<It>>, so", row(COMMA, TITLE))).value == 0.5


BAD_ROWS: list[tuple[str, dict[str, Any], str]] = [
    (
        "no such instruction",
        row(("punctuation:no_commas", {})),
        "no instruction 'punctuation:no_commas'.*no_comma",
    ),
    ("an argument missing", row((WORDS[0], {"num_words": 3})), "should have num_words .int., relation"),
    ("an argument too many", row((COMMA[0], {"words": 3})), "should have none"),
    ("a text for a number", row((WORDS[0], {**WORDS[1], "num_words": "3"})), "num_words"),
    ("another relation", row((WORDS[0], {**WORDS[1], "relation": "about"})), "less than or at least"),
    ("no keywords", row(("keywords:existence", {"keywords": []})), "keywords .list."),
    (
        "fewer arguments than instructions",
        {**row(COMMA, TITLE), "kwargs": [{}]},
        "as many tables of arguments",
    ),
    ("no instructions", row(), "should be a list of names"),
    ("no tables", {**row(COMMA), "kwargs": ["{}"]}, "as many tables"),
]


@pytest.mark.parametrize(
    ("columns", "words"), [case[1:] for case in BAD_ROWS], ids=[case[0] for case in BAD_ROWS]
)
def test_a_row_that_asks_for_nothing_known_has_failed(columns: dict[str, Any], words: str) -> None:
    score = IfEval()(hub.Sample("", "Yes", columns))
    assert score.reason == hub.Failure.BAD_REFERENCE
    assert re.search(words, score.detail)


def test_arguments_that_are_none_are_not_given() -> None:
    arguments = {"num_words": 1, "relation": "at least", "language": None}
    assert follows("Yes", WORDS[0], arguments)
    with pytest.raises(BadInstruction):
        follows("Yes", COMMA[0], {"num_words": 1})


def test_columns_may_be_arrays() -> None:
    import numpy

    columns = {name: numpy.array(value, dtype=object) for name, value in row(COMMA, TITLE).items()}
    assert IfEval()(hub.Sample("", "<<It>>", columns)).value == 1.0


LONG = [
    "[",
    "]",
    "*",
    "* ",
    "\n",
    " \n",
    "<<",
    "<<a",
    ">>",
    "-\n",
    "***",
    " *** ",
    "P.",
    "p. ",
    '"',
    "'",
    "a\n\n",
]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_long_texts_are_checked_within_the_rewards_time_limit(
    kind: str, arguments: dict[str, list[dict[str, Any]]], engine: hub.Engine
) -> None:
    reward = hub.find_reward("ifeval").bind({"mode": "loose"})
    texts = [piece * (LONGEST // len(piece)) for piece in LONG]
    columns = row((kind, arguments[kind][0]))
    scores = engine.score(reward, [hub.Sample("", text, columns) for text in texts])
    assert {str(score.outcome) for score in scores} == {"scored"}


def test_all_rows_are_there(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    found = list(rows("test"))
    assert len(found) == 540
    assert found[0]["id"] == "ifeval-1000"
    assert {kind for row in found for kind in row["instruction_id_list"]} == set(KINDS)
    for each in found:  # every instruction of every row can be checked
        assert IfEval()(hub.Sample(each["prompt"], "", each)).value == 0.0


def test_the_dataset_hubs_rows_are_the_same(tmp_path: Path) -> None:
    raw = {"key": 7, "prompt": "Say it.", **row(COMMA, WORDS)}
    every = {name: None for _, types in KINDS.values() for name in types}
    (tmp_path / "one.jsonl").write_text(json.dumps(raw))
    (tmp_path / "other.jsonl").write_text(
        json.dumps({**raw, "kwargs": [{**every, **table} for table in raw["kwargs"]]})
    )
    one, other = (list(rows("test", path=str(tmp_path / name))) for name in ("one.jsonl", "other.jsonl"))
    assert one == other


def test_other_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "input_data.jsonl").write_text(json.dumps({"key": 1, "prompt": "Say it."}))
    with pytest.raises(
        DataError, match="ifeval: row 0 has the columns key, prompt, and not all of key, prompt"
    ):
        list(rows("test", path=str(tmp_path)))


class Says:
    """A generator that answers each prompt with the next of some texts."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def generate(self, prompts: Any, decoding: Any) -> Iterator[Completion]:
        for index, text in enumerate(self.texts):
            yield Completion(index, text)

    def describe(self) -> dict[str, Any]:
        return {"generator": "says"}

    def close(self) -> None:
        pass


def test_four_accuracies_are_reported(tmp_path: Path) -> None:
    listed = [
        {"key": 1, "prompt": "One", **row(COMMA, TITLE, WORDS)},
        {"key": 2, "prompt": "Two", **row(COMMA)},
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, listed)))
    plan = make_plan("ifeval", options={"path": str(tmp_path / "data.jsonl")})
    result = evaluate(plan, Says("Sure, it is:\n<<It>> goes on and on", "Yes"), tmp_path / "run")
    strict, loose = (result["scores"]["rewards"][name] for name in ("strict", "loose"))
    assert (result["scores"]["total"]["mean"], strict["mean"], loose["mean"]) == (0.5, 0.5, 1.0)
    assert (strict["parts"]["mean"], strict["parts"]["n"], loose["parts"]["mean"]) == (0.75, 4, 1.0)
    assert strict["parts"]["by_name"]["punctuation:no_comma"]["mean"] == 0.5
