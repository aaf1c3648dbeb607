"""Which models differ, by tests on the same prompts, and so which ranks each may have.

A model's score is the weighted mean of its values on the board's benchmarks. Two models are compared prompt
by prompt: the difference of each prompt's values, weighted as in the score. The test is that of `hub compare`
(McNemar's for one benchmark with one value of 0 or 1 per prompt, else Fisher's of randomised signs); where
there are too many signs to draw, their sum counts as normal. Where two runs were not asked the same prompts
(imported ones), the test is a z-test of two independent means. All pairs of a board are corrected together
(Holm 1979), so that with 95 % confidence no pair is called different that is not; the ranks that this leaves
to a model are as in Mogstad, Romano, Shaikh and Wilhelm 2024 ("Inference for ranks", Review of Economic
Studies 91).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt

from hub.evaluation.compare import p_value_of
from hub_leaderboard.values import Values

MOST_DRAWN = 50
"""Up to so many prompts that differ, signs are drawn; beyond, their sum is as good as normal."""


@dataclass(frozen=True)
class Part:
    """One benchmark's share in a model's score.

    Args:
        values: the run's.
        by_prompt: what each prompt's value counts for, after `combine` and direction; higher is better.
        mean: the same of the run's mean.
        error: standard error of that; None where it is not known.
        interval: 95 %, of that; None where it is not known.
        weight: of the benchmark; the board's weights sum to 1.
    """

    values: Values
    by_prompt: dict[int, float]
    mean: float
    error: float | None
    interval: tuple[float, float] | None
    weight: float


@dataclass(frozen=True)
class Pair:
    """Two models.

    Args:
        first: index of the better one.
        second: index of the other.
        difference: of their scores, over prompts that both have a value on.
        p_value: two-sided, of this pair alone.
        corrected: by Holm's method, over all pairs of the board.
        test: "McNemar, exact", "sign flips" or "z, unpaired".
    """

    first: int
    second: int
    difference: float
    p_value: float
    corrected: float
    test: str

    @property
    def differs(self) -> bool:
        """Whether the difference is significant at the 5 % level, all pairs of the board considered."""
        return self.corrected < 0.05


def combined_mean(parts: Sequence[Part]) -> float:
    """Return a model's score."""
    return sum(part.weight * part.mean for part in parts)


def combined_interval(parts: Sequence[Part]) -> tuple[float, float] | None:
    """Return the 95 % interval of a score, made of its parts' own; None where one has none.

    The distances of the parts' ends from their means add up as standard errors would (Zou and Donner 2008,
    "Construction of confidence limits about effect measures", Statistics in Medicine 27): so the interval of
    shares stays within 0 and 1, and that of a single benchmark is its own.
    """
    mean, below, above = combined_mean(parts), 0.0, 0.0
    for part in parts:
        if part.interval is None:
            return None
        below += (part.weight * (part.mean - part.interval[0])) ** 2
        above += (part.weight * (part.interval[1] - part.mean)) ** 2
    return mean - sqrt(below), mean + sqrt(above)


def compare_all(models: Sequence[Sequence[Part]]) -> list[Pair]:
    """Compare every two models.

    Args:
        models: the parts of each, of the same benchmarks, best score first.
    """
    found = [
        (i, j, *_test(models[i], models[j])) for i in range(len(models)) for j in range(i + 1, len(models))
    ]
    corrected = holm([p_value for _, _, _, p_value, _ in found])
    return [
        Pair(i, j, difference, p_value, better, test)
        for (i, j, difference, p_value, test), better in zip(found, corrected, strict=True)
    ]


def rank_ranges(count: int, pairs: Sequence[Pair]) -> list[tuple[int, int]]:
    """Return the best and the worst rank that each model may have: what differs from it is before or behind.

    >>> rank_ranges(3, [Pair(0, 1, 0.1, 0.2, 0.4, ""), Pair(0, 2, 0.3, 0.001, 0.003, "")])
    [(1, 2), (1, 3), (2, 3)]
    """
    better, worse = [0] * count, [0] * count
    for pair in pairs:
        if pair.differs:
            up, down = (pair.first, pair.second) if pair.difference > 0 else (pair.second, pair.first)
            better[down] += 1
            worse[up] += 1
    return [(1 + better[model], count - worse[model]) for model in range(count)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected by Holm's method (Holm 1979).

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        highest = max(highest, min(1.0, p_values[at] * (len(p_values) - rank)))
        corrected[at] = highest
    return corrected


def _test(first: Sequence[Part], second: Sequence[Part]) -> tuple[float, float, str]:
    """The difference of two models (first - second), its p-value, and the test."""
    both = [_shared(a, b) for a, b in zip(first, second, strict=True)]
    if not all(both):
        return _unpaired(first, second)
    weighted: list[float] = []
    for a, b, rows in zip(first, second, both, strict=True):
        weighted += [(a.by_prompt[row] - b.by_prompt[row]) * a.weight / len(rows) for row in rows]
    moved = [one for one in weighted if one]
    difference = sum(moved)
    binary = all(part.values.binary for part in (*first, *second))
    if len(first) == 1 and binary and len({abs(one) for one in moved}) < 2:
        return difference, *p_value_of([float((one > 0) - (one < 0)) for one in moved], binary=True)
    if len(moved) <= MOST_DRAWN:
        largest = max(map(abs, moved), default=1.0)
        return difference, *p_value_of([one / largest for one in moved], binary=False)
    return difference, _normal(difference / sqrt(sum(one * one for one in moved))), "sign flips"


def _shared(first: Part, second: Part) -> list[int]:
    """Rows on which both have a value; [] if they were not asked the same there."""
    rows = sorted(first.by_prompt.keys() & second.by_prompt.keys())
    same = all(first.values.prompts[row] == second.values.prompts[row] for row in rows)
    return rows if same else []


def _unpaired(first: Sequence[Part], second: Sequence[Part]) -> tuple[float, float, str]:
    difference = combined_mean(first) - combined_mean(second)
    squares = [(part.weight * (part.error or 0.0)) ** 2 for part in (*first, *second)]
    unknown = any(part.error is None for part in (*first, *second))
    error = sqrt(sum(squares))
    p_value = 1.0 if unknown or not difference else _normal(difference / error) if error else 0.0
    return difference, p_value, "z, unpaired"


def _normal(z: float) -> float:
    return erfc(abs(z) / sqrt(2))
