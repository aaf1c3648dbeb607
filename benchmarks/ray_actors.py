"""What Ray actors add to the engine: rewards per second with 1, 2 and 4 actors, and what a chunk costs.

Prints one table per question; compare rows of one run only. Actors share this machine's cores: what needs a
core cannot become faster than those, what waits shows how the sharing grows. Run it by hand:
`python benchmarks/ray_actors.py`. Every timed call gets new `Sample` objects that no cache has seen.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ray
from rich.console import Console
from rich.table import Table

import hub
import hub_ray
from hub.engine.component import Component

TEXT = "The sum of 17 and 25 is 42, so the answer is \\boxed{42}. " * 6


@hub.reward(needs=["answer"])
def cheap(sample: hub.Sample) -> float:
    """Next to nothing: microseconds."""
    return float(sample["answer"] in sample.completion)


@hub.reward(needs=["answer"])
def busy_1_ms(sample: hub.Sample) -> float:
    """A millisecond of a core."""
    return spin(0.001)


@hub.reward(needs=["answer"])
def busy_20_ms(sample: hub.Sample) -> float:
    """Twenty milliseconds of a core."""
    return spin(0.020)


@hub.reward(needs=["answer"])
def waits_20_ms(sample: hub.Sample) -> float:
    """Twenty milliseconds in which no core is needed, as of a program in a sandbox elsewhere."""
    time.sleep(0.020)
    return 1.0


def spin(seconds: float) -> float:
    """Use CPU time, not wall time: two on one core take twice as long."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return 1.0


REWARDS = {cheap: 40_000, busy_1_ms: 1_000, busy_20_ms: 64, waits_20_ms: 200}


def samples(count: int, salt: object) -> list[hub.Sample]:
    return [hub.Sample("What is 17 + 25?", f"{salt} {i} {TEXT}", {"answer": str(i)}) for i in range(count)]


def rate(engine: hub.AnyEngine, component: Component, count: int, repeats: int) -> tuple[float, float]:
    """Return the most rewards per second, warm, and the least of the caller's CPU time for one, in µs."""
    engine.score(component, samples(max(64, count // 20), "warm"))
    rates, spent = [], []
    for repeat in range(repeats):
        batch = samples(count, repeat)
        start, cpu = time.perf_counter(), time.process_time()
        scores = engine.score(component, batch)
        rates.append(count / (time.perf_counter() - start))
        spent.append((time.process_time() - cpu) / count * 1e6)
        assert len(scores) == count
    return max(rates), min(spent)


def throughput(console: Console, actors: Sequence[int], workers: int, repeats: int, scale: float) -> None:
    """The plain engine, then each number of actors, for every reward."""
    table = Table(title="rewards per second (CPU time of the caller for one, in microseconds)")
    table.add_column(f"{os.cpu_count()} cores, best of {repeats}")
    for reward in REWARDS:
        table.add_column(reward.__name__, justify="right")
    ways: dict[str, Callable[[], hub.AnyEngine]] = {
        f"plain engine, {workers} workers": partial(hub.Engine, workers)
    }
    ways |= {f"{n} x 1 worker": partial(hub_ray.RayEngine, actors=n) for n in actors}
    ways[f"1 x {workers} workers"] = partial(hub_ray.RayEngine, cpus=workers)
    for name, make in ways.items():
        engine = make()
        row = []
        for reward, count in REWARDS.items():
            component = engine.add(hub.find_reward(reward).bind())
            engine.warm([component])
            per_second, spent = rate(engine, component, max(64, int(count * scale)), repeats)
            row.append(f"{per_second:,.0f} ({spent:,.0f})")
        engine.close()
        table.add_row(name, *row)
    console.print(table)


class Nothing:
    """An actor like ours, that only answers."""

    async def take(self, units: list[bytes]) -> int:
        return len(units)


def chunk_cost(console: Console, repeats: int) -> None:
    """Calls of an actor that do nothing: what a chunk of so many bytes costs, alone and many at once."""
    table = Table(title="cost of a chunk: a call that brings so many bytes to an actor and does nothing")
    for name in ("bytes", "alone, ms", "many under way, ms", "caller's CPU, ms"):
        table.add_column(name, justify="right")
    handle: Any = ray.remote(Nothing).remote()
    ray.get(handle.take.remote([]))
    for size in (1_000, 50_000, 500_000, 4_000_000):
        payload = [b"x" * 1000] * (size // 1000)
        count = repeats * (200 if size < 100_000 else 20)
        start = time.perf_counter()
        for _ in range(count):
            ray.get(handle.take.remote(payload))
        alone = (time.perf_counter() - start) / count
        start, cpu = time.perf_counter(), time.process_time()
        ray.get([handle.take.remote(payload) for _ in range(count)])
        together, spent = time.perf_counter() - start, time.process_time() - cpu
        table.add_row(f"{size:,}", *(f"{s * 1e3:.2f}" for s in (alone, together / count, spent / count)))
    ray.kill(handle)
    console.print(table)


def caller_cost(console: Console, actors: Sequence[int], repeats: int) -> None:
    """What sharing work out costs the caller, with rewards that need no core."""
    table = Table(title="the caller's CPU time for a chunk from beginning to end, rewards of 20 ms that wait")
    for name in ("actors", "rewards per second", "of at most", "chunks per second", "CPU of a chunk, ms"):
        table.add_column(name, justify="right")
    for number in actors:
        with hub_ray.RayEngine(actors=number) as engine:
            component = engine.add(hub.find_reward(waits_20_ms).bind())
            engine.warm([component])
            engine.score(component, samples(16 * number, "warm"))
            (crew,) = engine._crews.values()
            best = (0.0, 0.0, 0.0)
            for repeat in range(repeats):
                batch, first = samples(150 * number, repeat), next(crew._numbers)
                start, cpu = time.perf_counter(), time.process_time()
                engine.score(component, batch)
                took, spent = time.perf_counter() - start, time.process_time() - cpu
                chunks = next(crew._numbers) - first - 1
                best = max(best, (len(batch) / took, chunks / took, spent / chunks * 1e3))
        table.add_row(str(number), f"{best[0]:.0f}", str(50 * number), f"{best[1]:.0f}", f"{best[2]:.2f}")
    console.print(table)


def starts(console: Console, repeats: int) -> None:
    """How long a new actor takes, which is also what a lost one costs."""
    table = Table(title="seconds from asking for an actor until it has scored")
    table.add_column("the first of a cluster", justify="right")
    table.add_column("later ones, median", justify="right")
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        with hub_ray.RayEngine() as engine:
            engine.score(hub.find_reward(cheap).bind(), samples(1, 0))
            times.append(time.perf_counter() - start)
    table.add_row(f"{times[0]:.2f}", f"{statistics.median(times[1:]):.2f}")
    console.print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actors", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of samples")
    given = parser.parse_args()
    ray.init(num_cpus=max(8, *given.actors), include_dashboard=False, log_to_driver=False)
    shown = Console()
    starts(shown, given.repeats)
    chunk_cost(shown, given.repeats)
    caller_cost(shown, [*given.actors, 8], given.repeats)
    throughput(shown, given.actors, given.workers, given.repeats, given.scale)
