"""Benchmarks whose number is not the mean of the totals: two rates, each its own, and a note beside them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import read_run
from hub.evaluation.table import show_results
from hub_results.listing import rows as listed


def rows(split: str) -> Iterator[dict[str, Any]]:
    for number in range(6):
        kind = "odd" if number % 2 else "even"
        yield {"id": str(number), "prompt": f"{number} + {number}", "answer": str(2 * number), "kind": kind}


@hub.reward(needs=["answer"])
def moody(sample: hub.Sample) -> float:
    if sample["answer"] == "10":
        raise RuntimeError("broken")
    return float(sample.text == sample["answer"])


def two(headline: tuple[str, ...] = ("even", "odd")) -> hub.Benchmark:
    rates = [{"use": moody, "name": name, "when": {"kind": name}} for name in ("odd", "even")]
    return hub.Benchmark(
        "two",
        rows,
        {"reward": rates},
        "Two.",
        category="kind",
        headline=headline,
        note="People agree in 9 of 10.",
    )


def test_a_headline_stands_in_place_of_the_total(
    tmp_path: Path, solver: Any, engine: hub.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    result = evaluate(make_plan(two()), solver, tmp_path, engine=engine)
    assert (result["benchmark"]["headline"], result["benchmark"]["note"]) == (["even", "odd"], two().note)
    show_results([(tmp_path, result)])
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:7] for line in shown[1:5]] == [
        ["two", "even", "0.667", "0.208", "to", "0.939", "3"],
        ["odd", "1.000", "0.342", "to", "1.000", "2", "1"],
        ["even", "0.667", "0.208", "to", "0.939", "3", "0"],
        ["odd", "1.000", "0.342", "to", "1.000", "2", "1"],
    ]
    assert ["two:", "People", "agree", "in", "9", "of", "10."] in shown
    assert "score" not in [word for line in shown[1:] for word in line]
    run = read_run(tmp_path)
    assert run.metrics == ("even", "odd")
    assert len(run.scores()) == 6
    assert [(row["metric"], row["score"], row["failed"]) for row in listed(run)] == [
        ("even", 2 / 3, 0),
        ("odd", 1.0, 1),
    ]


def test_another_mix_has_no_headline_and_no_note(tmp_path: Path, solver: Any, engine: hub.Engine) -> None:
    plan = make_plan(two(), mix=hub.Mix({moody: 1.0}))
    result = evaluate(plan, solver, tmp_path, engine=engine)
    assert (result["benchmark"]["headline"], result["benchmark"]["note"]) == ([], "")
    assert [row["metric"] for row in listed(read_run(tmp_path))] == ["score"]


def test_another_mix_with_rewards_of_these_names_has_the_headline(
    tmp_path: Path, solver: Any, engine: hub.Engine
) -> None:
    plan = make_plan(two(), mix=hub.Mix.from_tables(two().rewards))
    result = evaluate(plan, solver, tmp_path, engine=engine)
    assert (result["benchmark"]["headline"], result["benchmark"]["note"]) == (["even", "odd"], "")


def test_a_headline_of_no_reward_is_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match="its headline names 'evn': did you mean 'even'"):
        make_plan(replace(two(), headline=("evn",)))
