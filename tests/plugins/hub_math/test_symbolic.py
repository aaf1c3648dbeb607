r"""The last layer: sympy, with what it may do counted."""

import subprocess
import sys

import pytest

from hub_math.parse import parse
from hub_math.symbolic import compare_symbolic


def decide(one: str, other: str) -> bool | None:
    found = compare_symbolic(parse(one), parse(other))
    assert found is None or found.layer == "symbolic"
    return None if found is None else found.same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (r"\int_0^1 x dx", r"\frac12", True),
        (r"\int_0^1 x dx", r"\frac13", False),
        (r"\int_0^1 \frac{1}{1+x^2} dx", r"\frac{\pi}{4}", True),
        (r"\lim_{x\to0} \frac{\sin x}{x}", "1", True),
        (r"\lim_{x\to0} \frac{\sin x}{x}", "0", False),
        (r"\lim_{n\to\infty} (1+\frac1n)^n", "e", True),
        (r"\int_0^a x dx", r"\frac{a^2}{2}", True),
    ],
)
def test_decided(one: str, other: str, same: bool) -> None:
    assert decide(one, other) is same
    assert decide(other, one) is same


def test_the_first_time_is_as_any_other() -> None:
    code = (
        "from hub_math import verify\n"
        "ask = lambda space: verify(r'\\int_0^\\infty e^{-x} dx' + space, r'\\boxed{1}').correct\n"
        "first = ask('')\n"
        "verify(r'\\int_0^1 x dx', r'\\boxed{\\frac12}')\n"
        "print(first, ask('+0'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, later = done.stdout.split()
    assert first == later


@pytest.mark.parametrize(
    "text",
    [
        r"\int x dx",
        r"\int_0^1 f(x) dx",
        r"\begin{pmatrix}1\\2\end{pmatrix}",
        r"\int_0^1 \sin(\cos(\tan(x))) e^{x^2} dx",
        r"\int_0^1\int_0^1\int_0^1 \sin(x^2) dx",
    ],
)
def test_not_decided(text: str) -> None:
    assert decide(text, "7") is None


def test_what_traces_calls_is_put_back() -> None:
    seen: list[str] = []

    def watch(_frame: object, event: str, _argument: object) -> None:
        seen.append(event)

    sys.setprofile(watch)
    try:
        decide(r"\int_0^1 x dx", "1")
        assert sys.getprofile() is watch
    finally:
        sys.setprofile(None)
