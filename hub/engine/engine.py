"""What callers use: scores samples with a reward, always as many scores as samples, in their order."""

import asyncio
import atexit
import os
import threading
from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from hub.engine.component import Component, accounts
from hub.engine.cores import default_workers
from hub.engine.lanes import Lanes
from hub.engine.submission import Submission
from hub.engine.waiting import Waiting, begin
from hub.errors import EngineError
from hub.reward import BoundReward, Lane
from hub.sample import Sample
from hub.score import Score


class Engine:
    """Runs rewards: in worker processes, inline, on an event loop or in batches.

    Safe to use from any thread and from several at once; a forked child makes its own.

    Args:
        workers: worker processes; by default this process's share of the cores (`HUB_WORKERS` overrides;
            see `hub.engine.cores`).
        cache: keep scores of deterministic rewards, and score duplicates once.
        apart: calls that take unusually long have cores apart from those of this process and its other
            workers, up to half of them: for a process that does nothing but answer, as a service does.
    """

    def __init__(self, workers: int | None = None, *, cache: bool = True, apart: bool = False) -> None:
        if workers is not None and workers < 1:
            raise EngineError(f"an engine needs at least one worker process, not {workers}")
        self._cache = cache
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._components: dict[Any, Component] = {}
        self._added: WeakKeyDictionary[BoundReward, dict[Any, Component]] = WeakKeyDictionary()
        self._lanes = Lanes(workers or default_workers(), apart)
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
        lane = self._lanes.get(component.bound.lane)
        return begin(lane, Submission(component, list(samples), self._cache))

    def warm(self, components: Sequence[Component]) -> dict[str, str]:
        """Construct rewards before they are needed; return what went wrong, by component name."""
        lanes = self._lanes
        asked = [(c.name, lanes.construct(c.bound.lane, c.work)) for c in components]
        return {name: wrong.result() for name, wrong in asked if wrong.result()}

    def stats(self) -> dict[str, dict[str, Any]]:
        """Return the accounts of every component, by name (see `accounts`)."""
        return accounts(list(self._components.values()))

    def close(self) -> None:
        """End every worker and thread; what is under way fails with `cancelled`."""
        atexit.unregister(self.close)
        with self._lock:
            already, self._closed = self._closed, True
        if not already and os.getpid() == self._pid:
            self._lanes.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called, or this process is a fork of the one that made the engine."""
        return self._closed or os.getpid() != self._pid

    def forget(self) -> None:
        """In a forked child: let go of the parent's workers."""
        self._closed, self._lock = True, threading.Lock()
        atexit.unregister(self.close)
        self._lanes.forget()

    def _check_open(self) -> None:
        if self.closed:
            raise EngineError("this engine is closed; make a new one, or use hub.default_engine()")

    def _find_or_make(self, bound: BoundReward, name: str, timeout_s: float | None) -> Component:
        stays = bound.lane is not Lane.PROCESS
        made = Component.of(bound, name, timeout_s, bound.target, stays=stays)
        with self._lock:
            self._check_open()
            component = self._components.setdefault(made.key, made)
            if component is made:
                made.number = len(self._components)
                if not stays:
                    self._lanes.preload(made.modules)
            return component


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
