r"""Reading references: an answer, whatever it is wrapped in, or an error that names the row's fault."""

from decimal import Decimal
from fractions import Fraction

import numpy
import pytest

from hub_math import BadReference, verify
from hub_math.reference import read_references


@pytest.mark.parametrize(
    ("reference", "answers"),
    [
        ("9c+6", ("9c+6",)),
        ("  $9c+6$ ", ("9c+6",)),
        ("$$x$$", ("x",)),
        (r"\(x\)", ("x",)),
        (r"\[x\]", ("x",)),
        (r"\boxed{9c+6}", ("9c+6",)),
        (r"\boxed{9c+6", ("9c+6",)),
        (r"So we have $\boxed{\frac12}$.", (r"\frac12",)),
        ("2 + 3 = <<2+3=5>>5\n#### 5,000", ("5,000",)),
        ("2 + 3 = 5\nA: 5", ("5",)),
        ("$x$ and $y$", ("$x$ and $y$",)),
        ("1 or 2", ("1 or 2",)),
        (7, ("7",)),
        (7.0, ("7",)),
        (-0.5, ("-0.5",)),
        (1e-7, ("0.0000001",)),
        (1e20, ("1" + "0" * 20,)),
        (10**30, ("1" + "0" * 30,)),
        (Decimal("1.10"), ("1.1",)),
        (Fraction(1, 2), ("1/2",)),
        (["1", 2, ["3"]], ("1", "2", "3")),
        (("7", 8), ("7", "8")),
        (numpy.int64(7), ("7",)),
        (numpy.float32(0.5), ("0.5",)),
        (numpy.array([7, 8]), ("7", "8")),
        (numpy.array(["a", "b"]), ("a", "b")),
    ],
)
def test_reference(reference: object, answers: tuple[str, ...]) -> None:
    assert read_references(reference) == answers


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("$$", "empty"),
        (r"\boxed{}", "empty"),
        ([], "empty list"),
        (["1", ""], "empty"),
        (None, "NoneType"),
        (True, "bool"),
        ({"value": 1}, "dict"),
        (b"1", "bytes"),
        (1 + 2j, "complex"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (Decimal("NaN"), "NaN"),
        pytest.param(1 << 20_000, "digits", id="an int of 6,000 digits"),
    ],
)
def test_bad_reference(reference: object, message: str) -> None:
    with pytest.raises(BadReference, match=message):
        read_references(reference)


@pytest.mark.parametrize("reference", [r"\frac{1}{", "1 + (2", "x^", "@@", r"\begin{pmatrix} 1"])
def test_what_cannot_be_read_is_the_rows_fault(reference: str) -> None:
    with pytest.raises(BadReference):
        verify(reference, "42")


def test_a_reference_past_a_limit_can_be_met_as_text() -> None:
    assert verify(r"10^{10^{10}}", r"\boxed{10^{10^{10}}}").correct
    verdict = verify(r"10^{10^{10}}", r"\boxed{10^{10^{10}}+1}")
    assert (verdict.correct, verdict.reason) == (False, "too_complex")


def test_a_readable_alternative_can_still_be_met() -> None:
    assert verify([r"\frac{1}{", "7"], "7").correct
    with pytest.raises(BadReference):
        verify([r"\frac{1}{", "7"], "8")
