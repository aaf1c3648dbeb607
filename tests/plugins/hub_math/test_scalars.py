r"""Numbers and expressions: which layer tells that they are the same, and what is never the same."""

import pytest

from hub_math.parse import parse
from hub_math.policy import DEFAULT, Policy
from hub_math.scalars import Undecided, compare_scalars, proportional
from hub_math.tidy import tidy
from hub_math.tree import Node, TooComplex


def read(text: str) -> Node:
    return parse(tidy(text))


@pytest.mark.parametrize(
    ("one", "other", "layer"),
    [
        ("x", "x", "structure"),
        ("0.75", r"\frac{3}{4}", "exact"),
        ("2^{10}", "1024", "exact"),
        ("6+9c", "3(3c+2)", "exact"),
        (r"\frac{x^2-1}{x-1}", "x+1", "exact"),
        ("(x+1)^{100}", "(1+x)^{100}", "exact"),
        ("(a+b+c+d+f)^{60}-(a+b+c+d+f)^{60}+x^2", "x^2", "exact"),
        ("(a+b+c+d+e)^{60}-(a+b+c+d+e)^{60}+x^2", "x^2", "numeric"),
        (r"2\sqrt3", r"\sqrt{12}", "numeric"),
        (r"\frac{1}{\sqrt2}", r"\frac{\sqrt2}{2}", "numeric"),
        (r"\sqrt{1/n}", r"\frac{1}{\sqrt n}", "numeric"),
        (r"\sqrt{2}+\sqrt{3}", r"\sqrt{5+2\sqrt{6}}", "numeric"),
        (r"\sin 2x", r"2\sin x\cos x", "numeric"),
        (r"e^{i\pi}", "-1", "numeric"),
        ("i(2-i)", "1+2i", "numeric"),
        (r"\frac{n(n+1)}{2}", r"\sum_{k=1}^n k", "numeric"),
        (r"\frac{(2n)!}{(n!)^2}", r"\binom{2n}{n}", "numeric"),
        (r"(-1)^n", r"\cos(n\pi)", "numeric"),
        (r"\ln(x^2)", r"2\ln(x)", "numeric"),
        (r"\log_2 3", r"\frac{\ln 3}{\ln 2}", "numeric"),
        (r"\log 100", "2", "numeric"),  # to base 10
        (r"\log e", "1", "numeric"),  # to base e
        (r"\sin \pi", "0", "numeric"),
        (r"90^\circ", r"\frac{\pi}{2}", "numeric"),
        (r"90^\circ", "90", "structure"),
        ("12 m", "12 meters", "structure"),
        ("1011_2", "1011", "number"),
        ("3:4", "6:8", "exact"),
        ("1/3", "0.333333", "exact"),
        ("2/3", "0.666667", "exact"),
        ("2/3", "0.666666", "exact"),
        (r"\pi", "3.14159", "numeric"),
    ],
)
def test_same(one: str, other: str, layer: str) -> None:
    trees = read(one), read(other)
    there, back = (compare_scalars(*pair, DEFAULT) for pair in (trees, trees[::-1]))
    assert there.same
    assert back.same
    assert there.layer == back.layer == layer


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12345", "12346"),
        ("9c+6", "9"),
        ("x^2", "x^3"),
        (r"\sqrt{x^2}", "x"),
        (r"10^{-50}", "0"),
        (r"\frac{1}{15!}", r"\frac{1}{16!}"),
        (r"10^{100}", "10^{100}+1"),
        (r"1-\frac{1}{e}", r"1+\frac{1}{e}"),
        (r"\frac{355}{113}", r"\pi"),
        (r"e^{\pi\sqrt{163}}", "262537412640768744"),  # off by 7.5e-13
        (r"\sqrt{2}+\sqrt{3}", r"\pi"),
        ("1/3", "0.33"),
        ("1/3", "0.333334"),
        (r"\pi", "3.14"),
        (r"\pi", "3.14160"),
        ("0.5", "0.51"),
        ("1011_2", "1011_3"),
        ("1011_2", "11"),
        ("12 m", "12 cm"),
        (r"5\text{ cm}^2", r"5\text{ cm}"),
        ("3:4", "4:3"),
        ("1:2:3", "1:2:4"),
        ("i", "-i"),
        ("f(2)", "f(3)"),
        ("a_n", "a_{n+1}"),
        ("x^{1000000000}", "x^{999999999}"),
        ("1/0", "1"),
    ],
)
def test_different(one: str, other: str) -> None:
    trees = read(one), read(other)
    assert not compare_scalars(*trees, DEFAULT).same
    assert not compare_scalars(*trees[::-1], DEFAULT).same


def test_a_unit_of_one_letter() -> None:
    assert compare_scalars(read(r"12\text{ m}"), read("12"), DEFAULT).same
    assert not compare_scalars(read(r"12\text{ m}"), read(r"12\text{ g}"), DEFAULT).same


@pytest.mark.parametrize(
    ("one", "other", "policy"),
    [
        ("1/3", "0.33", Policy(tolerance=0.02)),
        (r"\pi", "3.14", Policy(tolerance=0.001)),
        ("100", "101", Policy(tolerance=0.01)),
        (r"50\%", "50", DEFAULT),
        (r"50\%", "0.5", Policy(percent="strict")),
        ("5 cm", "5", DEFAULT),
        ("5 cm", "5 centimeters", Policy(units="required")),
    ],
)
def test_same_by_policy(one: str, other: str, policy: Policy) -> None:
    assert compare_scalars(read(one), read(other), policy).same
    assert compare_scalars(read(other), read(one), policy).same


@pytest.mark.parametrize(
    ("one", "other", "policy"),
    [
        ("100", "102", Policy(tolerance=0.01)),
        ("0", "0.001", Policy(tolerance=0.01)),
        (r"50\%", "50", Policy(percent="strict")),
        ("50", "0.5", DEFAULT),
        ("5 cm", "5", Policy(units="required")),
    ],
)
def test_different_by_policy(one: str, other: str, policy: Policy) -> None:
    assert not compare_scalars(read(one), read(other), policy).same
    assert not compare_scalars(read(other), read(one), policy).same


@pytest.mark.parametrize("text", [r"\int x dx", r"\lim_{x \to 0} \frac{\sin x}{x}", r"\ln 0"])
def test_undecided(text: str) -> None:
    with pytest.raises(Undecided):
        compare_scalars(read(text), read("1+x"), DEFAULT)


@pytest.mark.parametrize("text", [r"9^{9^{9^{9}}}", "3000!", r"\pi^{10^{10}}", r"(a+b)^{c^{10^{20}}}"])
def test_too_complex(text: str) -> None:
    with pytest.raises(TooComplex):
        compare_scalars(read(text), read(r"\pi+1"), DEFAULT)


@pytest.mark.parametrize(
    ("one", "other", "sign"),
    [
        ("2x-6", "x-3", 1),
        ("6-2x", "x-3", -1),
        (r"\sqrt2 x", "x", 1),
        ("x-3", "x+3", 0),
        ("x^2", "x", 0),
        (r"\sin x", r"2\sin x", 1),
    ],
)
def test_proportional(one: str, other: str, sign: int) -> None:
    assert proportional(read(one), read(other)) == sign
