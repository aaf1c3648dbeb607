"""Accounts of one reward: outcomes, values, times."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from math import sqrt
from typing import Any

from hub.engine.wire import Result
from hub.score import Outcome, Score

RECENT = 10_000
SLOWEST = 5
_SCORED = str(Outcome.SCORED)


@dataclass
class Stats:
    """What happened to the samples of one reward since the engine started.

    Times are of calls really made (not of cache hits), the quantiles over the last 10,000.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    cached: int = 0
    total: float = 0.0
    squares: float = 0.0
    run_ns: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))
    queue_ns: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))
    slowest: list[tuple[int, str]] = field(default_factory=list)

    def add(self, scores: list[Score]) -> None:
        """Count finished samples, cached ones too."""
        values = [score.value for score in scores if score.value is not None]
        self.total = sum(values, self.total)
        self.squares = sum([value * value for value in values], self.squares)
        if len(values) < len(scores):
            for score in scores:
                if score.value is None:
                    self.outcomes[str(score.outcome)] += 1
                    if score.outcome is Outcome.FAILED:
                        self.reasons[str(score.reason)] += 1
        self.outcomes[_SCORED] += len(values)

    def time(self, results: Sequence[Result], submitted_ns: int) -> list[int]:
        """Count finished calls' times; return positions of those slow enough for `note`."""
        times = [ran for _, _, ran in results]
        self.run_ns.extend(times)
        self.queue_ns.extend([start - submitted_ns for _, start, _ in results])
        floor = self.slowest[0][0] if len(self.slowest) == SLOWEST else -1
        if max(times, default=-1) <= floor:
            return []
        return [position for position, ran in enumerate(times) if ran > floor]

    def note(self, run_ns: int, sample: str) -> None:
        """Remember a slow sample by the start of its text."""
        push = heappush if len(self.slowest) < SLOWEST else heappushpop  # keeps the slowest
        push(self.slowest, (run_ns, sample))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data: counts, mean and std of values, times in ms, the slowest samples."""
        scored = self.outcomes[str(Outcome.SCORED)]
        mean = self.total / scored if scored else None
        spread = self.squares / scored - mean * mean if scored and mean is not None else None
        return {
            "count": sum(self.outcomes.values()),
            "scored": scored,
            "abstained": self.outcomes[str(Outcome.ABSTAINED)],
            "failed": self.outcomes[str(Outcome.FAILED)],
            "reasons": dict(self.reasons),
            "cached": self.cached,
            "mean": mean,
            "std": None if spread is None else sqrt(max(0.0, spread)),
            "run_ms": quantiles(self.run_ns),
            "queue_ms": quantiles(self.queue_ns),
            "slowest": [
                {"run_ms": ns / 1e6, "sample": text} for ns, text in sorted(self.slowest, reverse=True)
            ],
        }


def quantiles(times_ns: deque[int]) -> dict[str, float] | None:
    """Return p50 and p99 in ms; None where nothing was timed."""
    if not times_ns:
        return None
    ordered = sorted(times_ns)
    last = len(ordered) - 1
    return {"p50": ordered[last // 2] / 1e6, "p99": ordered[round(last * 0.99)] / 1e6}
