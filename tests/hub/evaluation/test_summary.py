"""The account of scores: parts, and the answers that vote."""

from typing import Any

import pytest

import hub
from hub.evaluation.folder import Key
from hub.evaluation.plan import make_plan
from hub.evaluation.summary import account, make_scores


def scored(value: float, **info: Any) -> dict[str, Any]:
    return {"value": value, "outcome": "scored", "reason": "", "info": info}


FAILED = {"value": None, "outcome": "failed", "reason": "timeout", "info": {"parts": {"a": 1}, "answer": "7"}}


def test_parts_are_a_mean_over_all_parts_and_by_name() -> None:
    scores: dict[Key, Any] = {
        (0, 0): scored(0.0, parts={"a": True, "b": False, "c": False}),
        (1, 0): scored(1.0, parts={"a": True}),
        (2, 0): FAILED,
    }
    parts = account(scores)["parts"]
    assert (parts["mean"], parts["n"], parts["prompts"]) == (0.5, 4, 2)
    assert parts["interval_method"] == "korn-graubard"
    assert {name: (each["mean"], each["n"]) for name, each in parts["by_name"].items()} == {
        "a": (1.0, 2),
        "b": (0.0, 1),
        "c": (0.0, 1),
    }


def test_there_are_no_parts_where_no_reward_has_any() -> None:
    assert account({(0, 0): scored(1.0), (1, 0): FAILED})["parts"] == {}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("7", "7", "8"), {3: 1.0}),
        (("8", "9", "7"), {3: 1 / 3}),
        ((None, "", 7), {}),
    ],
)
def test_answers_vote(answers: tuple[Any, ...], expected: dict[int, float]) -> None:
    scores = {(0, n): scored(float(a == "7"), answer=a) for n, a in enumerate(answers)}
    assert account(scores)["maj_at_k"] == expected


def test_what_failed_has_no_vote() -> None:
    scores = {
        (0, 0): scored(0.0, answer="8"),
        (0, 1): scored(0.0, answer="8"),
        (0, 2): scored(1.0, answer="7"),
    }
    assert account({**scores, (0, 3): FAILED, (0, 4): FAILED})["maj_at_k"] == {3: 0.0}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, (0.5, None)),
        (float("nan"), (None, None)),
        ([1.0, 0.0, float("nan")], (0.5, {"n": 2, "prompts": 2})),
        ([[1.0, 1.0], [0.0]], (2 / 3, {"n": 3, "prompts": 2})),
        ([], (None, {"n": 0, "prompts": 0})),
    ],
)
def test_a_metric_is_a_number_or_the_values_of_a_mean(
    value: Any, expected: tuple[float | None, dict[str, int] | None]
) -> None:
    metric = hub.Benchmark(
        "one",
        lambda split: [{"id": 1, "prompt": "a"}],
        {"length": 1.0},
        "One.",
        metrics=lambda _: {"m": value},
    )
    plan = make_plan(metric)
    score = {"value": 1.0, "outcome": "scored", "reason": ""}
    line = {"completion": "x", "result": {"row": 0, "sample": 0, "total": score, "scores": {"length": score}}}
    scores = make_scores(plan, {(0, 0): line})
    found = scores["metric_estimates"].get("m")
    kept = found and {key: found[key] for key in ("n", "prompts")}
    assert (scores["metrics"]["m"], kept) == expected
