"""The batch lane: whole batches in one thread of the calling process, for models on a GPU.

A call cannot be killed here. At its time limit the caller gets failures, and a new thread goes on with
the next call; the reward that is stuck stays `overloaded` until its call has returned.
"""

import threading
import time
from queue import SimpleQueue

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

    def submit(self, work: Work) -> None:
        """Queue every unit; return at once."""
        with self._lock:
            if self._inbox is None:
                self._inbox = self._start()
            for unit in range(len(work.units)):
                self._inbox.put((work, unit))

    def cancel(self, work: Work) -> None:
        """Units not yet begun will not begin."""
        work.cancelled = True

    def close(self) -> None:
        """Let the thread end after its call."""
        with self._lock:
            if self._inbox is not None:
                self._fail_all(self._inbox)
                self._inbox.put(None)
            self._inbox = None

    def _start(self) -> Inbox:
        inbox: Inbox = SimpleQueue()
        threading.Thread(target=self._serve, args=(inbox,), name="hub-batch", daemon=True).start()
        return inbox

    def _serve(self, inbox: Inbox) -> None:
        while (item := inbox.get()) is not None:
            work, unit = item
            if work.cancelled:
                work.fail(unit, Failure.CANCELLED, "the caller gave up")
                continue
            if work.number in self._stuck:
                detail = "an earlier call of this reward is still running past its time limit"
                work.fail(unit, Failure.OVERLOADED, detail)
                continue
            scorer = self._scorers.get(work)
            start = self._watch.begin(work, unit)
            scores = call_unit(scorer, work.units[unit], work.definition.many)
            self._watch.end(work, unit)
            work.settle((unit,), ((scores, start, time.monotonic_ns() - start),))
            if inbox is not self._inbox:
                self._stuck.discard(work.number)
                return

    def _abandon(self, late: list[tuple[Work, int, int]]) -> None:
        with self._lock:
            for work, unit, start in late:
                if work.is_settled(unit):
                    continue
                detail = f"ran past its limit of {work.timeout_s:g} s; this lane cannot kill it"
                old, self._inbox = self._inbox, self._start()
                self._stuck.add(work.number)
                work.fail(unit, Failure.TIMEOUT, detail, start)
                while old is not None and not old.empty():
                    self._inbox.put(old.get())

    @staticmethod
    def _fail_all(inbox: Inbox) -> None:
        while not inbox.empty():
            item = inbox.get()
            if item is not None:
                item[0].fail(item[1], Failure.CANCELLED, "the engine was closed")
