"""Work that a lane is given, and the watch over calls that run in the calling process."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.engine.call import call_many, call_one, failure_of, is_from_user
from hub.engine.wire import Result
from hub.engine.worker import Definition
from hub.score import Failure, Score

Scorer = Callable[..., Any] | Score
"""A constructed reward, or the score that says why it could not be constructed."""
Report = Callable[[Sequence[int], Sequence[Result]], None]
"""Told of finished units: their indices and their results."""
WARM_UP = b""
"""A unit that no reward is called with: it cannot be unpickled, so a worker only constructs the reward."""


@dataclass(eq=False)
class Work:
    """Calls of one reward that one caller waits for.

    Args:
        number: the reward's number in this engine.
        definition: how a worker finds it.
        timeout_s: seconds for one call; None for no limit.
        setup_timeout_s: seconds for its construction.
        concurrency: calls under way at once in the async lane.
        units: what each call is given: pickled fields (process lane), else a sample or a list.
        report: told of finished units: their indices and their results; a result with one score is for
            every sample of its unit.
        cancelled: the caller gave up.
        error: why there are no scores at all, which the caller is told in their place.
        retried: units begun a second time, because the server died with their worker.
    """

    number: int
    definition: Definition
    timeout_s: float | None
    setup_timeout_s: float
    concurrency: int
    units: Sequence[Any]
    report: Report
    cancelled: bool = False
    error: Exception | None = None
    retried: set[int] = field(default_factory=set)
    left: int = field(init=False)
    _settled: bytearray = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _then: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.left = len(self.units)
        self._settled = bytearray(self.left)

    def when_done(self, then: Callable[[], None]) -> None:
        """Have this called when every unit is settled; now, where that is so. It is let go of then."""
        with self._lock:
            if self.left:
                self._then = then
                return
        then()

    def settle(self, units: Sequence[int], results: Sequence[Result]) -> None:
        """Report finished units. The first report counts; a late one of an abandoned call does not."""
        settled = self._settled
        with self._lock:
            if any(map(settled.__getitem__, units)):
                pairs = [(u, r) for u, r in zip(units, results, strict=True) if not settled[u]]
                units, results = [u for u, _ in pairs], [r for _, r in pairs]
            for unit in units:
                settled[unit] = 1
            self.report(units, results)
            self.left -= len(units)
            then = None
            if not self.left:
                then, self._then = self._then, None
        if then is not None:
            then()

    def fail(self, unit: int, reason: Failure, detail: str, start_ns: int | None = None) -> None:
        """Report a unit that has no score."""
        now = time.monotonic_ns()
        start_ns = now if start_ns is None else start_ns
        self.settle((unit,), (([Score.failed(reason, detail)], start_ns, now - start_ns),))

    def fail_all(self, reason: Failure, detail: str) -> None:
        """Report every unit that is not settled yet as having no score."""
        now = time.monotonic_ns()
        units = [unit for unit, settled in enumerate(self._settled) if not settled]
        if units:
            self.settle(units, [([Score.failed(reason, detail)], now, 0)] * len(units))

    def abort(self, error: Exception) -> None:
        """Have the caller get an error: nothing can be scored, and it is not the samples' doing."""
        self.error = error
        self.fail_all(Failure.UNAVAILABLE, str(error))

    def warm_up(self) -> "Work":
        """Return work that has a worker process construct the same reward, and nobody waits for."""
        return Work(
            self.number,
            self.definition,
            self.timeout_s,
            self.setup_timeout_s,
            self.concurrency,
            (WARM_UP,),
            lambda *_: None,
        )

    def is_settled(self, unit: int) -> bool:
        """Whether the unit has been reported."""
        return bool(self._settled[unit])


class Lane(Protocol):
    """Where calls run."""

    def submit(self, work: Work) -> None:
        """Take work; every unit of it is settled sooner or later."""

    def cancel(self, work: Work) -> None:
        """The caller gave up: spend no more time on this work."""

    def close(self) -> None:
        """End everything that runs; unsettled work fails with `cancelled`."""


class Scorers:
    """Rewards constructed in this process, each once. No time limit can hold for that here."""

    def __init__(self) -> None:
        self._made: dict[int, Scorer] = {}
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def has(self, work: Work) -> bool:
        """Whether the reward that this work is for has been constructed."""
        return work.number in self._made

    def get(self, work: Work) -> Scorer:
        """Return the reward that this work is for."""
        with self._locks[work.number]:
            if work.number not in self._made:
                try:
                    self._made[work.number] = work.definition.construct()
                except BaseException as error:  # SystemExit too
                    if is_from_user(error):
                        raise
                    self._made[work.number] = Score.failed(Failure.SETUP, failure_of(error).detail)
            return self._made[work.number]


class InlineLane:
    """Runs in the caller's thread, one call after the other, without time limits."""

    def __init__(self, scorers: Scorers) -> None:
        self._scorers = scorers

    def submit(self, work: Work) -> None:
        """Score everything now."""
        scorer, many, clock = self._scorers.get(work), work.definition.many, time.monotonic_ns
        results: list[Result] = []
        if many or type(scorer) is Score:
            for unit in work.units:
                start = clock()
                scores = call_unit(scorer, unit, many)
                results.append((scores, start, clock() - start))
        else:
            for sample in work.units:
                start = clock()
                score = call_one(scorer, sample)
                results.append(([score], start, clock() - start))
        work.settle(range(len(results)), results)

    def cancel(self, work: Work) -> None:
        """Nothing is under way when `submit` has returned."""

    def close(self) -> None:
        """Nothing to close."""


def call_unit(scorer: Scorer, unit: Any, many: bool) -> list[Score]:
    """Make one call."""
    if type(scorer) is Score:
        return [scorer]
    return call_many(scorer, unit) if many else [call_one(scorer, unit)]


class Watch:
    """Knows which calls are running in this process, and since when; tells when one is overdue.

    Args:
        overdue: called in the watch's thread with the calls that ran `grace_s` past their limit.
        grace_s: seconds beyond the limit, for calls that a limit of their own should have ended.
    """

    def __init__(self, overdue: Callable[[list[tuple[Work, int, int]]], None], grace_s: float) -> None:
        self._overdue, self._grace_ns = overdue, int(grace_s * 1e9)
        self._running: dict[tuple[Work, int], int] = {}
        self._busy = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def begin(self, work: Work, unit: int) -> int:
        """A call starts; returns its start (monotonic ns)."""
        start = time.monotonic_ns()
        if work.timeout_s is not None:
            self._running[work, unit] = start
            self._busy.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hub-watch", daemon=True)
                self._thread.start()
        return start

    def end(self, work: Work, unit: int) -> None:
        """A call returned."""
        self._running.pop((work, unit), None)

    def close(self) -> None:
        """Let the thread end."""
        self._closed = True
        self._busy.set()

    def _run(self) -> None:
        while not self._closed:
            if not self._running:
                self._busy.clear()
                if not self._running and not self._closed:
                    self._busy.wait()
            time.sleep(0.02)
            now = time.monotonic_ns()
            late = [
                (work, unit, start)
                for (work, unit), start in list(self._running.items())
                if now - start > (work.timeout_s or 0) * 1e9 + self._grace_ns
            ]
            for work, unit, _ in late:
                self.end(work, unit)
            if late:
                self._overdue(late)
