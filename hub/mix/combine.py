"""From the scores of each reward to one total per sample."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any

from hub.mix.config import Aggregate, OnFailure
from hub.sample import Sample
from hub.score import Failure, Outcome, Score

EPSILON = 1e-4
"""Added to a group's standard deviation, as TRL does (trl 1.16.0, grpo_trainer.py)."""
_SIMPLE = {0.0: Score(0.0), 1.0: Score(1.0)}


@dataclass(frozen=True, slots=True)
class MixScore:
    """What a mix makes of one sample.

    Args:
        total: the weighted sum; abstained where every reward abstained; failed where one that
            applies failed and the mix masks failures.
        scores: each reward's raw score, by name, in the mix's order. Every sample has every name.
        weighted: each reward's part in the total; None where it has no value.
    """

    total: Score
    scores: Mapping[str, Score]
    weighted: Mapping[str, float | None]

    @property
    def value(self) -> float | None:
        """The total's value; None unless scored."""
        return self.total.value


@dataclass(frozen=True)
class ScoredBatch:
    """What the hook `hub_scored` is told: a batch that a mix has scored.

    Args:
        samples: in their order.
        results: one per sample.
        step: the training step; None outside training.
    """

    samples: Sequence[Sample]
    results: Sequence[MixScore]
    step: int | None


def combine(
    scores: Mapping[str, Sequence[Score]],
    weights: Mapping[str, float],
    groups: Sequence[Hashable],
    on_failure: OnFailure,
    aggregate: Aggregate,
) -> list[MixScore]:
    """Make one total per sample.

    Args:
        scores: each reward's scores, one per sample.
        weights: each reward's weight at this step.
        groups: each sample's group, for "normalize_then_sum".
        on_failure: "raise" is treated as "mask" here.
        aggregate: "normalize_then_sum" takes from each value its group's mean and divides by the
            group's standard deviation (n - 1) plus 1e-4 before weighting: GDPO (arXiv 2601.05242,
            equation 4) without its last step over the batch, which is the trainer's. Masked samples
            do not count in their group.
    """
    names = list(scores)
    masked = [False] * len(groups)
    values: dict[str, list[float | None]] = {
        name: [s.value for s in column] for name, column in scores.items()
    }
    whole = not any(None in column for column in values.values())
    if on_failure != "drop" and not whole:
        for name, column in scores.items():
            if None in values[name]:
                masked = [m or s.outcome is Outcome.FAILED for m, s in zip(masked, column, strict=True)]
    if aggregate == "normalize_then_sum":
        values = {name: _normalized(column, groups, masked) for name, column in values.items()}
    weighted = [
        [None if value is None else weights[name] * value for value in values[name]] for name in names
    ]
    if whole and (results := _all_combined(names, list(scores.values()), weighted)) is not None:
        return results
    rows = zip(zip(*scores.values(), strict=True), zip(*weighted, strict=True), masked, strict=True)
    return [_combined(names, mine, parts, is_masked) for mine, parts, is_masked in rows]


def _all_combined(
    names: Sequence[str], scores: Sequence[Sequence[Score]], weighted: Sequence[Sequence[Any]]
) -> list[MixScore] | None:
    """The usual case, and fast: every reward has a value for every sample. None: a total is not finite."""
    values = list(map(sum, zip(*weighted, strict=True)))
    if not all(map(isfinite, values)):
        return None
    known = dict(_SIMPLE)
    totals = [known.get(value) or known.setdefault(value, Score(value)) for value in values]
    if len(names) == 1:
        (name,), (mine,), (parts,) = names, scores, weighted
        rows = zip(totals, mine, parts, strict=True)
        return [_quick(total, {name: score}, {name: part}) for total, score, part in rows]
    mine_of, parts_of = zip(*scores, strict=True), zip(*weighted, strict=True)
    return [
        _quick(total, dict(zip(names, mine, strict=True)), dict(zip(names, parts, strict=True)))
        for total, mine, parts in zip(totals, mine_of, parts_of, strict=True)
    ]


@dataclass(slots=True)
class _Open:
    """A result that is still being made: the same slots, which are set without a call for each."""

    total: Score
    scores: Mapping[str, Score]
    weighted: Mapping[str, float | None]


def _quick(total: Score, scores: Mapping[str, Score], weighted: Mapping[str, float | None]) -> MixScore:
    """`MixScore(...)` in less than half the time."""
    made: Any = _Open(total, scores, weighted)
    made.__class__ = MixScore
    return made  # type: ignore[no-any-return]


def _combined(
    names: Sequence[str], scores: Sequence[Score], parts: Sequence[float | None], masked: bool
) -> MixScore:
    mine = dict(zip(names, scores, strict=True))
    total = _total(mine, parts, masked)
    if total.value is None:  # otherwise the sum is finite, so every part of it is
        parts = [None if part is None or not isfinite(part) else part for part in parts]
    return MixScore(total, mine, dict(zip(names, parts, strict=True)))


def _total(scores: Mapping[str, Score], parts: Sequence[float | None], masked: bool) -> Score:
    present = [part for part in parts if part is not None]
    if masked or len(present) < len(parts):
        failed = [(name, score) for name, score in scores.items() if score.outcome is Outcome.FAILED]
        if masked or (failed and not present):
            name, score = failed[0]
            return Score.failed(Failure(score.reason), f"{name}: {score.detail}")
        if not present:
            return Score.abstained("no reward applies")
    total = sum(present)
    if not isfinite(total):
        return Score.failed(Failure.BAD_VALUE, "the weighted values are too large to be added")
    return Score(total)


def _normalized(
    column: Sequence[float | None], groups: Sequence[Hashable], masked: Sequence[bool]
) -> list[float | None]:
    members: dict[Hashable, list[int]] = {}
    for index, value in enumerate(column):
        if value is not None and not masked[index]:
            members.setdefault(groups[index], []).append(index)
    normalized: list[float | None] = [None] * len(column)
    for indices in members.values():
        values = [column[index] or 0.0 for index in indices]
        mean = sum(values) / len(values)
        variance = (
            sum((v - mean) * (v - mean) for v in values) / (len(values) - 1) if len(values) > 1 else 0.0
        )
        for index, value in zip(indices, values, strict=True):
            normalized[index] = (value - mean) / (sqrt(variance) + EPSILON)  # NaN where they overflow
    return normalized
