"""Units: the same, different, or not known."""

import pytest

from hub_math.units import same_unit


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("cm", "centimeters", True),
        ("m", "metres", True),
        ("in", "inches", True),
        ("ft", "feet", True),
        ("hr", "hours", True),
        ("mi/h", "miles per hour", True),
        ("cm2", "square centimeters", True),
        ("cubic feet", "ft3", True),
        ("$", "dollars", None),
        ("cm", "m", False),
        ("cm", "cm2", False),
        ("cm2", "cm3", False),
        ("hours", "minutes", False),
        ("m/s", "m", False),
        ("km/h", "mi/h", False),
        ("cents", "dollars", False),
        ("cm", None, None),
        (None, None, None),
        ("apples", "oranges", None),
        ("apples", "cm", None),
    ],
)
def test_same_unit(one: str | None, other: str | None, same: bool | None) -> None:
    assert same_unit(one, other) is same
    assert same_unit(other, one) is same
