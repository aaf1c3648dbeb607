"""Rewards in a model's place: on rows that come with completions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, DataError, GeneratorError, OptionError, RewardFailed
from hub.evaluation.compare import compare
from hub.evaluation.folder import open_folder
from hub.evaluation.plan import Plan, make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import read_run
from hub.evaluation.valued import RewardsUnderTest, check_valued, name_mix

ROWS: list[dict[str, Any]] = [
    {"id": "a", "prompt": "p", "completions": ["long", "s"], "chosen": 1, "kind": "x"},
    {"id": "b", "prompt": "p", "completions": ["s", "long"], "chosen": 1, "kind": "x"},
    {"id": "c", "prompt": "p", "completions": ["same", "size"], "chosen": 1, "kind": "y"},
    {"id": "d", "prompt": "p", "completions": ["fail", "s"], "chosen": 1, "kind": "y"},
    {"id": "e", "prompt": [{"role": "user", "content": "p"}],
     "completions": [[{"role": "assistant", "content": "longer"}], "s"], "chosen": 1, "kind": "y"},
]  # fmt: skip


@hub.reward(needs=["chosen"], uses=["values"])
def first_is_best(sample: hub.Sample) -> hub.Score:
    """Whether the first completion has the highest value."""
    values = sample["values"]
    failed = next((one for one in values if one["outcome"] == "failed"), None)
    if failed is not None:
        return hub.Score.failed(failed["reason"])
    return hub.Score(float(values[0]["value"] > values[1]["value"]))


@hub.reward(needs=[])
def size(sample: hub.Sample) -> float:
    """Its length; nothing for "fail"."""
    if sample.text == "fail":
        raise RuntimeError("no size")
    return float(len(sample.text))


@hub.reward(group=True, needs=[])
def rank(samples: list[hub.Sample]) -> list[float]:
    """How many of the group are shorter."""
    return [float(sum(len(other.text) < len(one.text) for other in samples)) for one in samples]


@hub.reward()
def columns(sample: hub.Sample) -> hub.Score:
    """What a reward that declares nothing sees."""
    return hub.Score(float(len(sample.text)), info={"columns": sorted(sample.columns)})


class Weighed:
    """A reward that tells what it depends on."""

    def __init__(self, file: str, scale: float = 1.0) -> None:
        self.scale = scale

    @classmethod
    def provenance(cls, file: str, **_: Any) -> dict[str, str]:
        return {"weights": Path(file).read_text()}

    def __call__(self, sample: hub.Sample) -> float:
        return self.scale * len(sample.text)


def rows(split: str) -> Iterator[dict[str, Any]]:
    yield from ROWS


def plan_for(given: Any = rows) -> Plan:
    rewards = {"reward": [{"use": first_is_best}]}
    return make_plan(hub.Benchmark("pairs", given, rewards, "Pairs.", category="kind"))


def run(mix: hub.Mix, folder: Path, engine: hub.Engine, **keys: Any) -> dict[str, Any]:
    return evaluate(plan_for(), RewardsUnderTest(mix, engine), folder, engine=engine, **keys)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def test_a_run_has_what_every_run_has(engine: hub.Engine, tmp_path: Path) -> None:
    result = run(hub.Mix({size: 1.0}), tmp_path / "run", engine)
    total = result["scores"]["total"]
    assert (total["mean"], total["n"], total["failed"]) == (0.5, 4, 1)
    assert total["failed_by_reason"] == {"exception": 1}
    assert total["mean_if_failed_are_0"] == 0.4
    assert {name: one["n"] for name, one in result["scores"]["categories"].items()} == {"x": 2, "y": 2}
    assert result["model"]["model"] == "size"
    found = {line["id"]: line for line in lines(tmp_path / "run")}
    assert [one["value"] for one in found["a"]["values"]] == [4.0, 1.0]
    assert found["a"]["values"][0]["scores"]["size"]["value"] == 4.0
    assert (found["b"]["completion"], found["b"]["result"]["finish"]) == ("long", "told")
    assert [one["outcome"] for one in found["d"]["values"]] == ["failed", "scored"]
    assert "no size" in found["d"]["values"][0]["detail"]
    assert found["e"]["completion"] == "longer"
    assert not (tmp_path / "run" / "completions.jsonl").exists()


def test_a_reward_that_compares_sees_a_rows_completions_together(engine: hub.Engine, tmp_path: Path) -> None:
    run(hub.Mix({rank: 1.0}), tmp_path / "run", engine)
    found = {line["id"]: [one["value"] for one in line["values"]] for line in lines(tmp_path / "run")}
    assert found == {"a": [1, 0], "b": [0, 1], "c": [0, 0], "d": [1, 0], "e": [1, 0]}


def test_a_reward_does_not_see_which_is_the_better_one(engine: hub.Engine, tmp_path: Path) -> None:
    run(hub.Mix({columns: 1.0}), tmp_path / "run", engine)
    (first, *_) = lines(tmp_path / "run")
    assert [one["scores"]["columns"]["info"]["columns"] for one in first["values"]] == [["kind"], ["kind"]]


def test_what_was_valued_is_not_valued_again(engine: hub.Engine, tmp_path: Path) -> None:
    """A run of which some rows are written goes on with the others."""
    asked: list[str] = []

    @hub.reward(needs=[], lane="inline")
    def counted(sample: hub.Sample) -> float:
        asked.append(sample.text)
        return float(len(sample.text))

    mix, plan = hub.Mix({counted: 1.0}), plan_for()
    under_test = RewardsUnderTest(mix, engine)
    with open_folder(tmp_path / "run", plan.recipe(under_test.describe()), resume=False) as folder:
        for completion in under_test.value(plan.rows[:2]):
            folder.add_completion((completion.index, 0), completion)
    assert len(asked) == 4
    result = evaluate(plan, under_test, tmp_path / "run", engine=engine, resume=True)
    assert result["time"]["resumed_at"] == 0
    assert sorted(asked) == sorted(
        text if isinstance(text, str) else "longer" for row in ROWS for text in row["completions"]
    )
    whole = run(hub.Mix({columns: 1.0}), tmp_path / "whole", engine)
    assert result["scores"]["total"]["mean"] == whole["scores"]["total"]["mean"]


def test_a_failure_stops_the_run_where_the_mix_says_so(engine: hub.Engine, tmp_path: Path) -> None:
    with pytest.raises(RewardFailed, match="no size"):
        run(hub.Mix({size: 1.0}, on_failure="raise"), tmp_path / "run", engine)


def test_two_rewards_are_compared_pair_by_pair(engine: hub.Engine, tmp_path: Path) -> None:
    for name, weight in (("up", 1.0), ("down", -1.0)):
        run(hub.Mix({size: weight}), tmp_path / name, engine)
    found = compare(read_run(tmp_path / "up"), read_run(tmp_path / "down"))
    assert (found.prompts, found.first, found.second, found.left_out) == (4, 0.5, 0.25, 1)
    assert found.test == "McNemar, exact"
    assert [read_run(tmp_path / name).model for name in ("up", "down")] == ["size", "-1 size"]


def test_what_a_reward_depends_on_is_part_of_the_recipe(engine: hub.Engine, tmp_path: Path) -> None:
    file = tmp_path / "weights"
    found = []
    for text in ("one", "two"):
        file.write_text(text)
        mix = hub.Mix({Weighed: {"weight": 2.0, "with": {"file": str(file), "scale": 0.5}}})
        found.append(RewardsUnderTest(mix, engine).describe())
    assert [one["rewards"]["rewards"][0]["provenance"] for one in found] == [
        {"weights": "one"},
        {"weights": "two"},
    ]
    assert name_mix(mix) == f"2 Weighed(file={file}, scale=0.5)"


def test_a_model_and_rewards_are_not_confused(engine: hub.Engine, solver: Any, tmp_path: Path) -> None:
    plan = plan_for()
    with pytest.raises(GeneratorError, match="give rewards with --reward in place of a model"):
        evaluate(plan, solver, tmp_path / "model", engine=engine)
    with pytest.raises(GeneratorError, match="rewards complete no prompts"):
        next(iter(RewardsUnderTest(hub.Mix({size: 1.0}), engine).generate(["p"], hub.Decoding())))
    with pytest.raises(ConfigError, match="benchmark 'sums' has no completions that rewards could value"):
        check_valued(hub.Mix({size: 1.0}), "sums", [{"id": 1, "prompt": "p"}])
    with pytest.raises(ConfigError, match=r"the rewards cannot be evaluated on benchmark 'pairs'.*answer"):
        check_valued(hub.Mix({"math": 1.0}), "pairs", plan.rows)
    with pytest.raises(OptionError, match="samples nothing"):
        make_plan(
            hub.Benchmark("pairs", rows, {"reward": [{"use": first_is_best}]}, ""),
            samples_per_prompt=2,
            decoding={"temperature": 1.0},
        )


BAD: list[tuple[dict[str, Any], str]] = [
    ({"completions": "text"}, "has completions that are no list: 'text'"),
    ({"completions": []}, r"has completions that are no list: \[\]"),
    ({"completions": ["a", 7]}, "has completions that are no text or messages: the completion is int"),
    ({"completions": ["a"], "continuations": ["b"]}, "has completions and continuations: give one of the two"),
    ({}, "has completions where row 1 has not, or the other way round"),
    ({"completions": ["a"], "values": []}, "has a column 'values', which results need"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "message"), BAD, ids=lambda value: str(value)[:40])
def test_rows_that_cannot_be(row: dict[str, Any], message: str) -> None:
    def given(split: str) -> list[dict[str, Any]]:
        return [ROWS[0], {"id": "z", "prompt": "p", "chosen": 1, **row}]

    with pytest.raises(DataError, match=f"row 2 {message}"):
        plan_for(given)
