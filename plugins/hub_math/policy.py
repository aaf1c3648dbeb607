"""What a verdict depends on beside the two answers: the choices that a user can make."""

from dataclasses import dataclass
from typing import Literal

Source = Literal["auto", "boxed", "final-line", "tag"]


@dataclass(frozen=True)
class Policy:
    r"""Choices about what counts as the same answer; docs/math.md has the table of all decisions.

    Args:
        source: where the answer of a completion is taken from: "auto" (a box, a `####` line, what follows
            "the answer is", else the last formula or number), "boxed", "final-line" (the last line that is
            not empty), or "tag" (inside `<answer>…</answer>`).
        ordered: whether lists without brackets and sets must have the reference's order.
        tolerance: relative difference at which two numbers are the same, besides the digits that a decimal
            shows; 0.01 is one percent.
        percent: whether `50\%` and `50` are the same ("either"), or only `50\%` and `0.5` ("strict").
        units: whether a unit that only one side has is looked over ("optional"), or must be there
            ("required"). Two different known units are never the same.
        several: whether a completion may offer several answers, of which any may match.
    """

    source: Source = "auto"
    ordered: bool = False
    tolerance: float = 0.0
    percent: Literal["either", "strict"] = "either"
    units: Literal["optional", "required"] = "optional"
    several: bool = False


DEFAULT = Policy()
