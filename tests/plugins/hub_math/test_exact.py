"""Exact arithmetic: fractions as far as limits allow, and rational functions in a prime field."""

from fractions import Fraction

import pytest

from hub_math.exact import PRIMES, Undefined, constant, is_rational_function, modulo
from hub_math.parse import parse
from hub_math.tree import TooComplex


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2+3*4-1", Fraction(13)),
        (r"\frac{1}{3}+\frac{1}{6}", Fraction(1, 2)),
        ("0.1+0.2", Fraction(3, 10)),
        (r"0.\overline{9}", Fraction(1)),
        ("2^{-3}", Fraction(1, 8)),
        ("2^{10}", Fraction(1024)),
        ("0^0", Fraction(1)),
        ("(-1)^{1000000001}", Fraction(-1)),
        (r"4^{1/2}", Fraction(2)),
        (r"\sqrt[3]{\frac{8}{27}}", Fraction(2, 3)),
        (r"(-8)^{1/3}", Fraction(-2)),
        (r"\sqrt{10^{40}}", Fraction(10**20)),
        (r"50\%", Fraction(1, 2)),
        ("5!", Fraction(120)),
        (r"\binom{5}{2}", Fraction(10)),
        (r"\binom{2}{5}", Fraction(0)),
        (r"7 \bmod 5", Fraction(2)),
        (r"-7 \bmod 5", Fraction(-2)),  # -(7 mod 5)
        ("|-3|", Fraction(3)),
        (r"\lfloor -2.5 \rfloor", Fraction(-3)),
        (r"\lceil 2.1 \rceil", Fraction(3)),
        (r"\gcd(12,18)", Fraction(6)),
        (r"\max(1,3,2)", Fraction(3)),
        (r"\sqrt{2}", None),
        (r"\sqrt{-4}", None),
        (r"\pi", None),
        ("x", None),
        ("x-x", None),
        (r"\sin 0", None),
        ("(1/2)!", None),
    ],
)
def test_constant(text: str, value: Fraction | None) -> None:
    assert constant(parse(text)) == value


@pytest.mark.parametrize("text", ["1/0", "0^{-1}", r"\frac{1}{2-2}"])
def test_divisions_by_zero(text: str) -> None:
    with pytest.raises(Undefined):
        constant(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "9^{9^{9}}",
        "9^{9^{9^{9}}}",
        "2^{100000}",
        "(2^{1000})^{1000}",
        "2^{-100000}",
        "123456789!",
        r"\binom{10000000}{5000000}",
        r"(1+10^{-9})^{10^{12}}",
    ],
)
def test_what_is_too_large_is_not_begun(text: str) -> None:
    with pytest.raises(TooComplex):
        constant(parse(text))


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (r"\frac{x^2-1}{x-1}", True),
        ("x^{-3}y", True),
        ("x^{1000000000}", True),
        (r"50\%x", True),
        ("x^y", False),
        ("x^{1/2}", False),
        (r"\sqrt{x}", False),
        ("x^{10000000000}", False),
        ("|x|", False),
        (r"\pi x", False),
    ],
)
def test_rational_function(text: str, is_one: bool) -> None:
    assert is_rational_function(parse(text)) is is_one


@pytest.mark.parametrize("prime", PRIMES)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(x+1)^2", "x^2+2x+1"),
        (r"\frac{x^2-1}{x-1}", "x+1"),
        ("x^{-1}", r"\frac{1}{x}"),
        ("(x+y)^{60}-(x+y)^{60}+2", "2"),
        (r"x/2", "0.5x"),
        (r"50\%x", r"\frac{x}{2}"),
    ],
)
def test_equal_functions_are_equal_in_a_prime_field(one: str, other: str, prime: int) -> None:
    at = {"x": 12345678901234567, "y": 987654321}
    assert modulo(parse(one), at, prime) == modulo(parse(other), at, prime)


@pytest.mark.parametrize("prime", PRIMES)
@pytest.mark.parametrize(
    ("one", "other"), [("(x+1)^2", "x^2+1"), ("x^{1000000}", "x^{1000001}"), ("-x", "x")]
)
def test_different_functions_are_not(one: str, other: str, prime: int) -> None:
    assert modulo(parse(one), {"x": 3**40}, prime) != modulo(parse(other), {"x": 3**40}, prime)


def test_a_denominator_that_is_zero_there() -> None:
    with pytest.raises(Undefined):
        modulo(parse(r"\frac{1}{x-5}"), {"x": 5}, PRIMES[0])
