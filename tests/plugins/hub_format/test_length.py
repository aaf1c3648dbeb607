"""The rewards `length` and `soft-overlong`."""

from typing import Any

import pytest

import hub
from hub.errors import BadInput, MissingColumn
from hub.testing import RewardSuite
from hub_format.length import Length
from hub_format.overlong import SoftOverlong


def tokens(count: int) -> hub.Sample:
    return hub.Sample("", "x" * count, {"completion_ids": list(range(count))})


class TestLengthInWords(RewardSuite):
    reward = "length"
    options = {"min": 2, "max": 3, "unit": "words"}
    gold = [hub.Sample("", "one two"), hub.Sample("", " one\ttwo\nthree ")]
    wrong = [hub.Sample("", "one"), hub.Sample("", "one two three four")]


class TestLengthInTokens(RewardSuite):
    reward = "length"
    options = {"target": 10, "unit": "tokens"}
    gold = [tokens(10)]
    wrong = [tokens(9), tokens(0)]

    def test_an_empty_completion_earns_less(self, subject: Any) -> None:
        """What counts here is the column with the tokens, not the text."""
        assert subject.score([tokens(0)])[0].value == 0.0


class TestSoftOverlong(RewardSuite):
    reward = "soft-overlong"
    options = {"max_tokens": 100, "buffer": 20}
    gold = [tokens(0), tokens(80)]
    wrong = [tokens(81), tokens(100), tokens(101)]
    full = 0.0
    empty_is_full = True


@pytest.mark.parametrize(
    ("options", "text", "value"),
    [
        ({"min": 3}, "ab", 0.0),
        ({"min": 3}, "abc", 1.0),
        ({"max": 3}, "", 1.0),
        ({"max": 3}, "abcd", 0.0),
        ({"min": 1, "max": 1}, "é", 1.0),
        ({"max": 1}, "e\u0301", 0.0),
        ({"target": 4}, "abcd", 1.0),
        ({"target": 4}, "abcde", 0.75),
        ({"target": 4}, "abc", 0.75),
        ({"target": 4}, "a" * 8, 0.0),
        ({"target": 4}, "a" * 100, 0.0),
        ({"target": 4}, "", 0.0),
        ({"max": 0}, "", 1.0),
    ],
)
def test_length(options: dict[str, Any], text: str, value: float) -> None:
    assert Length(**options)(hub.Sample("", text)).value == value


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"target": 0},
        {"target": 1, "min": 1},
        {"target": 1, "max": 1},
        {"min": 2, "max": 1},
        {"min": -1},
        {"max": -1},
    ],
)
def test_unfit_bounds(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"target|min"):
        Length(**options)  # type: ignore[arg-type]


def test_unknown_unit() -> None:
    with pytest.raises(hub.errors.OptionError, match="unit"):
        hub.find_reward("length").bind({"max": 1, "unit": "pages"})


@pytest.mark.parametrize(
    ("length", "value"),
    [(0, 0.0), (80, 0.0), (81, -0.05), (90, -0.5), (100, -1.0), (101, -1.0), (1000, -1.0)],
)
def test_soft_overlong(length: int, value: float) -> None:
    assert SoftOverlong(100, 20)(tokens(length)) == value


@pytest.mark.parametrize(("max_tokens", "buffer"), [(100, 0), (100, 101), (0, 0), (-1, -1)])
def test_unfit_buffer(max_tokens: int, buffer: int) -> None:
    with pytest.raises(ValueError, match="buffer"):
        SoftOverlong(max_tokens, buffer)


def test_tokens_need_their_column() -> None:
    with pytest.raises(MissingColumn, match="completion_ids"):
        Length(max=1, unit="tokens")(hub.Sample("", "a"))


@pytest.mark.parametrize("ids", ["12", 12, None, [1.5], ["1"], {1: 2}])
def test_what_is_no_list_of_tokens(ids: object) -> None:
    with pytest.raises(BadInput, match="token ids"):
        SoftOverlong(100, 20)(hub.Sample("", "", {"completion_ids": ids}))


def test_tokens_in_an_array() -> None:
    import numpy

    sample = hub.Sample("", "", {"completion_ids": numpy.arange(90)})
    assert SoftOverlong(100, 20)(sample) == -0.5
