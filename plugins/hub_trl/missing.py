"""What stands for a missing value where TRL has no notion of one (see `hub.training.lower`)."""

from collections.abc import Hashable, Sequence
from math import fsum


def fill(
    values: Sequence[float | None],
    has_total: Sequence[bool],
    groups: Sequence[Hashable],
    zero_is_none: bool,
) -> list[float | None]:
    """Return one function's values, with the mean of its group for a sample that has no total.

    Done for every function of a mix, the sum for that sample is the mean of the group's totals, so the
    group's baseline stays where it was. A group without a single total gets 0.

    Args:
        values: one per sample.
        has_total: whether the sample has one.
        groups: each sample's group.
        zero_is_none: whether None counts as 0 in the mean, as it does in a sum.
    """
    valid: dict[Hashable, list[float]] = {group: [] for group in groups}
    for value, here, group in zip(values, has_total, groups, strict=True):
        if here and (value is not None or zero_is_none):
            valid[group].append(value or 0.0)
    means = {group: fsum(mine) / len(mine) if mine else 0.0 for group, mine in valid.items()}
    return [
        value if here else means[group] for value, here, group in zip(values, has_total, groups, strict=True)
    ]
