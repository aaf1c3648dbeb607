"""Weights that change over training steps."""

import itertools
from bisect import bisect_right
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class Schedule:
    """A weight as a function of the training step: linear between points, flat outside them.

    Args:
        points: (step, weight) with rising steps; one point is a constant.

    >>> Schedule(((0, 0.0), (100, 1.0))).at(50)
    0.5
    """

    points: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, value: object) -> "Schedule":
        """Read a number, or a list of [step, weight] points.

        Raises:
            ValueError: it is neither, or the steps do not rise.
        """
        if is_number(value):
            return cls(((0, float(value)),))  # type: ignore[arg-type]
        form = "a number, or a list of [step, weight] points with rising steps"
        if not isinstance(value, list | tuple) or not value:
            raise ValueError(f"should be {form}, not {value!r}")
        for point in value:
            if not isinstance(point, list | tuple) or len(point) != 2 or not all(map(is_number, point)):
                raise ValueError(f"should be {form}, but holds {point!r}")
        points = tuple((float(step), float(weight)) for step, weight in value)
        if any(a[0] >= b[0] for a, b in itertools.pairwise(points)):
            raise ValueError(f"should be {form}, not {value!r}")
        return cls(points)

    @property
    def is_constant(self) -> bool:
        """Whether the weight never changes."""
        return len({weight for _, weight in self.points}) == 1

    def at(self, step: float | None) -> float:
        """Return the weight at a training step; None (outside training) gives the last point's."""
        if step is None or step >= self.points[-1][0]:
            return self.points[-1][1]
        after = bisect_right(self.points, step, key=lambda point: point[0])
        if after == 0:
            return self.points[0][1]
        (s0, w0), (s1, w1) = self.points[after - 1], self.points[after]
        return w0 + (w1 - w0) * (step - s0) / (s1 - s0)


def is_number(value: object) -> bool:
    """Whether it is an int or a float, finite and no bool."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return isfinite(value)
    except OverflowError:
        return False
