"""The batch lane: whole batches in one thread of the calling process, for models on a GPU.

A call cannot be killed here. At its time limit the caller gets failures, and a new thread goes on with
the next call; the reward that is stuck stays `overloaded` until its call has returned.
"""

import threading
import time
from queue import SimpleQueue

from hub.engine.call import failure_of
from hub.engine.work import Scorers, Watch, Work, call_unit
from hub.score import Failure

Inbox = SimpleQueue[tuple[Work, int] | None]


class BatchLane:
    """One call at a time, in the order of submission."""

    def __init__(self, scorers: Scorers) -> None:
        self._scorers = scorers
        self._inbox: Inbox | None = None
        self._stuck: set[int] = set()
        self._watch = Watch(self._abandon, grace_s=0.0)
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, work: Work) -> None:
        """Queue every unit; return at once."""
        with self._lock:
            if not self._closed:
                self._inbox = self._inbox or self._start()
                for unit in range(len(work.units)):
                    self._inbox.put((work, unit))
                return
        work.fail_all(Failure.CANCELLED, "the engine was closed")

    def cancel(self, work: Work) -> None:
        """Units not yet begun will not begin."""
        work.cancelled = True

    def close(self) -> None:
        """Let the thread end after its call."""
        with self._lock:
            self._closed = True
            inbox, self._inbox = self._inbox, None
        if inbox is not None:
            while not inbox.empty():
                item = inbox.get()
                if item is not None:
                    item[0].fail(item[1], Failure.CANCELLED, "the engine was closed")
            inbox.put(None)
        self._watch.close()

    def _start(self) -> Inbox:
        inbox: Inbox = SimpleQueue()
        threading.Thread(target=self._serve, args=(inbox,), name="hub-batch", daemon=True).start()
        return inbox

    def _serve(self, inbox: Inbox) -> None:
        while (item := inbox.get()) is not None:
            work, unit = item
            try:
                self._call(work, unit)
            except BaseException as error:  # whatever it is, the next call is made
                work.fail(unit, Failure.EXCEPTION, failure_of(error).detail)
            with self._lock:
                if inbox is not self._inbox and not self._closed:
                    self._stuck.discard(work.number)
                    return

    def _call(self, work: Work, unit: int) -> None:
        if work.cancelled:
            work.fail(unit, Failure.CANCELLED, "the caller gave up")
            return
        if work.number in self._stuck:
            detail = "an earlier call of this reward is still running past its time limit"
            work.fail(unit, Failure.OVERLOADED, detail)
            return
        scorer = self._scorers.get(work)
        start = self._watch.begin(work, unit)
        scores = call_unit(scorer, work.units[unit], work.definition.many)
        self._watch.end(work, unit)
        work.settle((unit,), ((scores, start, time.monotonic_ns() - start),))

    def _abandon(self, late: list[tuple[Work, int, int]]) -> None:
        for work, unit, start in late:
            with self._lock:
                if work.is_settled(unit) or self._closed:
                    continue
                old, self._inbox = self._inbox, self._start()
                self._stuck.add(work.number)
                while old is not None and not old.empty():
                    self._inbox.put(old.get())
            detail = f"ran past its limit of {work.timeout_s:g} s; this lane cannot kill it"
            work.fail(unit, Failure.TIMEOUT, detail, start)
