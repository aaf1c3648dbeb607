"""The benchmark `preferences`, on GPT-4's verdicts over real answers, and on rows made for the hard cases."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

import hub
from hub.errors import ConfigError, DataError
from hub.evaluation.plan import find_benchmark, make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.statistics import wilson
from hub.evaluation.turns import refuse_turns
from hub.evaluation.valued import RewardsUnderTest
from hub_benchmarks.length_bias import measure
from hub_benchmarks.preferences import rows
from hub_benchmarks.prefers import prefers
from hub_benchmarks.sections import MATH_ROWS, SECTIONS, section_scores
from hub_benchmarks.ties import ties_scores


@hub.reward(needs=[])
def characters(sample: hub.Sample) -> float:
    """How long the completion is."""
    return float(len(sample.text))


def write(folder: Path, *lines: Mapping[str, Any]) -> str:
    file = folder / "pairs.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(file)


def of_alpaca_eval(shared_data: Path) -> list[dict[str, Any]]:
    """Alpaca-7b's and GPT-4 Turbo's answers with what GPT-4 preferred, as RewardBench writes pairs."""
    file = shared_data / "benchmarks" / "alpaca_eval" / "annotations.alpaca-7b.json"
    found = []
    for number, row in enumerate(json.loads(file.read_text(encoding="utf-8"))):
        second = row["preference"] > 1.5
        texts = [row["output_2"], row["output_1"]] if second else [row["output_1"], row["output_2"]]
        pair = {"chosen": texts[0], "rejected": texts[1], "subset": row["dataset"], "id": number}
        found.append({"prompt": row["instruction"], **pair})
    return found


def test_length_alone_on_real_preferences(shared_data: Path, tmp_path: Path) -> None:
    """A reward that counts characters: accuracy, intervals and bias are what a plain count gives."""
    pairs = of_alpaca_eval(shared_data)
    plan = make_plan("preferences", options={"path": write(tmp_path, *pairs)})
    with hub.Engine(2) as engine:
        under_test = RewardsUnderTest(hub.Mix({characters: 1.0}), engine)
        result = evaluate(plan, under_test, tmp_path / "run", engine=engine)
    gaps = [len(pair["chosen"]) - len(pair["rejected"]) for pair in pairs]
    right, ties = sum(gap > 0 for gap in gaps), gaps.count(0)
    total, metrics = result["scores"]["total"], result["scores"]["metrics"]
    assert len(pairs) == total["n"] == 805
    assert total["mean"] == pytest.approx((right + ties / 2) / 805)
    assert (total["failed"], ties > 0) == (0, True)
    assert metrics["ties"] == pytest.approx(ties / 805)
    assert (metrics["chosen longer"], metrics["chosen shorter"]) == (1.0, 0.0)
    assert metrics["longer is chosen"] == pytest.approx(right / (805 - ties))
    assert (metrics["longer is worth more"], metrics["length correlation"]) == (1.0, pytest.approx(1.0))
    vicuna = result["scores"]["categories"]["vicuna"]
    mine = [gap for gap, pair in zip(gaps, pairs, strict=True) if pair["subset"] == "vicuna"]
    assert 0 not in mine
    assert vicuna["mean"] == sum(gap > 0 for gap in mine) / len(mine)
    assert vicuna["interval_method"] == "wilson"
    assert vicuna["interval_95"] == pytest.approx(list(wilson(vicuna["mean"], len(mine))))
    assert result["model"]["model"] == "characters"


TURN = {"role": "user", "content": "2+2?"}
FORMATS: list[tuple[str, dict[str, Any], Any, list[Any], int]] = [
    ("text", {"prompt": "2+2?", "chosen": "4", "rejected": "5"}, "2+2?", ["4", "5"], 1),
    ("an empty answer", {"prompt": "2+2?", "chosen": "4", "rejected": ""}, "2+2?", ["4", ""], 1),
    ("RewardBench 2", {"prompt": "2+2?", "chosen": ["4", "four"], "rejected": ["5", "6", "7"]}, "2+2?",
     ["4", "four", "5", "6", "7"], 2),
    ("messages as the prompt", {"prompt": [TURN], "chosen": "4", "rejected": "5"}, [TURN], ["4", "5"], 1),
    ("whole conversations", {"chosen": [TURN, {"role": "assistant", "content": "4"}],
                             "rejected": [TURN, {"role": "assistant", "content": "5"}]},
     [TURN], [[{"role": "assistant", "content": "4"}], [{"role": "assistant", "content": "5"}]], 1),
    ("conversations beside their prompt", {"prompt": "2+2?", "chosen": [TURN, {"role": "assistant", "content": "4"}],
                                           "rejected": [TURN, {"role": "assistant", "content": "5"}]},
     [TURN], [[{"role": "assistant", "content": "4"}], [{"role": "assistant", "content": "5"}]], 1),
    ("answers as messages", {"prompt": "2+2?", "chosen": [{"role": "assistant", "content": "4"}],
                             "rejected": [{"role": "assistant", "content": "5"}]},
     "2+2?", [[{"role": "assistant", "content": "4"}], [{"role": "assistant", "content": "5"}]], 1),
    ("the same conversation twice", {"chosen": [TURN, {"role": "assistant", "content": "4"}],
                                     "rejected": [TURN, {"role": "assistant", "content": "4"}]},
     [TURN], [[{"role": "assistant", "content": "4"}]] * 2, 1),
    ("another name for the prompt", {"question": "2+2?", "chosen": "4", "rejected": "5"}, "2+2?", ["4", "5"], 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "prompt", "completions", "chosen"),
    [case[1:] for case in FORMATS],
    ids=[case[0] for case in FORMATS],
)
def test_formats(
    row: dict[str, Any], prompt: Any, completions: list[Any], chosen: int, tmp_path: Path
) -> None:
    (found,) = rows("test", path=write(tmp_path, row))
    assert found == {"id": 1, "prompt": prompt, "completions": completions, "chosen": chosen, "subset": "all"}


def test_parquet_is_read_as_rewardbench_publishes_it(tmp_path: Path) -> None:
    table = {"prompt": ["p", "q"], "chosen": [["a"], ["b"]], "rejected": [["c", "d"], ["e"]], "id": ["1", "2"],
             "subset": ["Ties", "Math"]}  # fmt: skip
    pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / "test.parquet")
    found = list(rows("test", path=str(tmp_path / "test.parquet")))
    assert [(row["id"], row["completions"], row["chosen"], row["subset"]) for row in found] == [
        ("1", ["a", "c", "d"], 1, "Ties"),
        ("2", ["b", "e"], 1, "Math"),
    ]


def test_data_in_hub_data_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "preferences").mkdir()
    pair = {"prompt": "p", "chosen": "a", "rejected": "b", "id": 3}
    (tmp_path / "preferences" / "preferences.jsonl").write_text(json.dumps(pair))
    monkeypatch.setenv("HUB_DATA", str(tmp_path))
    assert [row["id"] for row in make_plan("preferences").rows] == [3]


def test_ids_that_are_not_unique_get_their_subset(tmp_path: Path) -> None:
    pair = {"prompt": "p", "chosen": "a", "rejected": "b"}
    lines = [
        {**pair, "id": 1, "subset": "x"},
        {**pair, "id": 1, "subset": "y"},
        {**pair, "id": 1, "subset": "y"},
    ]
    assert [row["id"] for row in rows("test", path=write(tmp_path, *lines))] == ["x/1", "y/1", "y/1#2"]


BAD: list[tuple[dict[str, Any], str]] = [
    (
        {"prompt": "p", "chosen": "a"},
        "row 2 has no 'rejected' that is text, a list of texts, or messages: None",
    ),
    ({"prompt": "p", "chosen": 7, "rejected": "b"}, "row 2 has no 'chosen' that is text"),
    ({"prompt": "p", "chosen": [], "rejected": ["b"]}, "row 2 has no 'chosen' that is text"),
    ({"prompt": "p", "chosen": "a", "rejected": ["b"]}, "chosen and rejected are both text, both lists"),
    ({"chosen": "a", "rejected": "b"}, "row 2 has no prompt (it has: chosen, rejected)"),
]


@pytest.mark.parametrize(("row", "message"), BAD, ids=lambda value: str(value)[:40])
def test_what_is_no_preference_is_refused(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    good = {"prompt": "p", "chosen": "a", "rejected": "b"}
    with pytest.raises(DataError) as caught:
        make_plan("preferences", options={"path": write(tmp_path, good, row)})
    assert message in str(caught.value)


def test_missing_data_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_DATA", raising=False)
    with pytest.raises(DataError, match=r"--benchmark-option preferences.path=FILE"):
        make_plan("preferences")


def scored(*values: float | None) -> list[dict[str, Any]]:
    return [{"value": v, "outcome": "abstained" if v is None else "scored", "reason": ""} for v in values]


VERDICTS: list[tuple[str, int, list[dict[str, Any]], float | None, str]] = [
    ("better", 1, scored(0.2, 0.1), 1.0, ""),
    ("worse", 1, scored(0.1, 0.2), 0.0, ""),
    ("a tie", 1, scored(0.1, 0.1), 0.5, "tie"),
    ("better than all but one", 1, scored(0.5, 0.1, 0.6, 0.2), 0.0, ""),
    ("one of the better ones is worse", 2, scored(0.9, 0.1, 0.3), 0.0, ""),
    ("all better ones are better", 2, scored(0.9, 0.4, 0.3), 1.0, ""),
    ("one has no value", 1, scored(0.5, None), None, "no_value"),
    (
        "one failed",
        1,
        [*scored(0.5), {"value": None, "outcome": "failed", "reason": "timeout"}],
        None,
        "timeout",
    ),
    ("nothing is worse", 2, scored(0.5, 0.4), None, "bad_reference"),
]


@pytest.mark.parametrize(
    ("chosen", "values", "value", "reason"),
    [case[1:] for case in VERDICTS],
    ids=[case[0] for case in VERDICTS],
)
def test_verdicts(chosen: int, values: list[dict[str, Any]], value: float | None, reason: str) -> None:
    found = prefers(hub.Sample("", "", {"chosen": chosen, "values": values}))
    assert (found.value, found.reason) == (value, reason)


def line(verdict: float, worths: list[float], texts: list[str], subset: str = "all") -> dict[str, Any]:
    return {
        "chosen": 1,
        "completions": texts,
        "subset": subset,
        "id": "",
        "values": [{"value": worth, "scores": {}} for worth in worths],
        "result": {"scores": {"prefers": {"value": verdict}}},
    }


def test_length_bias_counts_each_case() -> None:
    lines = [
        line(1.0, [2, 1], ["long text", "short"]),
        line(0.0, [1, 2], ["short", "long text"]),
        line(1.0, [2, 1], ["short", "long text"]),
        line(0.5, [1, 1], ["long text", "short"]),
        line(1.0, [2, 1], ["alike", "equal"]),
    ]
    found = measure(lines)
    assert found["ties"] == [0, 0, 0, 1, 0]
    assert found["chosen longer"] == [1.0, 0.5]
    assert found["chosen shorter"] == [0.0, 1.0]
    assert found["longer is chosen"] == [1, 0, 0, 1]
    assert found["longer is worth more"] == [1, 1, 0, 0.5]
    assert found["length correlation"] == pytest.approx(1 / 4)
    flipped = [{**lines[0], "values": lines[0]["values"][::-1], "completions": lines[0]["completions"][::-1]}]
    assert measure(flipped)["length correlation"] == measure(lines[:1])["length correlation"] == 1.0
    assert "truncated" not in found
    cut = {"value": 1.0, "scores": {"reward-model": {"info": {"cut": 3}}}}
    assert measure([lines[0], {**lines[1], "values": [cut, cut]}])["truncated"] == [0.0, 1.0]
    assert measure([]) == {}


def test_sections_weigh_mathematics_as_rewardbench_does() -> None:
    subsets = [name for names in SECTIONS.values() for name in names]
    assert len(subsets) == len(set(subsets)) == 23
    lines = [line(float(name != "hep-cpp"), [1, 0], ["a", "b"], name) for name in subsets]
    found = section_scores(lines)
    assert found["Reasoning"] == pytest.approx((MATH_ROWS + 5) / (MATH_ROWS + 6))
    assert found["sections"] == pytest.approx((3 + found["Reasoning"]) / 4)
    assert set(section_scores(lines[:1])) == {"Chat"}
    assert section_scores([line(1.0, [1, 0], ["a", "b"])]) == {}


TIES = [
    # Right answers apart by 0.5, from wrong ones by 1.0; the reference's single one by 0.25: wider, not harder.
    ("tied:0", 2, [2.0, 1.5, 0.5, 0.0]),
    ("ref:0", 1, [1.0, 0.75, 0.5]),
    # A wrong answer is worth more than a right one.
    ("tied:1", 3, [2.0, 1.0, 3.0, 1.5]),
    ("ref:1", 1, [4.0, 0.0]),
    # Right answers all alike, which is as it should be.
    ("tied:2", 2, [1.0, 1.0, 0.0]),
    ("ref:2", 1, [1.0, 0.5]),
    # Its partner is missing (it failed, say): it counts in the accuracy only.
    ("tied:3", 2, [1.0, 0.9, 0.0]),
]


def test_ties_are_weighted_as_rewardbench_2_does() -> None:
    """The function was compared with RewardBench's own (05a9005) on 200 random sets: the same to 1e-12."""
    lines = [
        {**line(1.0, values, [""] * len(values), "Ties"), "id": name, "chosen": chosen}
        for name, chosen, values in TIES
    ]
    margin = (math.tanh(0.25 / 0.5 - 1) + math.tanh(-0.5 / 2 - 1) + 1.0) / 3
    expected = 0.3 * (3 / 4 + 3 / 3) + 0.2 * 2 / 3 + 0.2 * 1 / 3 + 0.01 * margin
    assert ties_scores(lines) == {"Ties, weighted": pytest.approx(expected)}
    others = [
        {**line(0.0, [0, 1], ["a", "b"], name), "id": name} for name in ("Factuality", "Precise IF", "Math")
    ]
    others += [{**line(1.0, [1, 0], ["a", "b"], name), "id": name} for name in ("Safety", "Focus")]
    assert ties_scores([*lines, *others])["subsets"] == pytest.approx((2 + expected) / 6)
    assert measure([*lines, *others])["subsets"] == pytest.approx((2 + expected) / 6)
    assert ties_scores(others) == ties_scores(lines[:1]) == {}


def test_it_cannot_be_trained_on_and_other_runners_refuse_it(tmp_path: Path) -> None:
    assert find_benchmark("preferences").splits == ("test",)
    plan = make_plan(
        "preferences", options={"path": write(tmp_path, {"prompt": "p", "chosen": "a", "rejected": "b"})}
    )
    with pytest.raises(ConfigError, match="has completions for rewards to value, which lm-eval cannot do"):
        refuse_turns(plan.rows, "preferences", "lm-eval")
