"""Whether two runs of one benchmark differ: a paired test over prompts, and what it could have seen.

Both runs answered the same prompts, so the differences by prompt are what varies; two separate intervals
that overlap say little. Completions of one prompt, and turns of a conversation, are averaged first, as they
are not independent.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb, sqrt

from hub.errors import ConfigError
from hub.evaluation.checked import checked_scores
from hub.evaluation.recipe import differences
from hub.evaluation.statistics import Z_95, bootstrap
from hub.evaluation.stored import TOTAL, StoredRun

Z_80 = 0.8416212335729143
"""Of 80 % power."""
DRAWS = 9_999
EXACT = 13
"""Up to so many prompts that differ, every flip of signs is tried."""
SAME = ("benchmark", "mix", "samples_per_prompt")
"""Parts of a recipe that must be the same for two runs to be compared."""


@dataclass(frozen=True)
class Flip:
    """A prompt on which two runs differ.

    Args:
        row: its index.
        id: its name in the data.
        first: the first run's mean value on it.
        second: the second run's.
    """

    row: int
    id: str
    first: float
    second: float


@dataclass(frozen=True)
class Comparison:
    """Two runs on one metric.

    Args:
        metric: "score" or a reward's name.
        prompts: those on which both have a value; of benchmarks that ask in turns, conversations.
        left_out: completions that are in neither mean, as one of the two has no value for that prompt: it
            failed, or no reward applies.
        first: the first run's mean over these prompts; None where there is none.
        second: the second run's.
        difference: second - first.
        interval: 95 %, of the difference: bootstrap over prompts; None with fewer than two prompts.
        p_value: two-sided; None where no prompt has a value in both.
        test: "McNemar, exact" for one value of 0 or 1 per prompt, else "sign flips".
        detectable: the smallest true difference that this comparison finds in 80 % of cases at the 5 %
            level; None with fewer than two prompts, or where nothing varies.
        flips: prompts on which they differ, the largest differences first.
    """

    metric: str
    prompts: int
    left_out: int
    first: float | None
    second: float | None
    difference: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    test: str
    detectable: float | None
    flips: tuple[Flip, ...]

    @property
    def differs(self) -> bool:
        """Whether the difference is significant at the 5 % level."""
        return self.p_value is not None and self.p_value < 0.05


def check_comparable(first: StoredRun, second: StoredRun) -> None:
    """Raise unless two runs differ in nothing but the model and how it was asked.

    Raises:
        ConfigError: they are of other data, another mix or another number of completions.
    """
    for part in SAME:
        found = list(differences(first.recipe[part], second.recipe[part], part, " and "))
        if found:
            more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
            raise ConfigError(
                f"{first.path} and {second.path} cannot be compared: they differ in "
                f"{'; '.join(found[:3])}{more}"
            )


def compare(first: StoredRun, second: StoredRun, metric: str = TOTAL) -> Comparison:
    """Compare two runs of the same benchmark.

    Args:
        first: what the other is compared with.
        second: the other.
        metric: "score", or a reward's name.

    Raises:
        ConfigError: they cannot be compared, or have no such metric.
        DataError: the samples cannot be read, are not all there, or say something else than the result.
    """
    check_comparable(first, second)
    ours, theirs = _by_prompt(first, metric), _by_prompt(second, metric)
    both = [row for row in sorted(ours) if ours[row] and theirs.get(row)]
    used = set(both)
    counts = [sum(max(1, len(v)) for row, v in run.items() if row not in used) for run in (ours, theirs)]
    means = _by_conversation([(row, _mean(ours[row]), _mean(theirs[row])) for row in both], first)
    pairs = [b - a for _, a, b in means]
    if not pairs:
        return Comparison(metric, 0, max(counts), None, None, None, None, None, "", None, ())
    ids = {row: str(first.samples[(row, 0)].get("id", row)) for row in both if (row, 0) in first.samples}
    flips = [Flip(row, ids.get(row, str(row)), a, b) for row, a, b in means if a != b]
    flips.sort(key=lambda flip: (-abs(flip.second - flip.first), flip.row))
    single = len(means) == len(both) and all(len(run[row]) == 1 for run in (ours, theirs) for row in both)
    binary = single and all(value in (0.0, 1.0) for _, a, b in means for value in (a, b))
    p_value, test = p_value_of(pairs, binary=binary)
    error = _standard_error(pairs)
    return Comparison(
        metric,
        len(pairs),
        max(counts),
        _mean([a for _, a, _ in means]),
        _mean([b for _, _, b in means]),
        _mean(pairs),
        bootstrap([[pair] for pair in pairs]) if len(pairs) > 1 else None,
        p_value,
        test,
        (Z_95 + Z_80) * error if error else None,
        tuple(flips),
    )


def p_value_of(pairs: Sequence[float], *, binary: bool) -> tuple[float, str]:
    """Test whether differences have a mean other than 0; return the two-sided p-value and the test's name.

    Args:
        pairs: second - first, one per prompt.
        binary: each is the difference of two values of 0 or 1.

    >>> p_value_of([1.0] * 8, binary=True)
    (0.0078125, 'McNemar, exact')
    """
    return (_mcnemar(pairs), "McNemar, exact") if binary else (_sign_flips(pairs), "sign flips")


def _by_prompt(run: StoredRun, metric: str) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for (row, _), score in sorted(checked_scores(run, metric).items()):
        values = found.setdefault(row, [])
        if score["value"] is not None:
            values.append(score["value"])
    return found


def _by_conversation(means: list[tuple[int, float, float]], run: StoredRun) -> list[tuple[int, float, float]]:
    """The means of whole conversations, each by its first row: their turns are not independent."""
    ids = {line.get("id"): row for (row, _), line in run.samples.items()}
    afters = {row: line.get("after") for (row, _), line in run.samples.items()}
    begins: dict[int, int] = {}
    for row in sorted(afters):
        after = afters[row]
        before = ids.get(after) if isinstance(after, str | int) else None
        begins[row] = row if before is None else begins.get(before, row)
    found: dict[int, list[tuple[float, float]]] = {}
    for row, one, other in means:
        found.setdefault(begins.get(row, row), []).append((one, other))
    return [
        (row, _mean([one for one, _ in turns]), _mean([other for _, other in turns]))
        for row, turns in sorted(found.items())
    ]


def _mcnemar(pairs: Sequence[float]) -> float:
    """McNemar's exact test (McNemar 1947): of the prompts that flipped, how many flipped one way."""
    up, down = sum(pair > 0 for pair in pairs), sum(pair < 0 for pair in pairs)
    n = up + down
    tail = sum(comb(n, k) for k in range(min(up, down) + 1))
    return float(min(1.0, 2 * tail / 2**n))


def _sign_flips(pairs: Sequence[float]) -> float:
    """Fisher's test of randomised signs: how often chance gives a mean as far from 0. Always the same."""
    moved = [pair for pair in pairs if pair]
    if not moved:
        return 1.0
    seen = abs(sum(moved)) * (1 - 1e-12)
    if len(moved) <= EXACT:
        every = [
            abs(sum(s * p for s, p in zip(signs, moved, strict=True)))
            for signs in itertools.product((1, -1), repeat=len(moved))
        ]
        return sum(value >= seen for value in every) / len(every)
    return (1 + sum(abs(value) >= seen for value in _drawn(moved))) / (1 + DRAWS)


def _drawn(moved: Sequence[float]) -> Iterator[float]:
    draws = random.Random(0)
    for _ in range(DRAWS):
        bits = draws.getrandbits(len(moved))
        yield sum(pair if bits >> n & 1 else -pair for n, pair in enumerate(moved))


def _standard_error(pairs: Sequence[float]) -> float:
    if len(pairs) < 2:
        return 0.0
    mean = _mean(pairs)
    return sqrt(sum((pair - mean) ** 2 for pair in pairs) / (len(pairs) - 1) / len(pairs))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
