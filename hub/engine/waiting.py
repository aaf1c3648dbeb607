"""Scores that are on their way."""

from collections.abc import Callable
from concurrent.futures import Future

from hub.engine.submission import Submission
from hub.engine.work import Lane
from hub.score import Score


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


def begin(lane: Lane, batch: Submission) -> Waiting:
    """Have a lane make the calls of a submission."""
    work = batch.component.work(batch.calls(), batch.report)
    waiting = Waiting(lambda: lane.cancel(work))

    def finish() -> None:
        scores = batch.finish()
        if waiting.set_running_or_notify_cancel():
            if work.error is not None:
                waiting.set_exception(work.error)
            else:
                waiting.set_result(scores)

    work.when_done(finish)
    if work.units:
        lane.submit(work)
    return waiting
