"""The reward `repetition`."""

from typing import Any

import pytest

import hub
from hub.testing import RewardSuite
from hub_format.repetition import Repetition


class TestRepetition(RewardSuite):
    reward = "repetition"
    gold = [hub.Sample("", "each word of this is another one"), hub.Sample("", "too short")]
    wrong = [hub.Sample("", "again and again and again and again"), hub.Sample("", "no " * 50)]
    full = 0.0
    empty_is_full = True


@pytest.mark.parametrize(
    ("options", "text", "value"),
    [
        ({}, "", 0.0),
        ({}, "a b", 0.0),
        ({}, "a b c", 0.0),
        ({}, "a a a a", -0.5),
        ({"ngram": 1}, "a b A", pytest.approx(-1 / 3)),
        ({"ngram": 2}, "a b a b", pytest.approx(-1 / 3)),
        ({"ngram": 1, "max_penalty": -5.0}, "a a a a a", pytest.approx(-4.0)),
        ({"max_penalty": 0.0}, "a a a a a", 0.0),
        ({"ngram": 100}, "a " * 99, 0.0),
        ({"ngram": 100}, "a " * 101, -0.5),
    ],
)
def test_words(options: dict[str, Any], text: str, value: Any) -> None:
    assert Repetition(**options)(hub.Sample("", text)) == value


@pytest.mark.parametrize(
    ("ngram", "ids", "value"),
    [(2, [1, 2, 3, 4], 0.0), (2, [5, 5, 5, 5, 5], -0.75), (3, [1, 2], 0.0), (3, [], 0.0)],
)
def test_tokens_as_trl_scores_them(ngram: int, ids: list[int], value: float) -> None:
    from trl.rewards.other_rewards import get_repetition_penalty_reward

    sample = hub.Sample("", "", {"completion_ids": ids})
    assert Repetition(ngram=ngram, unit="tokens")(sample) == value
    assert get_repetition_penalty_reward(ngram_size=ngram)(completion_ids=[ids]) == [value]


@pytest.mark.parametrize(
    "options",
    [
        {"ngram": 0},
        {"ngram": 101},
        {"max_penalty": 0.5},
        {"max_penalty": float("nan")},
        {"max_penalty": float("-inf")},
    ],
)
def test_unfit_options(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ngram|max_penalty"):
        Repetition(**options)
