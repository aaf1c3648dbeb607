"""A completion as steps, the text that has a mark behind each of them, and one value of theirs."""

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

    def write_steps(self, completion: str) -> tuple[str, list[int]]:
        r"""Return a completion's steps as text, and where in it the mark of each ends.

        An empty completion is one empty step.

        >>> Layout(r"\n+", "<s>", "{step}{mark}").write_steps("One.\n\nTwo.\n")
        ('One.<s>Two.<s>', [7, 14])
        """
        found = [step.strip() for step in re.split(self.separator, completion)]
        steps = [step for step in found if step] or [""]
        text, ends = "", []
        before, _, after = self.write.partition("{mark}")
        for number, step in enumerate(steps, 1):
            text += before.replace("{number}", str(number)).replace("{step}", step) + self.mark
            ends.append(len(text))
            text += after.replace("{number}", str(number))
        return text, ends


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
