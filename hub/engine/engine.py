"""What callers use: scores samples with a reward, always as many scores as samples, in their order."""

import asyncio
import atexit
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from hub.engine.batch import BatchLane
from hub.engine.loop import AsyncLane
from hub.engine.pool import Pool
from hub.engine.stats import Stats
from hub.engine.work import InlineLane, Scorers, Work
from hub.engine.work import Lane as LaneRunner
from hub.engine.worker import ABSENT, Definition, read_sample
from hub.errors import EngineError, PluginError
from hub.reward import BoundReward, Lane, Per
from hub.sample import Sample
from hub.score import Failure, Outcome, Score

CACHE_ENTRIES = 500_000


@dataclass(eq=False)
class Component:
    """A reward as one engine knows it; made by `Engine.add`.

    Args:
        name: what its accounts are kept under.
        bound: the reward and its options.
        timeout_s: seconds for one call; None for no limit.
        number: its number in this engine.
        definition: how a worker finds it.
        stats: its accounts.
    """

    name: str
    bound: BoundReward
    timeout_s: float | None
    number: int
    definition: Definition
    stats: Stats = field(default_factory=Stats)
    cache: dict[bytes, Any] = field(default_factory=dict)


class Engine:
    """Runs rewards: in worker processes, inline, on an event loop or in batches.

    Safe to use from any thread and from several at once; a forked child makes its own.

    Args:
        workers: worker processes; by default one per core this process may use, divided by the
            processes that torchrun started on this machine (`HUB_WORKERS` overrides).
        cache: keep scores of deterministic rewards, and score duplicates once.
    """

    def __init__(self, workers: int | None = None, *, cache: bool = True) -> None:
        if workers is not None and workers < 1:
            raise EngineError(f"an engine needs at least one worker process, not {workers}")
        self._workers = workers or _default_workers()
        self._cache = cache
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._components: dict[bytes, Component] = {}
        self._scorers = Scorers()
        self._lanes: dict[Lane, LaneRunner] = {}
        self._closed = False
        atexit.register(self.close)

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(
        self, bound: BoundReward, *, name: str | None = None, timeout_s: float | None = None
    ) -> Component:
        """Register a reward; the same one twice gives the same component.

        Args:
            bound: the reward with its options.
            name: what to keep its accounts under; by default the reward's name.
            timeout_s: overrides the reward's own limit.

        Raises:
            EngineError: the engine is closed.
            PluginError: the options cannot be sent to a worker process.
        """
        name = name or bound.reward.name
        limit = bound.timeout_s if timeout_s is None else timeout_s
        reward = bound.reward
        try:
            key = pickle.dumps((name, bound.target.identity, bound.options, limit, reward.per, bound.lane))
        except Exception as error:
            raise PluginError(
                f"the options of reward {reward.name!r} cannot be sent to a worker process: {error}"
            ) from error
        columns = None if reward.needs is None else (*reward.needs, *reward.uses)
        many = reward.per is not Per.SAMPLE
        with self._lock:
            self._check_open()
            if key not in self._components:
                definition = Definition(bound.target, bound.options, many, columns, reward.memory_mb)
                number = len(self._components) + 1
                self._components[key] = Component(name, bound, limit, number, definition)
                if bound.lane is Lane.PROCESS:
                    self._pool().preload(_modules(bound))
            return self._components[key]

    def score(self, reward: Component | BoundReward, samples: Iterable[Sample]) -> list[Score]:
        """Score samples: as many scores as samples, in their order, whatever happens.

        An interrupt (Ctrl-C) while waiting cancels what is under way.
        """
        waiting = self.submit(reward, samples)
        try:
            return waiting.result()
        except BaseException:
            waiting.cancel()
            raise

    async def ascore(self, reward: Component | BoundReward, samples: Iterable[Sample]) -> list[Score]:
        """Score samples from a coroutine, without blocking its loop; cancelling it cancels the work."""
        loop = asyncio.get_running_loop()
        listed = list(samples)
        waiting = await loop.run_in_executor(None, self.submit, reward, listed)
        return await asyncio.wrap_future(waiting)

    def submit(
        self, reward: Component | BoundReward, samples: Iterable[Sample]
    ) -> "Waiting":
        """Start scoring; `result()` of what is returned waits for the scores, `cancel()` gives up."""
        component = reward if isinstance(reward, Component) else self.add(reward)
        self._check_open()
        batch = _Batch(component, list(samples), self._cache)
        work = self._work(component, batch.calls(), [len(unit) for unit in batch.units], batch.report)
        lane = self._lane(component.bound.lane)
        waiting = Waiting(lambda: lane.cancel(work))

        def finish(_: object) -> None:
            component.stats.add(batch.scores)
            if waiting.set_running_or_notify_cancel():
                waiting.set_result(batch.scores)

        work.done.add_done_callback(finish)
        if work.units:
            lane.submit(work)
        return waiting

    def warm(self, components: Sequence[Component]) -> dict[str, str]:
        """Construct rewards before they are needed; return what went wrong, by component name."""
        broken = {}
        waiting = []
        for component in components:
            if component.bound.lane is Lane.PROCESS:
                work = self._work(component, [b""], [1], lambda *_: None)
                first: list[Score] = []
                work.report = lambda _, scores, *__, first=first: first.extend(scores)  # type: ignore[misc]
                self._lane(Lane.PROCESS).submit(work)
                waiting.append((component, work, first))
            else:
                scorer = self._scorers.get(self._work(component, [], [], lambda *_: None))
                if isinstance(scorer, Score):
                    broken[component.name] = scorer.detail
        for component, work, first in waiting:
            work.done.result()
            if first[0].reason is Failure.SETUP:
                broken[component.name] = first[0].detail
        return broken

    def stats(self) -> dict[str, dict[str, Any]]:
        """Return the accounts of every component, by name (see `Stats.as_dict`)."""
        return {c.name: c.stats.as_dict() for c in list(self._components.values())}

    def close(self) -> None:
        """End every worker and thread; what is under way fails with `cancelled`."""
        atexit.unregister(self.close)
        with self._lock:
            lanes, self._lanes = self._lanes, {}
            already, self._closed = self._closed, True
        if not already and os.getpid() == self._pid:
            for lane in lanes.values():
                lane.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called, or this process is a fork of the one that made the engine."""
        return self._closed or os.getpid() != self._pid

    def forget(self) -> None:
        """In a forked child: let go of the parent's workers."""
        self._closed = True
        pool = self._lanes.get(Lane.PROCESS)
        if isinstance(pool, Pool):
            pool.forget()

    def _check_open(self) -> None:
        if self.closed:
            raise EngineError("this engine is closed; make a new one, or use hub.default_engine()")

    def _lane(self, lane: Lane) -> LaneRunner:
        with self._lock:
            self._check_open()
            if lane is Lane.PROCESS:
                return self._pool()
            if lane not in self._lanes:
                make = {Lane.INLINE: InlineLane, Lane.ASYNC: AsyncLane, Lane.BATCH: BatchLane}[lane]
                self._lanes[lane] = make(self._scorers)
            return self._lanes[lane]

    def _pool(self) -> Pool:
        pool = self._lanes.get(Lane.PROCESS)
        if not isinstance(pool, Pool):
            pool = self._lanes[Lane.PROCESS] = Pool(self._workers)
        return pool

    def _work(self, component: Component, units: list[Any], sizes: list[int], report: Any) -> Work:
        reward = component.bound.reward
        return Work(
            component.number,
            component.definition,
            component.timeout_s,
            reward.setup_timeout_s,
            reward.concurrency,
            units,
            sizes,
            report,
        )


class Waiting(Future[list[Score]]):
    """Scores that are on their way; `cancel()` ends the work behind them."""

    def __init__(self, give_up: Callable[[], None]) -> None:
        super().__init__()
        self._give_up = give_up

    def cancel(self) -> bool:
        """Give up: workers busy with this are killed, nothing more is begun."""
        if not self.done():
            self._give_up()
        return super().cancel()


class _Batch:
    """Samples on their way through one reward: what is known already, and what must be called."""

    def __init__(self, component: Component, samples: list[Sample], cache: bool) -> None:
        reward = component.bound.reward
        self.component, self.samples, self.per = component, samples, reward.per
        self.scores: list[Any] = [None] * len(samples)
        self.keep = cache and reward.deterministic and component.bound.lane is not Lane.INLINE
        self.in_process = component.bound.lane is Lane.PROCESS
        self.fields: list[Any] = [None] * len(samples)
        self.payloads: list[bytes] = [b""] * len(samples)
        self.units: list[list[int]] = []
        self.keys: list[bytes | None] = []
        self.copies: dict[int, list[int]] = {}
        self.submitted_ns = time.monotonic_ns()
        usable = self._encode(reward.needs or ())
        if self.per is Per.GROUP:
            self._find_groups(usable)
        else:
            self._find_samples(usable)

    def _encode(self, needs: Sequence[str]) -> list[int]:
        """Read what the reward may see of each sample; return the samples that can be scored."""
        usable, columns = [], self.component.definition.columns
        pickled = self.in_process or self.keep
        for index, sample in enumerate(self.samples):
            present = sample.columns
            for name in needs:
                if name not in present:
                    detail = f"the row has no column {name!r} (it has: {', '.join(present) or 'none'})"
                    self.scores[index] = Score.failed(Failure.MISSING_COLUMN, detail)
                    break
            else:
                fields = self.fields[index] = read_fields(sample, columns)
                if pickled:
                    try:
                        self.payloads[index] = pickle.dumps(fields, 5)
                    except Exception as error:
                        detail = f"cannot be sent to a worker: {type(error).__name__}: {error}"
                        self.scores[index] = Score.failed(Failure.BAD_INPUT, detail)
                        continue
                usable.append(index)
        return usable

    def _find_samples(self, usable: list[int]) -> None:
        """Take scores from the cache, find duplicates, leave the rest as units."""
        todo: list[int] = usable
        keys: list[bytes | None] = [None] * len(usable)
        if self.keep:
            todo, keys = [], []
            leaders: dict[bytes, int] = {}
            cache, payloads = self.component.cache, self.payloads
            for index in usable:
                key = blake2b(payloads[index], digest_size=16).digest()
                known = cache.get(key)
                if known is not None:
                    self.scores[index] = known
                    self.component.stats.cached += 1
                elif (leader := leaders.setdefault(key, index)) != index:
                    self.copies.setdefault(leader, []).append(index)
                    self.component.stats.cached += 1
                else:
                    todo.append(index)
                    keys.append(key)
        self.keys = keys
        if self.per is Per.BATCH:
            self.units = [todo] if todo else []
        else:
            self.units = [[index] for index in todo]

    def _find_groups(self, usable: list[int]) -> None:
        """Gather completions of one prompt; take whole groups from the cache."""
        groups: dict[Any, list[int]] = {}
        for index in usable:
            sample = self.samples[index]
            name = sample.group if sample.group is not None else ("prompt", repr(sample.prompt))
            groups.setdefault(name, []).append(index)
        for members in groups.values():
            key = None
            if self.keep:
                parts = [self.payloads[index] for index in members]
                key = blake2b(pickle.dumps(parts, 5), digest_size=16).digest()
                known = self.component.cache.get(key)
                if known is not None:
                    for index, score in zip(members, known, strict=True):
                        self.scores[index] = score
                    self.component.stats.cached += len(members)
                    continue
            self.units.append(members)
            self.keys.append(key)

    def calls(self) -> list[Any]:
        """Return what each call is given: pickled fields for a worker, else samples."""
        columns = self.component.definition.columns
        many = self.per is not Per.SAMPLE
        if self.in_process:
            if many:
                return [pickle.dumps([self.fields[i] for i in unit], 5) for unit in self.units]
            return [self.payloads[unit[0]] for unit in self.units]
        if many:
            return [[read_sample(self.fields[i], columns) for i in unit] for unit in self.units]
        return [read_sample(self.fields[unit[0]], columns) for unit in self.units]

    def report(self, unit: int, scores: list[Score], start_ns: int, run_ns: int) -> None:
        """Take the scores of a finished call."""
        members, stats = self.units[unit], self.component.stats
        for index, score in zip(members, scores, strict=True):
            self.scores[index] = score
            for copy in self.copies.get(index, ()):
                self.scores[copy] = score
        if stats.time(run_ns, start_ns - self.submitted_ns):
            stats.note(run_ns, repr(self.samples[members[0]].completion)[:200])
        if self.keep:
            self._remember(unit, scores)

    def _remember(self, unit: int, scores: list[Score]) -> None:
        cache = self.component.cache
        if self.per is Per.GROUP:
            entries: list[tuple[bytes | None, Any]] = [(self.keys[unit], tuple(scores))]
        elif self.per is Per.BATCH:
            entries = list(zip(self.keys, scores, strict=True))
        else:
            entries = [(self.keys[unit], scores[0])]
        for key, value in entries:
            kept = value if isinstance(value, tuple) else (value,)
            if key is not None and all(score.outcome is not Outcome.FAILED for score in kept):
                cache[key] = value
        while len(cache) > CACHE_ENTRIES:
            del cache[next(iter(cache))]


def read_fields(sample: Sample, columns: tuple[str, ...] | None) -> tuple[Any, Any, Any]:
    """Return what a reward may see of a sample: prompt, completion, its columns' values."""
    if columns is None:
        return sample.prompt, sample.completion, dict(sample.columns)
    here = sample.columns
    return sample.prompt, sample.completion, tuple([here.get(name, ABSENT) for name in columns])


def _modules(bound: BoundReward) -> list[tuple[str, str]]:
    """Modules worth importing before workers are forked: what it asks for, and its own."""
    target = bound.target
    own = [(target.module, target.file)] if target.module else []
    return [*((name, "") for name in bound.reward.preload), *own]


def _default_workers() -> int:
    asked = os.environ.get("HUB_WORKERS", "")
    if asked:
        if not asked.isdecimal() or int(asked) < 1:
            raise EngineError(f"HUB_WORKERS is {asked!r}, but should be a number of processes, at least 1")
        return int(asked)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


_default: Engine | None = None
_default_lock = threading.Lock()


def default_engine() -> Engine:
    """Return this process's engine, made on first use and closed at exit."""
    global _default
    with _default_lock:
        if _default is None or _default.closed:
            _default = Engine()
        return _default


def _after_fork() -> None:
    global _default, _default_lock
    _default_lock = threading.Lock()
    if _default is not None:
        _default.forget()
        _default = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
