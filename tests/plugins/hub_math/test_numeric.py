r"""Values to many digits: principal values, real odd roots, and limits before anything is computed."""

from fractions import Fraction

import pytest

from hub_math.exact import Undefined
from hub_math.numeric import MOST_STEPS, Evaluator, Undecidable, points
from hub_math.parse import parse
from hub_math.tree import TooComplex


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"\pi", 3.141592653589793),
        ("e^2", 7.38905609893065),
        (r"\sqrt{2}", 1.4142135623730951),
        (r"\sqrt[3]{-8}", -2.0),
        ("(-8)^{2/3}", 4.0),
        (r"\sqrt{-4}", 2j),
        ("i^2", -1.0),
        (r"e^{i\pi/2}", 1j),
        (r"\sin\frac{\pi}{6}", 0.5),
        (r"\arctan 1", 0.7853981633974483),
        (r"\log_2 8", 3.0),
        (r"\ln e", 1.0),
        (r"\tan 45^\circ", 1.0),
        ("(1/2)!", 0.886226925452758),
        (r"\sum_{k=1}^{100} k", 5050.0),
        (r"\prod_{k=1}^{5} k", 120.0),
        (r"\sum_{k=5}^{1} k", 0.0),
        (r"\det\begin{pmatrix}1&2\\3&4\end{pmatrix}", -2.0),
        (r"|3+4i|", 5.0),
        (r"\lfloor \pi \rfloor", 3.0),
        (r"\lfloor \sqrt{2}^2 \rfloor", 2.0),
        (r"5.5 \bmod 2", 1.5),
        (r"50\%", 0.5),
    ],
)
def test_value(text: str, value: complex) -> None:
    assert complex(Evaluator({}).value(parse(text))) == pytest.approx(value, rel=1e-14, abs=1e-40)


@pytest.mark.parametrize(("base", "value"), [(10, 2.0), (None, 4.605170185988092)])
def test_the_base_of_a_log_without_one_is_a_choice(base: int | None, value: float) -> None:
    assert float(Evaluator({}, logarithm=base).value(parse(r"\log 100"))) == pytest.approx(value, rel=1e-14)


def test_sixty_digits_are_kept() -> None:
    evaluator = Evaluator({})
    off = evaluator.value(parse(r"(10^{25}+\sqrt{2})-10^{25}-\sqrt{2}"))
    assert abs(off) < 1e-30
    assert evaluator.value(parse(r"\frac{1}{\pi^{60}}")) > 0


def test_values_of_variables_are_used_and_a_sum_shadows_its_own() -> None:
    at = {"k": Fraction(7), "n": Fraction(3)}
    assert float(Evaluator(at).value(parse(r"\sum_{k=1}^{n} k"))) == 6
    assert float(Evaluator(at).value(parse(r"k+\sum_{k=1}^{n} k+k"))) == 20


def test_a_named_function_depends_on_its_name_and_argument_alone() -> None:
    f2, same, f3, g2 = (Evaluator({}).value(parse(text)) for text in ("f(2)", "f(1+1)", "f(3)", "g(2)"))
    assert f2 == same
    assert len({f2, f3, g2}) == 3


@pytest.mark.parametrize(
    "text", [r"\ln 0", r"\frac{1}{\pi-\pi}", "0^{-1}", "(-3)!", r"5 \bmod 0", r"\log_1 5"]
)
def test_undefined(text: str) -> None:
    with pytest.raises(Undefined):
        Evaluator({}).value(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "x",
        r"\infty",
        r"\int x dx",
        r"\begin{pmatrix}1\\2\end{pmatrix}",
        r"\lfloor i \rfloor",
        "(2i)!",
        r"\sum_{k=1}^{1.5} k",
    ],
)
def test_undecidable(text: str) -> None:
    with pytest.raises(Undecidable):
        Evaluator({}).value(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        r"e^{e^{e^{e^{e}}}}",
        r"\pi^{10^{10}}",
        r"e^{100!}",
        r"\sum_{n=1}^{10000000} \frac{1}{n}",
        r"\sum_{k=1}^{2000}\sum_{n=1}^{2000} kn",
        r"(10^{50})!",
        r"\sin(10^{40})",
        r"\cosh(10^{20})",
        r"\Gamma(10^{20})",
        r"(\pi \cdot 10^{90}) \bmod 7",
    ],
)
def test_what_is_too_large_is_not_begun(text: str) -> None:
    with pytest.raises(TooComplex):
        Evaluator({}).value(parse(text))


def test_steps_are_counted() -> None:
    evaluator = Evaluator({})
    evaluator.value(parse(r"\sum_{k=1}^{100} k^2"))
    assert 100 < evaluator.steps <= MOST_STEPS


def test_points_depend_on_the_names_alone_and_differ() -> None:
    one, again, other = points(parse("x+y")), points(parse("2yx")), points(parse("x+z"))
    assert one == again
    assert [point["x"] for point in one] == [point["x"] for point in other]
    assert len({point["x"] for point in one}) == len(one)
    assert all(value > 0 for point in one[:4] for value in point.values())
    assert any(value < 0 for point in points(*map(parse, "abcdef")) for value in point.values())


@pytest.mark.parametrize(
    "text", ["n!", r"\binom{n}{2}", r"\sum_{k=1}^{n} k", "(-1)^n", "a_{n}", r"n \bmod 3"]
)
def test_points_are_integers_where_only_these_make_sense(text: str) -> None:
    assert all(point["n"].denominator == 1 and point["n"] > 0 for point in points(parse(text)))
