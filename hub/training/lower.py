"""What a trainer is given where it knows no missing value.

A sample without a total must not move its group's baseline. A trainer that cannot leave it out gets the mean
of the group's valid totals, which is the one number that leaves the group's mean where it was, and whose own
advantage is 0. Where a trainer also divides by the standard deviation of all n samples, of which k are
valid, the others' advantages grow by sqrt((n - 1) / (k - 1)), all alike.
"""

import logging
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from hub.mix.combine import MixScore
from hub.score import Outcome

LARGEST = 3.4028234e38
"""Trainers compute in float32, where a larger value would become an infinity: such a total is missing."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lowered:
    """One sample as a trainer gets it that knows no missing value.

    Args:
        value: the total, or what stands for it; always finite.
        missing: whether there is no total, so that `value` stands for it.
        scores: each reward's raw score by name, in the mix's order; where the total or the score is missing,
            the mean of those of the group that have both; 0.0 where the reward abstained, and where no other
            of the group has a score.
        failed: names of the rewards that failed on this sample.
    """

    value: float
    missing: bool
    scores: dict[str, float]
    failed: frozenset[str]

    def numbers(self) -> dict[str, float]:
        """Return what is worth logging beside the value; which keys there are depends on the mix alone."""
        flags = {f"hub/failed/{name}": float(name in self.failed) for name in self.scores}
        return {**self.scores, "hub/missing": float(self.missing), **flags}


def lower(results: Sequence[MixScore], groups: Sequence[Hashable]) -> list[Lowered]:
    """Return one finite number per sample; a group without a single total is logged, and gets 0.0.

    Args:
        results: one per sample; all of a group must be here.
        groups: each sample's group.

    Raises:
        ValueError: there are not as many groups as results.
    """
    members: dict[Hashable, list[MixScore]] = {}
    for result, group in zip(results, groups, strict=True):
        members.setdefault(group, []).append(result)
    means = {group: group_means(mine) for group, mine in members.items()}
    empty = sum(not any(map(has_total, mine)) for mine in members.values())
    if empty:
        _log.warning("%d of %d groups have no sample with a total: they teach nothing", empty, len(members))
    return [lower_one(result, *means[group]) for result, group in zip(results, groups, strict=True)]


def has_total(result: MixScore) -> bool:
    """Whether the total is a number that a trainer can compute with."""
    return result.value is not None and abs(result.value) <= LARGEST


def is_whole(result: MixScore) -> bool:
    """Whether it needs no means: there is a total, and a score of every reward that does not abstain."""
    return has_total(result) and all(
        score.outcome is Outcome.ABSTAINED or (score.value is not None and abs(score.value) <= LARGEST)
        for score in result.scores.values()
    )


def group_means(results: Iterable[MixScore]) -> tuple[float, dict[str, float]]:
    """Return what stands for a missing total, and for each reward's missing score, in a group."""
    valid = [result for result in results if has_total(result)]
    total = _mean([result.value for result in valid])
    names = list(valid[0].scores) if valid else []
    return total, {name: _mean([result.scores[name].value for result in valid]) for name in names}


def lower_one(result: MixScore, mean: float, means: dict[str, float]) -> Lowered:
    """Return one sample's numbers.

    Args:
        result: what the mix made of it.
        mean: what stands for a missing total.
        means: what stands for a missing score, by reward; 0.0 for a reward that is not in it.
    """
    valid = has_total(result)
    failed = frozenset(name for name, score in result.scores.items() if score.outcome is Outcome.FAILED)
    scores = {}
    for name, score in result.scores.items():
        if valid and score.outcome is Outcome.ABSTAINED:
            scores[name] = 0.0
        elif valid and score.value is not None and abs(score.value) <= LARGEST:
            scores[name] = score.value
        else:
            scores[name] = means.get(name, 0.0)
    value = result.value if valid and result.value is not None else mean
    return Lowered(value, not valid, scores, failed)


def _mean(values: Iterable[float | None]) -> float:
    present = [value for value in values if value is not None and abs(value) <= LARGEST]
    return fsum(present) / len(present) if present else 0.0
