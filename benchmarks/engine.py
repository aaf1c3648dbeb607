"""What the engine costs beside calling a reward directly, and what a kill costs.

Prints one table per question; compare rows of one run only. Run it by hand: `python benchmarks/engine.py`.
Every timed engine call gets new `Sample` objects, as a trainer would give it.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console
from rich.table import Table

import hub
from hub.engine.component import Component
from hub.engine.submission import CACHE_ENTRIES
from hub.score import Score

TEXT = "The sum of 17 and 25 is 42, so the answer is \\boxed{42}. " * 6


@hub.reward(needs=["answer"], lane="inline")
def inline(sample: hub.Sample) -> float:
    """A reward that costs next to nothing."""
    return float(sample["answer"] in sample.completion)


@hub.reward(needs=["answer"])
def process(sample: hub.Sample) -> float:
    """The same in a worker process."""
    return float(sample["answer"] in sample.completion)


@hub.reward(needs=["answer"])
def busy(sample: hub.Sample) -> float:
    """Some tens of microseconds of Python, like a small parser."""
    return float(sum(ord(c) for c in sample.text * 8) % 2)


@hub.reward(needs=["answer"], timeout_s=0.2)
def hangs(sample: hub.Sample) -> float:
    """Never returns for one sample of the batch."""
    while sample["answer"] == "hang":
        pass
    return float(sum(ord(c) for c in sample.text * 8) % 2)


def samples(count: int, salt: int) -> list[hub.Sample]:
    """Make samples that no cache has seen."""
    return [hub.Sample("What is 17 + 25?", f"{salt} {i} {TEXT}", {"answer": str(i)}) for i in range(count)]


def direct(function: Callable[[hub.Sample], float], batch: list[hub.Sample]) -> list[float]:
    return [function(sample) for sample in batch]


def pooled(
    pool: ProcessPoolExecutor, function: Callable[[hub.Sample], float], batch: list[hub.Sample]
) -> list[float]:
    chunk = max(1, len(batch) // (4 * (os.cpu_count() or 1)))
    return list(pool.map(function, batch, chunksize=chunk))


def process_per_call(function: Callable[[hub.Sample], float], batch: list[hub.Sample]) -> list[float]:
    context = multiprocessing.get_context("fork")
    for sample in batch:
        child = context.Process(target=function, args=(sample,))
        child.start()
        child.join()
    return []


def timed(run: Callable[[list[hub.Sample]], object], count: int, repeats: int) -> float:
    """Return the median seconds of a call on fresh samples."""
    return statistics.median(once(run, samples(count, salt)) for salt in range(repeats))


def once(run: Callable[[list[hub.Sample]], object], batch: list[hub.Sample]) -> float:
    start = time.perf_counter()
    run(batch)
    return time.perf_counter() - start


def overhead(engine: hub.Engine, console: Console) -> None:
    """Time per sample of every way to call, for three batch sizes; the ways take turns."""
    cold = hub.Engine(os.cpu_count(), cache=False)
    pool = ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("fork"))
    rewards = {function.__name__: hub.find_reward(function).bind() for function in (inline, process, busy)}
    component: dict[str, Component] = {name: engine.add(bound) for name, bound in rewards.items()}
    full = engine.add(rewards["process"], name="full")
    full.cache.update((key, Score(0.0)) for key in range(CACHE_ENTRIES))
    cheap: dict[str, Callable[[list[hub.Sample]], object]] = {
        "direct call": lambda b: direct(inline, b),
        "engine, inline": lambda b: engine.score(component["inline"], b),
        "engine, process, no cache": lambda b: cold.score(rewards["process"], b),
        "engine, process, cache cold": lambda b: engine.score(component["process"], b),
        "engine, process, cache full": lambda b: engine.score(full, b),
        "ProcessPoolExecutor, chunks": lambda b: pooled(pool, process, b),
    }
    work: dict[str, Callable[[list[hub.Sample]], object]] = {
        "direct call": lambda b: direct(busy, b),
        "engine, process, no cache": lambda b: cold.score(rewards["busy"], b),
        "engine, process, cache cold": lambda b: engine.score(component["busy"], b),
        "engine, cache warm": lambda b: engine.score(component["busy"], b),
        "ProcessPoolExecutor, chunks": lambda b: pooled(pool, busy, b),
    }
    console.print(compare("cheap", cheap, {64: 41, 1024: 41, 16384: 9}))
    console.print(compare("some 50 us of work", work, {64: 41, 1024: 21, 16384: 3}))
    per_call = timed(lambda b: process_per_call(busy, b), 64, 3) / 64 * 1e6
    console.print(f"a process per call: {per_call:.0f} us per sample (batch of 64)\n")
    pool.shutdown()
    cold.close()


def compare(
    what: str, ways: dict[str, Callable[[list[hub.Sample]], object]], repeats: dict[int, int]
) -> Table:
    """Time the ways in turns, each on fresh samples (but where the cache is to be warm)."""
    table = Table(title=f"{what}: us per sample, and times that of ProcessPoolExecutor (medians of turns)")
    table.add_column("way to call")
    for size in repeats:
        table.add_column(f"batch of {size}", justify="right")
    cells: dict[str, list[str]] = {name: [] for name in ways}
    for size, turns in repeats.items():
        times: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(-1, turns):  # the first one is not counted
            for number, (name, run) in enumerate(ways.items()):
                batch = samples(size, turn * len(ways) + number)
                if name.endswith("warm"):
                    run(batch)
                seconds = once(run, batch)
                if turn >= 0:
                    times[name].append(seconds)
        yardstick = times["ProcessPoolExecutor, chunks"]
        for name, found in times.items():
            ratio = statistics.median(a / b for a, b in zip(found, yardstick, strict=True))
            cells[name].append(f"{statistics.median(found) / size * 1e6:.2f} ({ratio:.2f}x)")
    for name, row in cells.items():
        table.add_row(name, *row)
    return table


def kills(engine: hub.Engine, console: Console) -> None:
    """How much longer a batch takes when samples in it must be killed, beyond the limit itself."""
    bound = hub.find_reward(hangs).bind()
    cold = hub.Engine(os.cpu_count(), cache=False)
    cold.score(bound, samples(512, -3))
    table = Table(title="a batch of 512 samples of this work, with samples that hang (limit 0.2 s)")
    for title in ("hanging", "total ms", "cost of a kill beyond limit and work, ms"):
        table.add_column(title, justify="right")
    plain = timed(lambda b: cold.score(bound, b), 512, 9)
    table.add_row("0", f"{plain * 1000:.1f}", "")
    for count in (1, 2, 8):
        times = []
        for salt in range(5):
            batch = samples(512, salt)
            for i in range(count):
                at = i * 512 // count
                batch[at] = hub.Sample("", batch[at].completion, {"answer": "hang"})
            start = time.perf_counter()
            scores = cold.score(bound, batch)
            times.append(time.perf_counter() - start)
            assert sum(score.reason == "timeout" for score in scores) == count
        workers = os.cpu_count() or 1
        waits = -(-count // workers) * 0.2
        extra = (statistics.median(times) - waits - plain) / count
        table.add_row(str(count), f"{statistics.median(times) * 1000:.1f}", f"{extra * 1000:.1f}")
    console.print(table)
    cold.close()


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    console = Console(width=110)
    with hub.Engine(os.cpu_count()) as engine:
        overhead(engine, console)
        kills(engine, console)


if __name__ == "__main__":
    main()
