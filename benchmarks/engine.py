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

SIZES = (64, 1024, 16384)
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
    times = []
    for salt in range(repeats):
        batch = samples(count, salt)
        start = time.perf_counter()
        run(batch)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def overhead(engine: hub.Engine, console: Console) -> None:
    """Time per sample of every way to call, for three batch sizes."""
    table = Table(title="microseconds per sample (median of repeats)")
    table.add_column("way to call")
    for size in SIZES:
        table.add_column(f"batch of {size}", justify="right")
    cold = hub.Engine(os.cpu_count(), cache=False)
    pool = ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("fork"))
    rewards = {function.__name__: hub.find_reward(function).bind() for function in (inline, process, busy)}
    kept: dict[int, list[hub.Sample]] = {size: samples(size, -1) for size in SIZES}
    component: dict[str, Component] = {name: engine.add(bound) for name, bound in rewards.items()}
    ways: list[tuple[str, Callable[[list[hub.Sample]], object], bool]] = [
        ("cheap: direct call", lambda b: direct(inline, b), True),
        ("cheap: engine, inline", lambda b: engine.score(component["inline"], b), True),
        ("cheap: engine, process, no cache", lambda b: cold.score(rewards["process"], b), True),
        ("cheap: engine, process, cache cold", lambda b: engine.score(component["process"], b), True),
        ("cheap: ProcessPoolExecutor, chunks", lambda b: pooled(pool, process, b), True),
        ("work: direct call", lambda b: direct(busy, b), True),
        ("work: engine, process, cache cold", lambda b: engine.score(component["busy"], b), True),
        ("work: ProcessPoolExecutor, chunks", lambda b: pooled(pool, busy, b), True),
        ("work: engine, cache warm", lambda b: engine.score(component["busy"], kept[len(b)]), False),
    ]
    for name, run, _ in ways:
        run(samples(64, -2))
        if "warm" in name:
            for size in SIZES:
                engine.score(component["busy"], kept[size])
        cells = []
        for size in SIZES:
            slow = name.startswith("work") and "warm" not in name
            repeats = 25 if size <= 1024 else 3 if slow else 5
            cells.append(f"{timed(run, size, repeats) / size * 1e6:.2f}")
        table.add_row(name, *cells)
    per_call = timed(lambda b: process_per_call(busy, b), 64, 3) / 64 * 1e6
    table.add_row("work: a process per call", f"{per_call:.0f}", "", "")
    console.print(table)
    pool.shutdown()
    cold.close()


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
