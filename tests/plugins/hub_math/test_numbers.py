r"""The reward `numeric`: how close a number has to be."""

import pytest

import hub
from hub.errors import OptionError
from hub.testing import RewardSuite
from hub_math.numbers import Numeric


def said(reference: object, text: str) -> hub.Sample:
    return hub.Sample("", text, {"answer": reference})


class TestNumeric(RewardSuite):
    reward = "numeric"
    options = {"relative": 0.01}
    gold = [
        said(3.14159, "The value is 3.14"),
        said("#### 1,234", r"\boxed{1234}"),
        said(r"\frac{3}{4}", "0.75"),
        said(r"2\pi", r"\boxed{6.28}"),
        said([5, 7], "7"),
        said(10, r"\boxed{x = 10 \text{ cm}}"),
    ]
    wrong = [
        said(3.14159, "3.2"),
        said(5, r"\boxed{5} or \boxed{6}"),
        said(5, r"\boxed{5 = 6}"),
        said(5, "about five or so"),
        said(0, "0.001"),
        said(5, "-5"),
        said(5, r"\boxed{9^{9^{9^{9}}}}"),
    ]


@pytest.mark.parametrize(
    ("reference", "answer", "relative", "absolute", "close"),
    [
        (100, "100.00009", 1e-6, 0, True),
        (100, "100.0002", 1e-6, 0, False),
        (100, "101", 0.01, 0, True),
        (100, "99", 0.01, 0, True),
        (100, "101.01", 0.01, 0, False),  # a part of the reference, not of the answer
        (-100, "-101", 0.01, 0, True),
        (0, "0", 0, 0, True),
        (0, "0.1", 0.5, 0, False),
        (0, "0.1", 0, 0.1, True),
        (0.1, "0.1", 0, 0, True),
        (1e-30, "2e-30", 1e-6, 0, False),
        (10**30, str(10**30 + 1), 0, 0, False),
        (r"\sqrt{2}", "1.414213562373", 1e-9, 0, True),
        (r"50\%", "50", 0, 0, True),
        (r"90^\circ", "90", 0, 0, True),
        ("5 km", "5 miles", 0, 0, True),
    ],
)
def test_close(reference: object, answer: str, relative: float, absolute: float, close: bool) -> None:
    assert Numeric(relative, absolute)(said(reference, rf"\boxed{{{answer}}}")).value == float(close)


def test_prose_around_a_number() -> None:
    assert Numeric(relative=0.01)(said(3.14159, "It is about 3.14.")).value == 1.0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("6", "different"),
        ("x", "no_answer"),
        ("5, 6", "no_answer"),
        ("5i", "no_answer"),
        (r"\frac{1}{0}", "no_answer"),
        (r"\infty", "no_answer"),
        ("", "no_answer"),
        ("1e9999", "different"),
        ("2000!", "different"),
        ("e^{10^7}", "different"),
        (r"\prod_{k=1}^{2000} k^{2000}", "different"),
        ("123456789!", "too_complex"),
        (r"\sin" * 300 + "1", "too_complex"),
    ],
)
def test_reasons(answer: str, reason: str) -> None:
    score = Numeric()(said(5, rf"\boxed{{{answer}}}"))
    assert (score.value, score.reason) == (0.0, reason)


@pytest.mark.parametrize(
    "reference", ["", "x", "1, 2", None, [], "no solution", float("nan"), "9^{9^9}", ["5", "x"], "2i"]
)
def test_bad_reference(reference: object) -> None:
    score = Numeric()(said(reference, "5"))
    assert (score.value, score.reason) == (None, "bad_reference")


@pytest.mark.parametrize("value", [-1, -1e-9, float("inf"), float("nan")])
def test_tolerances_out_of_range(value: float) -> None:
    with pytest.raises(OptionError, match="relative"):
        Numeric(relative=value)
    with pytest.raises(OptionError, match="absolute"):
        Numeric(absolute=value)
