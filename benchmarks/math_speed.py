"""How fast answers are verified: by `hub_math`, and by math-verify beside it.

Prints one table per question; compare rows of one run only. Run it by hand, alone on the machine:
`python benchmarks/math_speed.py`. The ways take turns, on texts in memory, in one process on one core but
for the engine's workers. What is timed is all that a user calls: finding the answer, reading both sides,
comparing.

math-verify gets the reference in `$`, as it finds no LaTeX without, and of GSM8K only the number, where
`hub_math` gets the whole solution. Its caches (and sympy's) stay as they are
from the warm-up on. Those of `hub_math` are emptied before each turn, unless a row says otherwise.
"""

import argparse
import importlib
import os
import pkgutil
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import hub
import hub_math
from benchmarks.math_sets import Pair, data_argument, in_dollars, load

EASY = ("text", "words", "number", "units", "none")
"""Layers of `hub_math` that compare without algebra; what another layer decides is a hard pair."""
YARDSTICK = "math-verify"
Run = Callable[[Sequence[Pair]], Any]


class Way:
    """A way to verify a list of pairs, and what to do before its turn."""

    def __init__(
        self, run: Callable[[Sequence[Pair]], Any], before: Callable[[], None] | None = None
    ) -> None:
        self.run = run
        self.before = before or clear_caches

    def seconds(self, pairs: Sequence[Pair]) -> float:
        self.before()
        start = time.perf_counter()
        self.run(pairs)
        return time.perf_counter() - start


def by_hub_math(pairs: Sequence[Pair]) -> list[bool]:
    return [hub_math.verify(pair.gold, pair.completion).correct for pair in pairs]


def by_hub_math_cold(pairs: Sequence[Pair]) -> list[bool]:
    found = []
    for pair in pairs:
        clear_caches()
        found.append(hub_math.verify(pair.gold, pair.completion).correct)
    return found


def by_math_verify(pairs: Sequence[Pair]) -> list[bool]:
    from math_verify import parse, verify

    return [verify(parse(in_dollars(pair.gold)), parse(pair.completion)) for pair in pairs]


def caches() -> list[Any]:
    """Every cached function of hub_math's modules."""
    names = [f"hub_math.{info.name}" for info in pkgutil.iter_modules(hub_math.__path__)]
    found = {
        id(value): value
        for name in names
        for value in vars(importlib.import_module(name)).values()
        if hasattr(value, "cache_clear") and str(value.__module__).startswith("hub_math.")
    }
    return list(found.values())


def clear_caches(cached: Sequence[Any] = tuple(caches())) -> None:
    for function in cached:
        function.cache_clear()


def keep_caches() -> None:
    pass


class InEngine:
    """The reward `math` through an engine of two workers, which are fresh at each turn."""

    def __init__(self, cache: bool, others: Sequence[Pair]) -> None:
        self.cache = cache
        self.others = others
        self.engine: hub.Engine | None = None

    def renew(self) -> None:
        """Start an engine with workers that have scored other pairs, as those of a training have."""
        self.close()
        self.engine = hub.Engine(2, cache=self.cache)
        self.reward = hub.find_reward("math").bind()
        self(self.others)

    def __call__(self, pairs: Sequence[Pair]) -> list[hub.Score]:
        assert self.engine is not None
        return self.engine.score(self.reward, [pair.sample for pair in pairs])

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread on one core; the engine's threads and processes have all."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def rates(title: str, ways: dict[str, Way], pairs: Sequence[Pair], turns: int) -> Table:
    """Pairs per second of each way, and how many times that of math-verify in the same turn."""
    table = Table(title=f"{title}: {len(pairs)} pairs, medians of {turns} turns")
    for header in ("way", "pairs/s", f"times {YARDSTICK}"):
        table.add_column(header, justify="left" if header == "way" else "right")
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(-1, turns):  # the first one is not counted
        for name, way in ways.items():
            seconds = way.seconds(pairs)
            if turn >= 0:
                times[name].append(seconds)
    for name, found in times.items():
        rate = len(pairs) / statistics.median(found)
        ratio = statistics.median(b / a for a, b in zip(found, times[YARDSTICK], strict=True))
        table.add_row(name, f"{rate:,.0f}", "" if name == YARDSTICK else f"{ratio:.1f}")
    return table


def traffic(title: str, pairs: Sequence[Pair], others: Sequence[Pair], turns: int) -> Table:
    """Model completions, in this process and through the engine."""
    uncached, cached = InEngine(False, others), InEngine(True, others)
    ways = {
        "hub_math": Way(alone(by_hub_math)),
        "hub_math, caches kept from turn to turn": Way(alone(by_hub_math), keep_caches),
        "hub_math, caches emptied before each pair": Way(alone(by_hub_math_cold)),
        "engine, 2 workers, cache off": Way(uncached, uncached.renew),
        "engine, 2 workers, cache on": Way(cached, cached.renew),
        "engine, 2 workers, the same batch again": Way(cached, keep_caches),
        YARDSTICK: Way(alone(by_math_verify), keep_caches),
    }
    try:
        return rates(title, ways, pairs, turns)
    finally:
        uncached.close()
        cached.close()


def alone(run: Run) -> Run:
    """Return the same, kept on one core."""

    def kept(pairs: Sequence[Pair]) -> Any:
        with one_core():
            return run(pairs)

    return kept


def latencies(sets: dict[str, Sequence[Pair]], repeats: int = 5) -> Table:
    """Milliseconds of one pair, every cache emptied before it."""
    table = Table(title=f"ms of one pair with cold caches (of each pair the best of {repeats})")
    for header in ("pairs", "median", "p99", "max", "slowest"):
        table.add_column(header, justify="left" if header in ("pairs", "slowest") else "right")
    for name, pairs in sets.items():
        with one_core():
            found = sorted(((best(pair, repeats), pair) for pair in pairs), key=lambda one: one[0])
        times = [time for time, _ in found]
        values = (statistics.median(times), times[int(0.99 * (len(times) - 1))], times[-1])
        slowest = found[-1][1].about.rpartition("::")[2]
        table.add_row(name, *(f"{value:.3f}" for value in values), slowest[:40])
    return table


def best(pair: Pair, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        clear_caches()
        start = time.perf_counter()
        hub_math.verify(pair.gold, pair.completion)
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def layers(sets: dict[str, Sequence[Pair]]) -> Table:
    """The share of pairs that each layer decides."""
    counts = {
        name: Counter(hub_math.verify(pair.gold, pair.completion).layer for pair in pairs)
        for name, pairs in sets.items()
    }
    table = Table(title="share of pairs decided by each layer, %")
    table.add_column("pairs")
    order = [*EASY[:-1], "structure", "exact", "numeric", "symbolic", "none"]
    for layer in order:
        table.add_column(layer, justify="right")
    for name, count in counts.items():
        assert set(count) <= set(order), count
        table.add_row(name, *(f"{100 * count[layer] / count.total():.1f}" for layer in order))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data_argument(parser)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    console = Console(width=110)
    for table in tables(arguments.data, arguments.turns):
        console.print(table)


def tables(data: Path, turns: int) -> Iterator[Table]:
    sets = load(data)
    together: list[Pair] = sorted(sets["traffic"], key=lambda pair: (pair.kind, pair.gold))
    mixed = random.Random(0).sample(together, len(together))
    symbolic = [
        pair
        for name in ("equivalence", "math-verify's cases")
        for pair in sets[name]
        if hub_math.verify(pair.gold, pair.completion).layer not in EASY
    ]
    named: dict[str, Sequence[Pair]] = {
        "traffic, MATH": [pair for pair in together if pair.kind == "math"],
        "traffic, GSM8K": [pair for pair in together if pair.kind == "gsm8k"],
        **{name: pairs for name, pairs in sets.items() if name != "traffic"},
        "hard pairs": symbolic,
    }
    yield latencies(named)
    yield layers(named)
    yield traffic("completions of one problem together", together, symbolic, turns)
    yield traffic("the same, shuffled", mixed, symbolic, turns)
    hard = {
        "hub_math": Way(alone(by_hub_math)),
        "hub_math, caches emptied before each pair": Way(alone(by_hub_math_cold)),
        YARDSTICK: Way(alone(by_math_verify), keep_caches),
    }
    yield rates("hard pairs (decided by structure, algebra or values)", hard, symbolic, turns)


if __name__ == "__main__":
    main()
