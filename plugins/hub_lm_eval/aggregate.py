"""Means that know what a missing score is, for tasks of lm-eval.

A score that failed is NaN for its document. lm-eval's own `mean` of values with a NaN among them is NaN.
"""

from collections.abc import Iterable, Sequence
from math import isnan, nan


def mean(items: Iterable[float | Sequence[float]]) -> float:
    """Return the mean of what is there, as `hub eval` does; NaN where nothing is.

    In a task's YAML: `aggregation: !function hub_lm_eval.aggregate.mean`.

    Args:
        items: the value of each document, or those of all its completions.

    >>> mean([1.0, float("nan"), 0.0, 1.0])
    0.6666666666666666
    """
    groups = [[item] if isinstance(item, int | float) else list(item) for item in items]
    present = [[value for value in group if not isnan(value)] for group in groups]
    count = sum(map(len, present))
    return sum(map(sum, present)) / count if count else nan
