"""The lanes of one process: each is made when it is first needed."""

import functools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from hub.engine.batch import BatchLane
from hub.engine.loop import AsyncLane
from hub.engine.pool import Pool
from hub.engine.wire import Result
from hub.engine.work import WARM_UP, InlineLane, Report, Scorers, Work
from hub.engine.work import Lane as LaneRunner
from hub.errors import EngineError
from hub.reward import Lane
from hub.score import Failure, Score

_IN_PROCESS: dict[Lane, Callable[[Scorers], LaneRunner]] = {
    Lane.INLINE: InlineLane,
    Lane.ASYNC: AsyncLane,
    Lane.BATCH: BatchLane,
}


class Lanes:
    """Where the work of one engine runs in this process.

    Args:
        workers: processes of the process lane.
        apart: see `Engine`.
    """

    def __init__(self, workers: int, apart: bool = False) -> None:
        self._workers = workers
        self._apart = apart
        self._scorers = Scorers()
        self._made: dict[Lane, LaneRunner] = {}
        self._lock = threading.Lock()
        self._closed = False

    def get(self, lane: Lane) -> LaneRunner:
        """Return a lane.

        Raises:
            EngineError: they are closed.
        """
        with self._lock:
            if self._closed:
                raise EngineError("this engine is closed; make a new one, or use hub.default_engine()")
            if lane not in self._made:
                if lane is Lane.PROCESS:
                    self._made[lane] = Pool(self._workers, self._apart)
                else:
                    self._made[lane] = _IN_PROCESS[lane](self._scorers)
            return self._made[lane]

    def preload(self, modules: list[tuple[str, str]]) -> None:
        """Have worker processes forked from now on find these modules (name, file) imported."""
        pool = self.get(Lane.PROCESS)
        assert isinstance(pool, Pool)
        pool.preload(modules)

    def construct(self, lane: Lane, work: Callable[[Sequence[Any], Report], Work]) -> "Future[str]":
        """Construct a reward before it is needed.

        Args:
            lane: where it runs.
            work: makes work for that reward of units and what is told of their results.

        Returns:
            What went wrong, or "". In the process lane it is waited for in the future, in the others here.
        """
        found: Future[str] = Future()
        if lane is not Lane.PROCESS:
            scorer = self._scorers.get(work([], lambda *_: None))
            found.set_result(scorer.detail if isinstance(scorer, Score) else "")
            return found
        first: list[Score] = []
        asked = work([WARM_UP], functools.partial(_extend, first))

        def finish() -> None:
            found.set_result(first[0].detail if first[0].reason is Failure.SETUP else "")

        asked.when_done(finish)
        self.get(lane).submit(asked)
        return found

    def close(self) -> None:
        """End every worker and thread; what is under way fails with `cancelled`."""
        with self._lock:
            self._closed = True
            lanes, self._made = self._made, {}
        for lane in lanes.values():
            lane.close()

    def forget(self) -> None:
        """In a forked child: let go of the parent's workers."""
        pool = self._made.get(Lane.PROCESS)
        if isinstance(pool, Pool):
            pool.forget()


def _extend(found: list[Score], _: Sequence[int], results: Sequence[Result]) -> None:
    found.extend(results[0][0])
