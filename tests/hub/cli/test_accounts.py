"""How the table of `hub score` writes numbers."""

import pytest

from hub.cli.accounts import _number


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0, "0"), (0.0123456, "0.0123"), (12.34, "12.3"), (999.4, "999"), (999.7, "1000"),
     (2004.2, "2004"), (600_000.0, "600000"), (-1500.0, "-1500")],
)  # fmt: skip
def test_numbers_are_short_and_never_with_an_exponent_of_thousands(value: float | None, text: str) -> None:
    assert _number(value) == text
