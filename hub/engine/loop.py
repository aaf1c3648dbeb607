"""The async lane: coroutines with a concurrency limit, on an event loop in a thread of its own.

A call's clock starts when it gets one of its reward's places. A coroutine that blocks the loop is past
its limit without having been cancelled: it fails with `timeout`, a fresh loop takes over, and calls that
had not begun move there. (One that holds the GIL in C code cannot be helped in this lane: such a reward
should be sync, and so run in a process.)
"""

import asyncio
import threading
import time

from hub.engine.call import as_score, as_scores, failure_of
from hub.engine.work import Scorer, Scorers, Watch, Work
from hub.score import Failure, Score


class AsyncLane:
    """Coroutines of all async rewards of one engine."""

    def __init__(self, scorers: Scorers) -> None:
        self._scorers = scorers
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._places: dict[int, asyncio.Semaphore] = {}
        self._waiting: dict[tuple[Work, int], None] = {}
        self._tasks: dict[Work, set[asyncio.Task[None]]] = {}
        self._watch = Watch(self._replace, grace_s=1.0)

    def submit(self, work: Work) -> None:
        """Start every call; return at once."""
        with self._lock:
            for unit in range(len(work.units)):
                self._waiting[work, unit] = None
            self._begin([(work, unit) for unit in range(len(work.units))])

    def cancel(self, work: Work) -> None:
        """Cancel the calls of this work."""
        work.cancelled = True
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(lambda: [t.cancel() for t in self._tasks.get(work, ())])

    def close(self) -> None:
        """Cancel everything and stop the loop."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            for work in list(self._tasks):
                work.cancelled = True
            loop.call_soon_threadsafe(_stop, loop)

    def _begin(self, calls: list[tuple[Work, int]]) -> None:
        if self._loop is None:
            self._loop, self._places, self._tasks = asyncio.new_event_loop(), {}, {}
            threading.Thread(target=_run, args=(self._loop,), name="hub-async", daemon=True).start()
        self._loop.call_soon_threadsafe(self._create, self._loop, calls)

    def _create(self, loop: asyncio.AbstractEventLoop, calls: list[tuple[Work, int]]) -> None:
        for work, unit in calls:
            scorer = self._scorers.get(work)
            tasks = self._tasks.setdefault(work, set())
            task = loop.create_task(self._one(loop, work, unit, scorer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            work.done.add_done_callback(lambda _, work=work: self._tasks.pop(work, None))  # type: ignore[misc]

    async def _one(self, loop: asyncio.AbstractEventLoop, work: Work, unit: int, scorer: Scorer) -> None:
        try:
            async with self._places.setdefault(work.number, asyncio.Semaphore(work.concurrency)):
                if loop is not self._loop and not work.cancelled:
                    return  # this loop was stuck; the call has moved to the next
                self._waiting.pop((work, unit), None)
                start = self._watch.begin(work, unit)
                try:
                    scores = await _call(work, unit, scorer)
                finally:
                    self._watch.end(work, unit)
                work.settle((unit,), ((scores, start, time.monotonic_ns() - start),))
        except asyncio.CancelledError:
            work.fail(unit, Failure.CANCELLED, "the caller gave up")
            raise

    def _replace(self, late: list[tuple[Work, int, int]]) -> None:
        with self._lock:
            late = [call for call in late if not call[0].is_settled(call[1])]
            if not late:
                return
            self._loop = None
            for work, unit, start in late:
                detail = f"ran past its limit of {work.timeout_s:g} s and blocked the event loop"
                work.fail(unit, Failure.TIMEOUT, detail, start)
            if self._waiting:
                self._begin(list(self._waiting))


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


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    gathered = asyncio.gather(*tasks, return_exceptions=True)
    gathered.add_done_callback(lambda _: loop.stop())
