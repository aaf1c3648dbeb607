"""Tokens: numbers with their digits, letters as names, functions, words or units."""

import pytest

from hub_math.tokens import LONGEST_NUMBER, MOST_TOKENS, cut
from hub_math.tree import TooComplex, Unreadable


def spell(text: str, grouped: bool = True) -> str:
    return " ".join(f"{token.kind}:{token.value}" for token in cut(text, grouped))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("12.50", "num:12.50"),
        (".5", "num:.5"),
        ("1.5e-3", "num:1.5e-3"),
        ("1,234,567.8", "num:1234567.8"),
        ("1 234", "num:1234"),
        ("1,2345", "num:1 op:, num:2345"),
        ("(1,234)", "op:( num:1 op:, num:234 op:)"),
        (r"0.1\overline{6}", r"num:0.1\overline{6}"),
        ("ab", "sym:a sym:b"),
        ("AB", "sym:AB"),
        ("ei", "const:e const:i"),
        ("pi", "const:pi"),
        (r"\pi", "const:pi"),
        ("sinx", "func:sin sym:x"),
        (r"\sin x", "func:sin sym:x"),
        ("5 cm", "num:5 word:cm"),
        ("5 m", "num:5 word:m"),
        ("5m", "num:5 sym:m"),
        ("apples", "word:apples"),
        (r"5\text{ apples}", "num:5 word:apples"),
        (r"1\text{ or }2", "num:1 op:or num:2"),
        ("1 or 2", "num:1 op:or num:2"),
        (r"5\%", "num:5 op:%"),
        ("5 percent", "num:5 op:%"),
        (r"x\le y", "sym:x op:<= sym:y"),
        ("x<=y", "sym:x op:<= sym:y"),
        ("x**2", "sym:x op:^ num:2"),
        (r"2\cdot3", "num:2 op:* num:3"),
        (r"\alpha", r"sym:\alpha"),
        (r"\frac12", "cmd:frac num:12"),
    ],
)
def test_tokens(text: str, tokens: str) -> None:
    assert spell(text) == tokens


def test_digits_in_groups_are_one_number_only_if_asked() -> None:
    assert spell("1,234", grouped=False) == "num:1 op:, num:234"


def test_spaces_are_remembered() -> None:
    assert [token.spaced for token in cut("a b")] == [False, True]


@pytest.mark.parametrize("text", ["@", "5 #", "1..2", "\x00", "\u4e00", r"\text", "\ud800"])
def test_what_is_not_mathematics(text: str) -> None:
    with pytest.raises(Unreadable):
        cut(text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("x+" * MOST_TOKENS, "tokens"),
        ("(" * (MOST_TOKENS + 1), "tokens"),
        ("9" * (LONGEST_NUMBER + 1), "digits"),
        ("x" * (MOST_TOKENS + 1) + "1", None),
    ],
)
def test_limits(text: str, limit: str | None) -> None:
    if limit is None:
        assert len(cut(text)) <= 2  # one word
        return
    with pytest.raises(TooComplex, match=limit):
        cut(text)
