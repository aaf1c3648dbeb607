"""The async lane: coroutines with a concurrency limit, on an event loop in a thread of its own.

A call's clock starts when it gets one of its reward's places. A coroutine that blocks the loop is past
its limit without having been cancelled: it fails with `timeout`, a fresh loop takes over, and the calls
that were waiting behind it begin again there. (One that holds the GIL in C code cannot be helped in this
lane: such a reward should be sync, and so run in a process.)
"""

import asyncio
import threading
import time
from dataclasses import dataclass, field

from hub.engine.call import as_score, as_scores, failure_of
from hub.engine.work import Scorer, Scorers, Watch, Work
from hub.score import Failure, Score

Call = tuple[Work, int]


@dataclass(eq=False)
class Loop:
    """One event loop, its thread, and the calls on it."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    places: dict[int, asyncio.Semaphore] = field(default_factory=dict)
    calls: dict[Call, asyncio.Task[None] | None] = field(default_factory=dict)
    abandoned: bool = False

    def start(self) -> "Loop":
        """Run in a thread until stopped."""
        threading.Thread(target=self._run, name="hub-async", daemon=True).start()
        return self

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.close()

    def stop_soon(self) -> None:
        """Cancel what is on it and stop; does nothing while it is blocked."""
        self.loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        ended = asyncio.gather(*tasks, return_exceptions=True)
        ended.add_done_callback(lambda _: self.loop.stop())


class AsyncLane:
    """Coroutines of all async rewards of one engine."""

    def __init__(self, scorers: Scorers) -> None:
        self._scorers = scorers
        self._lock = threading.Lock()
        self._current: Loop | None = None
        self._closed = False
        self._watch = Watch(self._replace, grace_s=1.0)

    def submit(self, work: Work) -> None:
        """Start every call; return at once."""
        if self._scorers.has(work):
            self._construct(work)
        else:  # in a thread of its own: it may take long, and must block neither the caller nor the loop
            threading.Thread(target=self._construct, args=(work,), name="hub-construct", daemon=True).start()

    def cancel(self, work: Work) -> None:
        """Cancel the calls of this work."""
        work.cancelled = True
        current = self._current
        if current is not None:
            tasks = [task for (of, _), task in list(current.calls.items()) if of is work and task]
            current.loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
        work.fail_all(Failure.CANCELLED, "the caller gave up")

    def close(self) -> None:
        """Cancel everything and stop the loop."""
        with self._lock:
            self._closed = True
            current, self._current = self._current, None
        if current is not None:
            for work, _ in list(current.calls):
                work.cancelled = True
                work.fail_all(Failure.CANCELLED, "the engine was closed")
            current.stop_soon()
        self._watch.close()

    def _construct(self, work: Work) -> None:
        scorer = self._scorers.get(work)
        with self._lock:
            self._begin([(work, unit) for unit in range(len(work.units))], scorer)

    def _begin(self, calls: list[Call], scorer: Scorer | None = None) -> None:
        if self._closed:
            for work, _ in calls:
                work.fail_all(Failure.CANCELLED, "the engine was closed")
            return
        current = self._current = self._current or Loop().start()
        current.calls.update(dict.fromkeys(calls))
        current.loop.call_soon_threadsafe(self._create, current, calls, scorer)

    def _create(self, on: Loop, calls: list[Call], scorer: Scorer | None) -> None:
        for work, unit in calls:
            task = on.loop.create_task(self._one(on, work, unit, scorer or self._scorers.get(work)))
            on.calls[work, unit] = task
            task.add_done_callback(lambda _, call=(work, unit): on.calls.pop(call, None))  # type: ignore[misc]

    async def _one(self, on: Loop, work: Work, unit: int, scorer: Scorer) -> None:
        try:
            async with on.places.setdefault(work.number, asyncio.Semaphore(work.concurrency)):
                if work.cancelled or on.abandoned:
                    return
                start = self._watch.begin(work, unit)
                try:
                    scores = await _call(work, unit, scorer)
                finally:
                    if not on.abandoned:
                        self._watch.end(work, unit)
                work.settle((unit,), ((scores, start, time.monotonic_ns() - start),))
        except asyncio.CancelledError as error:
            if work.cancelled or on.abandoned:
                raise
            work.fail(unit, Failure.EXCEPTION, failure_of(error).detail)
        except BaseException as error:
            work.fail(unit, Failure.EXCEPTION, failure_of(error).detail)

    def _replace(self, late: list[tuple[Work, int, int]]) -> None:
        """A loop is blocked: blame the call that blocks it, and begin the others on a fresh one."""
        with self._lock:
            late = [call for call in late if not call[0].is_settled(call[1])]
            blocked, self._current = self._current, None
            if not late or blocked is None:
                self._current = blocked
                return
            blocked.abandoned = True
            culprit = asyncio.current_task(blocked.loop)
            guilty = [call for call in late if blocked.calls.get((call[0], call[1])) is culprit]
            for work, unit, start in guilty or late:
                detail = f"ran past its limit of {work.timeout_s:g} s and blocked the event loop"
                work.fail(unit, Failure.TIMEOUT, detail, start)
            rest = [call for call in blocked.calls if not call[0].is_settled(call[1])]
            for work, unit in rest:
                self._watch.end(work, unit)
            self._begin(rest)
        blocked.stop_soon()


async def _call(work: Work, unit: int, scorer: Scorer) -> list[Score]:
    if isinstance(scorer, Score):
        return [scorer]
    try:
        async with asyncio.timeout(work.timeout_s) as limit:
            value = await scorer(work.units[unit])
    except TimeoutError as error:
        if limit.expired():
            return [Score.failed(Failure.TIMEOUT, f"ran past its limit of {work.timeout_s:g} s")]
        return [failure_of(error)]
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return [failure_of(error)]
    return as_scores(value, len(work.units[unit])) if work.definition.many else [as_score(value)]
