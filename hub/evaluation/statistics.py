"""Means with their uncertainty, and pass@k.

Values come grouped by prompt: several completions of one prompt are not independent, and an interval that
takes them for independent is too narrow. Standard library only; no global random state is touched.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, isclose, sqrt

from hub.evaluation.quantiles import clopper_pearson, t_quantile

Z_95 = 1.959963984540054
RESAMPLES = 1000


@dataclass(frozen=True)
class Estimate:
    """A mean and how sure it is.

    Args:
        n: values.
        prompts: prompts that they belong to.
        mean: None where there is no value.
        standard_error: of the mean, clustered by prompt; None with fewer than two prompts.
        low: lower end of the 95 % interval; None where there is none.
        high: upper end.
        method: "wilson", "korn-graubard", "bootstrap" (over prompts) or "" where there is no interval: with
            one prompt, or where values other than 0 and 1 do not vary, which says nothing about how far they
            could.
    """

    n: int
    prompts: int
    mean: float | None = None
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""


def estimate(groups: Sequence[Sequence[float]]) -> Estimate:
    """Estimate the mean over all values.

    Values of 0 and 1 get Wilson's interval where there is one per prompt, or all are equal, and else Korn's
    and Graubard's, on as many independent values as they are worth (`effective_n`). Anything else gets a
    bootstrap over prompts.

    Args:
        groups: the values of each prompt; one without values does not count.

    >>> found = estimate([[1.0]] * 3 + [[0.0]] * 7)
    >>> found.mean, round(found.low, 3), round(found.high, 3), found.method
    (0.3, 0.108, 0.603, 'wilson')
    """
    used = [group for group in groups if group]
    n = sum(map(len, used))
    if not n:
        return Estimate(0, 0)
    mean = sum(map(sum, used)) / n
    error = clustered_error(used, mean)
    binary = all(value in (0.0, 1.0) for group in used for value in group)
    if binary and (len(used) > 1 or n == 1):
        single = n == len(used) or not 0.0 < mean < 1.0
        low, high = wilson(mean, effective_n(used)) if single else korn_graubard(used)
        return Estimate(n, len(used), mean, error, low, high, "wilson" if single else "korn-graubard")
    if len(used) < 2:
        return Estimate(n, len(used), mean)
    low, high = bootstrap(used)
    if isclose(low, high, rel_tol=1e-9, abs_tol=1e-12):
        return Estimate(n, len(used), mean, error)
    return Estimate(n, len(used), mean, error, low, high, "bootstrap")


def clustered_error(groups: Sequence[Sequence[float]], mean: float) -> float | None:
    """Return the standard error of the mean with values clustered by prompt; None for one prompt.

    With one value per prompt it is the usual standard deviation (n - 1) over the root of n.
    """
    clusters, n = len(groups), sum(map(len, groups))
    if clusters < 2:
        return None
    squares = sum((sum(group) - mean * len(group)) ** 2 for group in groups)
    return sqrt(squares * clusters / (clusters - 1)) / n


def effective_n(groups: Sequence[Sequence[float]]) -> float:
    """Return how many independent values of 0 and 1 tell as much as these, which are clustered by prompt.

    It is their number over the design effect (Kish 1965): the variance of a proportion over the clustered
    variance of the mean. At most it is the number of values; at least what they are worth where those of a
    prompt are copies, which is the number of prompts where each has as many values. That least is taken where
    all values are equal: nothing tells then how alike those of a prompt are.

    Args:
        groups: the values of each prompt, at least one each.

    >>> effective_n([[1.0], [0.0], [0.0]]), effective_n([[0.0] * 4] * 3), effective_n([[1.0, 0.0]] * 3)
    (3.0, 3.0, 6.0)
    """
    n = sum(map(len, groups))
    mean = sum(map(sum, groups)) / n
    least = n * n / sum(len(group) ** 2 for group in groups)
    if not 0.0 < mean < 1.0:
        return least
    error = clustered_error(groups, mean)
    return min(float(n), max(least, mean * (1 - mean) / error**2)) if error else float(n)


def wilson(mean: float, n: float) -> tuple[float, float]:
    """Return Wilson's 95 % score interval of a proportion (Wilson 1927).

    >>> tuple(round(end, 3) for end in wilson(0.0, 20))
    (0.0, 0.161)
    """
    square = Z_95 * Z_95
    middle = (mean + square / (2 * n)) / (1 + square / n)
    half = Z_95 * sqrt(mean * (1 - mean) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, min(mean, middle - half)), min(1.0, max(mean, middle + half))


def korn_graubard(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the 95 % interval of a proportion whose values are clustered by prompt.

    Clopper's and Pearson's interval on the effective number of values, less what is lost by estimating that
    number from few prompts: times the square of t's quantile for all values over that for the prompts (Korn
    and Graubard 1998, Survey Methodology 24, 193-201). As in `effective_n`, it is no less than for copies.

    Args:
        groups: the values of each of at least two prompts, not all equal.

    >>> tuple(round(end, 3) for end in korn_graubard([[1.0, 0.0, 0.0, 0.0]] * 2 + [[0.0] * 4] * 8))
    (0.004, 0.19)
    """
    n = sum(map(len, groups))
    lost = t_quantile(n - 1) / t_quantile(len(groups) - 1)
    least = n * n / sum(len(group) ** 2 for group in groups)
    return clopper_pearson(sum(map(sum, groups)) / n, max(least, effective_n(groups) * lost**2))


def bootstrap(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean over 1,000 draws of prompts; always the same one."""
    totals = [(sum(group), len(group)) for group in groups]
    draws = random.Random(0)
    means = []
    for _ in range(RESAMPLES):
        drawn = draws.choices(totals, k=len(totals))
        means.append(sum(total for total, _ in drawn) / sum(count for _, count in drawn))
    means.sort()
    return means[round(0.025 * (RESAMPLES - 1))], means[round(0.975 * (RESAMPLES - 1))]


def pass_at_k(groups: Sequence[Sequence[float]]) -> dict[int, float]:
    """Return the unbiased pass@k (Chen et al. 2021, arXiv 2107.03374, equation 1).

    For k = 1, 2, 4, 8, ... and for 10 and 100, which papers report.

    Args:
        groups: the values of each prompt, each 0 or 1; one without values does not count. There is no k that
            some other prompt has too few values for: without those that failed it would be too high.

    >>> pass_at_k([[1.0, 0.0], [0.0, 0.0]])
    {1: 0.25, 2: 0.5}
    """
    used = [group for group in groups if group]
    fewest = min(map(len, used), default=0)
    wanted = {10, 100} | {2**power for power in range(fewest.bit_length())}
    return {
        k: sum(_any_of(len(group), round(sum(group)), k) for group in used) / len(used)
        for k in sorted(wanted)
        if k <= fewest
    }


def _any_of(n: int, correct: int, k: int) -> float:
    """Chance that k of n completions, drawn without replacement, hold a correct one."""
    return 1.0 - comb(n - correct, k) / comb(n, k)
