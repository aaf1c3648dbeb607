"""What a sandbox takes and gives back: limits, comparison of output, programs."""

from dataclasses import FrozenInstanceError

import pytest

import hub
from hub.errors import OptionError, UnknownName
from hub.sandbox import Case, Limits, Program, same_output


@pytest.mark.parametrize("name", ["wall_s", "memory_mb", "output_bytes"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), float("-inf")])
def test_a_limit_is_positive_and_finite(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is .*greater than 0"):
        Limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("wall_s", 1e12, "at most 1,000,000"),
        ("memory_mb", 10**12, "at most 16,777,216"),
        ("memory_mb", 0.5, "whole number"),
        ("memory_mb", 256.0, "whole number"),
        ("output_bytes", 1e6, "whole number"),
        ("output_bytes", 1 << 33, "at most"),
    ],
)
def test_a_limit_that_no_program_can_have(name: str, value: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("printed", "expected", "lines", "tokens", "exact"),
    [
        (b"1\n", "1\n", True, True, True),
        (b"1", "1\n", True, True, False),
        (b"1 \t\n2\n\n\n", "1\n2", True, True, False),
        (b"1\r\n2\r\n", "1\n2\n", True, True, False),
        (b"1\n2", "1 2", False, True, False),
        (b"\n1", "1", False, True, False),
        (b" 1", "1", False, True, False),
        (b"1\n\n2", "1\n2", False, True, False),
        (b"12", "1 2", False, False, False),
        (b"1\n2\n3", "1\n2", False, False, False),
        (b"1", "1\n2", False, False, False),
        (b"YES", "yes", False, False, False),
        (b"1.0", "1", False, False, False),
        (b"", "", True, True, True),
        (b"\n \n", "", True, True, False),
        (b"", "0", False, False, False),
        (b"1\xff", "1", False, False, False),
        (b"\xed\xa0\x80", "\ud800", False, False, False),
        ("ż🐢".encode(), "ż🐢", True, True, True),
        ("\uff11".encode(), "1", False, False, False),
        (b"1\x00", "1", False, False, False),
        (b"wrong\r1", "1", False, False, False),
        (b"\x1b[2K1", "1", False, False, False),
        (b"\xef\xbb\xbf1", "1", False, False, False),
    ],
)
def test_output_is_compared_in_full(
    printed: bytes, expected: str, lines: bool, tokens: bool, exact: bool
) -> None:
    found = tuple(same_output(printed, expected, how) for how in ("lines", "tokens", "exact"))
    assert found == (lines, tokens, exact)


def test_an_unknown_comparison_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'words'.*tokens"):
        Program("x", compare="words")  # type: ignore[arg-type]


def test_programs_and_cases_are_values() -> None:
    assert Program("x") == Program("x", language="python", stdin="", expected_stdout=None, in_process=False)
    assert Case((1,), 2) == Case(args=(1,), expected=2, kwargs={})
    with pytest.raises(FrozenInstanceError):
        Program("x").source = "y"  # type: ignore[misc]


def test_an_unknown_sandbox_or_option_is_named() -> None:
    with pytest.raises(UnknownName, match="did you mean 'local'"):
        hub.open_sandbox("locl")
    with pytest.raises(OptionError, match="slotz"):
        hub.open_sandbox("local", slotz=1)
