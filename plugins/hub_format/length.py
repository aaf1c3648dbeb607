"""The reward `length`: the completion is as long as wanted."""

import hub
from hub_format.measure import Unit, units


class Length:
    """1.0 where the completion is as long as wanted; with a target, less the further it is from that.

    With `min` and `max`: 1.0 within them (both included), else 0.0, with the reason `too_short` or
    `too_long`. With `target`: `1 - |length - target| / target`, at least 0, so 0.0 for an empty completion
    and from twice the target on. That is the length term of LCPO-Exact (L1, arXiv 2503.04697, equation
    1), which is `-alpha * |target - length|` there, scaled to the target and bounded.

    Args:
        target: wanted length, at least 1; not together with `min` or `max`.
        min: shortest that counts; None: no bound.
        max: longest that counts; None: no bound.
        unit: "characters" (code points), "words" (between white space) or "tokens" (needs the column
            `completion_ids`, the completion's token ids).

    Raises:
        ValueError: neither a target nor a bound is given, or they contradict each other.

    >>> Length(max=3, unit="words")(hub.Sample("", "one two three four")).reason
    'too_long'
    >>> Length(target=4, unit="words")(hub.Sample("", "one two three")).value
    0.75
    """

    def __init__(
        self,
        target: int | None = None,
        min: int | None = None,
        max: int | None = None,
        unit: Unit = "characters",
    ) -> None:
        if target is None and min is None and max is None:
            raise ValueError("give a target, or min, max or both")
        if target is not None and (min is not None or max is not None):
            raise ValueError("give either a target, or min and max, not both")
        if target is not None and target < 1:
            raise ValueError(f"target is at least 1, not {target}")
        if (min or 0) < 0 or (max is not None and max < (min or 0)):
            raise ValueError(f"min and max should be 0 <= min <= max, not {min} and {max}")
        self.target, self.min, self.max, self.unit = target, min or 0, max, unit

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion; the cost is linear in its length."""
        length = len(units(sample, self.unit))
        if self.target is not None:
            off = abs(length - self.target) / self.target
            return hub.Score(max(0.0, 1.0 - off))
        if length < self.min:
            return hub.Score(0.0, "too_short", f"{length} {self.unit}, at least {self.min} wanted")
        if self.max is not None and length > self.max:
            return hub.Score(0.0, "too_long", f"{length} {self.unit}, at most {self.max} wanted")
        return hub.Score(1.0)
