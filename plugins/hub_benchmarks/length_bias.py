"""What the benchmark `preferences` reports beside accuracy: ties, and how much length counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from hub.sample import Sample
from hub_benchmarks.sections import section_scores
from hub_benchmarks.ties import ties_scores

Line = Mapping[str, Any]


@dataclass(frozen=True)
class _Pair:
    """A row: its verdict, and how much more the better completions are worth, and longer, than the others."""

    verdict: float
    worth: float
    longer: float


def measure(lines: Sequence[Line]) -> dict[str, float | list[float]]:
    """Return ties, accuracy by length, and whether length and worth go together.

    Length is counted in characters; of several better or worse completions the mean counts.

    - `ties`: the share of rows with one.
    - `chosen longer`, `chosen shorter`: accuracy where the better completion is the longer or shorter one. A
      reward that only counts characters has 1 and 0.
    - `longer is chosen`, `longer is worth more`: how often the longer completion is the better one by the
      data, and by the rewards.
    - `length correlation`: Spearman's, of the difference in worth with that in length, over both orders of
      each pair, so that it does not depend on which is called better.
    - `truncated`: the share of rows of which a reward saw a part only, where there are any.
    - RewardBench's sections, and RewardBench 2's score of its subset Ties, where these are there.

    Args:
        lines: of samples.jsonl.
    """
    scored = [line for line in lines if line["result"]["scores"]["prefers"]["value"] is not None]
    if not scored:
        return {}
    pairs = [_pair(line) for line in scored]
    uneven = [pair for pair in pairs if pair.longer]
    found: dict[str, float | list[float]] = {
        "ties": [float(pair.verdict == 0.5) for pair in pairs],
        "chosen longer": [pair.verdict for pair in pairs if pair.longer > 0],
        "chosen shorter": [pair.verdict for pair in pairs if pair.longer < 0],
        "longer is chosen": [float(pair.longer > 0) for pair in uneven],
        "longer is worth more": [_share(pair.worth * pair.longer) for pair in uneven],
    }
    cut = [float(any(map(_was_cut, line["values"]))) for line in scored]
    if any(cut):
        found["truncated"] = cut
    found = {name: values for name, values in found.items() if values}
    correlation = _rank_correlation([(pair.worth, pair.longer) for pair in pairs])
    if correlation is not None:
        found["length correlation"] = correlation
    return {**found, **section_scores(scored), **ties_scores(scored)}


def _pair(line: Line) -> _Pair:
    chosen = line["chosen"]
    values = [one["value"] for one in line["values"]]
    lengths = [float(len(Sample("", text).text)) for text in line["completions"]]
    verdict = line["result"]["scores"]["prefers"]["value"]
    worth, longer = (_mean(each[:chosen]) - _mean(each[chosen:]) for each in (values, lengths))
    return _Pair(verdict, worth, longer)


def _was_cut(value: Mapping[str, Any]) -> bool:
    scores = value.get("scores", {}).values()
    return any(score.get("info", {}).get("cut") for score in scores)


def _share(product: float) -> float:
    return 0.5 if product == 0 else float(product > 0)


def _rank_correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Spearman's correlation over the pairs and their opposites; None where one of the two never varies.

    >>> _rank_correlation([(0.1, 5.0), (-0.2, -7.0), (0.3, 9.0)])
    1.0
    """
    both = [*pairs, *((-worth, -longer) for worth, longer in pairs)]
    worths, lengths = (_ranks([pair[place] for pair in both]) for place in (0, 1))
    spread = sqrt(sum(x * x for x in worths) * sum(y * y for y in lengths))
    return sum(x * y for x, y in zip(worths, lengths, strict=True)) / spread if spread else None


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks around 0; equal values share the mean of theirs.

    >>> _ranks([5.0, 1.0, 5.0])
    [0.5, -1.0, 0.5]
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            found[place] = (start + end - 1) / 2 - (len(values) - 1) / 2
        start = end
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
