"""A completion as steps, and one value of theirs."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Aggregate: TypeAlias = Literal["min", "mean", "last", "product"]


@dataclass(frozen=True)
class Layout:
    """How steps are found and written.

    Args:
        separator: a regular expression between two steps.
        mark: the text behind each step, at whose last token its value is read.
        write: how a step is written: {step} and {mark}, and {number} from 1.
    """

    separator: str
    mark: str
    write: str

    def write_steps(self, completion: str) -> list[tuple[str, str]]:
        r"""Return what is written of each step before its mark, and what behind it.

        An empty completion is one empty step.

        >>> Layout(r"\n+", "<s>", "{number}. {step}{mark} ").write_steps("One.\n\nTwo.\n")
        [('1. One.', ' '), ('2. Two.', ' ')]
        """
        found = [step.strip() for step in re.split(self.separator, completion)]
        steps = [step for step in found if step] or [""]
        before, _, after = self.write.partition("{mark}")
        numbered = zip(map(str, range(1, len(steps) + 1)), steps, strict=True)
        return [
            (before.replace("{number}", number).replace("{step}", step), after.replace("{number}", number))
            for number, step in numbered
        ]


def aggregate(values: Sequence[float], how: Aggregate) -> float:
    """Return one value of several, at least one.

    >>> [aggregate([0.5, 0.25, 1.0], how) for how in ("min", "mean", "last", "product")]
    [0.25, 0.5833333333333334, 1.0, 0.125]
    """
    if how == "min":
        return min(values)
    if how == "mean":
        return math.fsum(values) / len(values)
    return values[-1] if how == "last" else math.prod(values)
