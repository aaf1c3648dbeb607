"""Sets of real numbers as intervals."""

import itertools

import pytest

from hub_math.intervals import intervals, same_intervals
from hub_math.parse import parse
from hub_math.tidy import tidy
from hub_math.tree import Node

SAME = [
    (r"(1,2)\cup(2,3)", r"(1,3)\setminus\{2\}"),
    (r"(1,2]\cup(2,3)", "(1,3)"),
    (r"[1,2]\cup[2,3]", "[1,3]"),
    (r"(1,3)\cup(2,5)", "(1,5)"),
    (r"(3,4)\cup(1,2)", r"(1,2)\cup(3,4)"),
    (r"(1,5)\cap(3,7)", "(3,5)"),
    (r"[1,2]\cap[2,3]", r"\{2\}"),
    ("x>3", r"(3,\infty)"),
    ("3<x", "x>3"),
    ("2x+1>7", "x>3"),
    ("-2x>6", "x<-3"),
    (r"1 \le x < 2", "[1,2)"),
    (r"2 > x \ge 1", "[1,2)"),
    ("|x|<2", "(-2,2)"),
    (r"|x|\ge2", r"(-\infty,-2]\cup[2,\infty)"),
    (r"x \ne 1", r"(-\infty,1)\cup(1,\infty)"),
    (r"x \ne 1", r"\mathbb{R}\setminus\{1\}"),
    (r"x<1 \text{ or } x>2", r"(-\infty,1)\cup(2,\infty)"),
    (r"x\in[0.5,\infty)", r"[1/2,\infty)"),
    (r"\{x \mid x>1\}", r"(1,\infty)"),
    (r"\mathbb{R}", r"(-\infty,\infty)"),
    (r"[\sqrt{2},\pi]", r"[2^{1/2},\pi]"),
    (r"\{1\}\cup\{2\}", r"\{1,2\}"),
]

DIFFERENT = [
    "(1,2)",
    "[1,2)",
    "(1,2]",
    "[1,2]",
    r"(1,2)\cup(2,3)",
    "(1,3)",
    r"(1,\infty)",
    "(1,2.000001)",
    r"\{1,2\}",
]


def pieces(text: str) -> list[tuple[object, ...]]:
    found = intervals(parse(tidy(text)))
    assert found is not None, text
    return [tuple(piece) for piece in found]


def same(one: str, other: str) -> bool:
    first, second = intervals(parse(tidy(one))), intervals(parse(tidy(other)))
    assert first is not None
    assert second is not None
    return same_intervals(first, second)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same(one: str, other: str) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    list(itertools.combinations(DIFFERENT, 2)),
)
def test_different(one: str, other: str) -> None:
    assert not same(one, other)


def test_a_point_joins_two_open_ends() -> None:
    assert same(r"(1,2)\cup\{2\}\cup(2,3)", "(1,3)")
    assert pieces(r"(1,2)\cup(2,3)") == [(1, False, 2, False), (2, False, 3, False)]


def test_nothing_is_left() -> None:
    assert pieces(r"(1,2)\cap(3,4)") == []
    assert pieces(r"(1,2)\setminus(0,5)") == []
    assert pieces("|x|<-1") == []


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "x+y>3",
        "x^2>4",
        "x=5",
        "(1,2,3)",
        "(2,1)",
        "(x,y)",
        r"(i,2)",
        "a_n",
        r"\begin{pmatrix}1\\2\end{pmatrix}",
    ],
)
def test_what_is_no_set_of_real_numbers(text: str) -> None:
    assert intervals(parse(tidy(text))) is None


def test_the_number_of_intervals_is_limited() -> None:
    many = Node("union", tuple(parse(f"({2 * n},{2 * n + 1})") for n in range(1000)))
    assert intervals(many) is None
