"""Words: which answers are words, and what they are compared by."""

import pytest

from hub_math.words import clock, number_word, words


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Evelyn", "evelyn"),
        (r"\text{Evelyn}", "evelyn"),
        ("ELBOW", "elbow"),
        ("yes", "yes"),
        ("May 5", "may5"),
        ("north-east", "northeast"),
        ("no solution", "emptyset"),
        ("None", "emptyset"),
        ("There are no solutions", "emptyset"),
        ("undefined", "undefined"),
        ("does not exist", "undefined"),
        ("12:30 p.m.", "12:30pm"),
        ("x", None),
        ("ab", None),
        ("ab+c", None),
        ("x<3", None),
        ("sin(x)", None),
        ("5 apples", None),
        ("12:30", None),
        (r"\frac{1}{2}", None),
        ("", None),
        ("a" * 2000, None),
    ],
)
def test_words(text: str, spelled: str | None) -> None:
    assert words(text) == spelled


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("08:30 P.M.", "8:30pm"),
        ("8:30pm", "8:30pm"),
        ("8:30", "8:30"),
        ("00:05", "0:05"),
        ("1:02:03", "1:02:03"),
        ("7:3", None),
        ("3:45:6", None),
        ("123:45", None),
        ("8:30 xm", None),
    ],
)
def test_clock(text: str, time: str | None) -> None:
    assert clock(text) == time


@pytest.mark.parametrize(
    ("name", "value"), [("zero", 0), ("twenty", 20), ("thirteen", 13), ("many", None), ("", None)]
)
def test_number_word(name: str, value: int | None) -> None:
    assert number_word(name) == value
