"""What callers use: scores samples with a reward, always as many scores as samples, in their order."""

import asyncio
import atexit
import functools
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import cloudpickle

from hub.engine.batch import BatchLane
from hub.engine.component import Component
from hub.engine.loop import AsyncLane
from hub.engine.pool import Pool
from hub.engine.submission import Submission
from hub.engine.wire import Result
from hub.engine.work import InlineLane, Scorers, Work
from hub.engine.work import Lane as LaneRunner
from hub.engine.worker import Definition
from hub.errors import EngineError, PluginError
from hub.reward import BoundReward, Lane, Per
from hub.sample import Sample
from hub.score import Failure, Score

_IN_PROCESS: dict[Lane, Callable[[Scorers], LaneRunner]] = {
    Lane.INLINE: InlineLane,
    Lane.ASYNC: AsyncLane,
    Lane.BATCH: BatchLane,
}


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
        self._components: dict[Any, Component] = {}
        self._added: WeakKeyDictionary[BoundReward, dict[Any, Component]] = WeakKeyDictionary()
        self._scorers = Scorers()
        self._lanes: dict[Lane, LaneRunner] = {}
        self._closed = False
        atexit.register(self.close)
        _engines.add(self)

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
        with self._lock:
            self._check_open()
            known = self._added.setdefault(bound, {})
        if (name, timeout_s) not in known:
            known[name, timeout_s] = self._find_or_make(bound, name or bound.reward.name, timeout_s)
        return known[name, timeout_s]

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
        listed, begun = list(samples), list[Waiting]()
        try:
            await asyncio.to_thread(lambda: begun.append(self.submit(reward, listed)))
            return await asyncio.wrap_future(begun[0])
        except asyncio.CancelledError:
            for waiting in begun:
                waiting.cancel()
            raise

    def submit(self, reward: Component | BoundReward, samples: Iterable[Sample]) -> "Waiting":
        """Start scoring; `result()` of what is returned waits for the scores, `cancel()` gives up."""
        component = reward if isinstance(reward, Component) else self.add(reward)
        self._check_open()
        batch = Submission(component, list(samples), self._cache)
        work = self._work(component, batch.calls(), batch.report)
        lane = self._lane(component.bound.lane)
        waiting = Waiting(lambda: lane.cancel(work))

        def finish(_: object) -> None:
            scores = batch.finish()
            if waiting.set_running_or_notify_cancel():
                waiting.set_result(scores)

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
                first: list[Score] = []
                report = functools.partial(_extend, first)
                work = self._work(component, [_EMPTY], report)
                self._lane(Lane.PROCESS).submit(work)
                waiting.append((component, work, first))
            else:
                scorer = self._scorers.get(self._work(component, [], lambda *_: None))
                if isinstance(scorer, Score):
                    broken[component.name] = scorer.detail
        for component, work, first in waiting:
            work.done.result()
            if first[0].reason is Failure.SETUP:
                broken[component.name] = first[0].detail
        return broken

    def stats(self) -> dict[str, dict[str, Any]]:
        """Return the accounts of every component, by name (see `Stats.as_dict`).

        A second component of the same name (with other options, say) is called "name#2", and so on.
        """
        found: dict[str, dict[str, Any]] = {}
        for component in list(self._components.values()):
            name, again = component.name, 1
            while name in found:
                again += 1
                name = f"{component.name}#{again}"
            found[name] = component.stats.as_dict()
        return found

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
        self._closed, self._lock = True, threading.Lock()
        atexit.unregister(self.close)
        pool = self._lanes.get(Lane.PROCESS)
        if isinstance(pool, Pool):
            pool.forget()

    def _check_open(self) -> None:
        if self.closed:
            raise EngineError("this engine is closed; make a new one, or use hub.default_engine()")

    def _find_or_make(self, bound: BoundReward, name: str, timeout_s: float | None) -> Component:
        limit = bound.timeout_s if timeout_s is None else timeout_s
        reward, target, options = bound.reward, bound.target, bound.options
        here = bound.lane is not Lane.PROCESS
        try:
            code = b"" if here else cloudpickle.dumps((target, options))
            given = repr(options) if here else cloudpickle.dumps(options)
        except Exception as error:
            raise PluginError(
                f"the options of reward {reward.name!r} cannot be sent to a worker process: {error}"
            ) from error
        declared = (reward.per, reward.needs, reward.uses, reward.memory_mb, reward.deterministic)
        limits = (limit, reward.setup_timeout_s, reward.concurrency, bound.lane)
        key = (name, target.identity, given, declared, limits)
        columns = None if reward.needs is None else (*reward.needs, *reward.uses)
        definition = Definition(
            reward.per is not Per.SAMPLE,
            columns,
            bool(reward.uses),
            reward.memory_mb,
            code,
            (target, options) if here else None,
        )
        with self._lock:
            self._check_open()
            if key not in self._components:
                number = len(self._components) + 1
                self._components[key] = Component(name, bound, limit, number, definition)
                if not here:
                    self._pool().preload(_modules(bound))
            return self._components[key]

    def _lane(self, lane: Lane) -> LaneRunner:
        with self._lock:
            self._check_open()
            if lane is Lane.PROCESS:
                return self._pool()
            if lane not in self._lanes:
                self._lanes[lane] = _IN_PROCESS[lane](self._scorers)
            return self._lanes[lane]

    def _pool(self) -> Pool:
        pool = self._lanes.get(Lane.PROCESS)
        if not isinstance(pool, Pool):
            pool = self._lanes[Lane.PROCESS] = Pool(self._workers)
        return pool

    def _work(self, component: Component, units: Sequence[Any], report: Any) -> Work:
        reward = component.bound.reward
        return Work(
            component.number,
            component.definition,
            component.timeout_s,
            reward.setup_timeout_s,
            reward.concurrency,
            units,
            report,
        )


class Waiting(Future[list[Score]]):
    """Scores that are on their way; `cancel()` ends the work behind them."""

    def __init__(self, give_up: Callable[[], None]) -> None:
        super().__init__()
        self._give_up = give_up

    def cancel(self) -> bool:
        """Give up: workers busy with this are killed, nothing more is begun."""
        if self.done():
            return self.cancelled()
        cancelled = super().cancel()
        self._give_up()
        return cancelled


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


def _extend(found: list[Score], _: Sequence[int], results: Sequence[Result]) -> None:
    found.extend(results[0][0])


# A unit that no reward is called with: it cannot be unpickled, so a worker only constructs the reward.
_EMPTY = b""

_engines: WeakSet[Engine] = WeakSet()
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
    _default_lock, _default = threading.Lock(), None
    for engine in list(_engines):
        engine.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
