"""What a trainer that knows no missing value is given: never None, never a number that moves a baseline."""

import logging
import math
from typing import Any

import pytest

import hub
from hub.mix.combine import combine
from hub.training.lower import LARGEST

A, F = hub.Score.abstained(), hub.Score.failed("exception", "broke")
V = hub.Score


def results(on_failure: Any = "mask", /, **scores: list[hub.Score]) -> list[hub.MixScore]:
    groups = [None] * len(next(iter(scores.values())))
    return combine(scores, dict.fromkeys(scores, 1.0), groups, on_failure, "sum")


def test_a_missing_total_is_the_mean_of_its_own_group() -> None:
    found = hub.lower(results(x=[V(1.0), F, V(3.0), V(10.0), F, V(20.0)]), ["a", "a", "a", "b", "b", "b"])
    assert [one.value for one in found] == [1.0, 2.0, 3.0, 10.0, 15.0, 20.0]
    assert [one.missing for one in found] == [False, True, False, False, True, False]
    assert [sorted(one.failed) for one in found] == [[], ["x"], [], [], ["x"], []]


@pytest.mark.parametrize("group_of", [lambda i: i % 2, lambda i: (i // 4,), lambda i: "one"])
def test_valid_totals_are_never_changed_and_no_group_mean_moves(group_of: Any) -> None:
    scores = [V(i * 0.1) if i % 3 else F for i in range(16)]
    groups = [group_of(i) for i in range(16)]
    found = hub.lower(results(x=scores), groups)
    for group in set(groups):
        mine = [i for i in range(16) if groups[i] == group]
        valid = [scores[i].value or 0.0 for i in mine if scores[i].value is not None]
        assert [found[i].value for i in mine if scores[i].value is not None] == valid
        mean = sum(found[i].value for i in mine) / len(mine)
        assert math.isclose(mean, sum(valid) / len(valid), rel_tol=1e-15)


def test_a_group_without_a_total_gets_zero_and_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = hub.lower(results(x=[F, F, V(1.0), V(0.0)], y=[V(5.0)] * 4), ["a", "a", "b", "b"])
    assert [(one.value, one.scores) for one in found[:2]] == [(0.0, {"x": 0.0, "y": 0.0})] * 2
    assert [one.value for one in found[2:]] == [6.0, 5.0]
    assert "1 of 2 groups have no sample with a total" in caplog.text


@pytest.mark.parametrize(
    ("name", "on_failure", "x", "y", "expected"),
    [
        ("a reward that abstains has 0", "mask", [V(1.0), V(3.0)], [A, V(2.0)], [(1.0, 0.0), (3.0, 2.0)]),
        ("no reward applies: no total", "mask", [A, V(3.0)], [A, V(2.0)], [(3.0, 2.0), (3.0, 2.0)]),
        ("masked: nothing of it counts", "mask", [F, V(3.0)], [V(9.0), V(2.0)], [(3.0, 2.0), (3.0, 2.0)]),
        ("dropped: only that reward", "drop", [F, V(3.0)], [V(9.0), V(2.0)], [(3.0, 9.0), (3.0, 2.0)]),
        ("the mean skips who abstains", "mask", [V(1.0), F], [A, V(2.0)], [(1.0, 0.0), (1.0, 0.0)]),
    ],
)
def test_scores(name: str, on_failure: str, x: Any, y: Any, expected: Any) -> None:
    found = hub.lower(results(on_failure, x=x, y=y), ["g", "g"])
    assert [tuple(one.scores.values()) for one in found] == expected, name


@pytest.mark.parametrize("value", [1e39, -1e39, 3.5e38])
def test_what_float32_cannot_hold_is_missing(value: float) -> None:
    assert abs(value) > LARGEST
    found = hub.lower(results(x=[V(value), V(1.0)]), ["g", "g"])
    assert [(one.value, one.missing) for one in found] == [(1.0, True), (1.0, False)]
    assert found[0].scores == {"x": 1.0}


def test_numbers_have_the_same_keys_whatever_happened() -> None:
    found = hub.lower(results(x=[V(1.0), F, A], y=[F, A, V(1.0)]), [1, 1, 2])
    keys = [list(one.numbers()) for one in found]
    assert keys == [["x", "y", "hub/missing", "hub/failed/x", "hub/failed/y"]] * 3
    assert all(type(v) is float and math.isfinite(v) for one in found for v in one.numbers().values())


def test_groups_and_results_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        hub.lower(results(x=[V(1.0)]), [])
