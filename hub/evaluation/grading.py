"""Scores completions while others are still being made.

A few threads take what is waiting, score it with the mix, and hand it on. Several, so that one sample at its
time limit does not keep the others' workers idle.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

from hub.engine.interface import AnyEngine
from hub.evaluation.folder import Key
from hub.mix.combine import MixScore
from hub.mix.mix import Mix
from hub.sample import Sample

Unit: TypeAlias = list[tuple[Key, Sample]]
"""Completions that are scored in one call: one, or all of a prompt where a reward compares them."""

THREADS = 4
BATCH = 64


class Grader:
    """Scores units in the background.

    Args:
        mix: what scores.
        engine: where it runs.
        deliver: given each scored batch; called by one thread at a time.
        batch: units that one thread takes at once.
    """

    def __init__(
        self,
        mix: Mix,
        engine: AnyEngine,
        deliver: Callable[[list[tuple[Key, Sample, MixScore]]], None],
        batch: int = BATCH,
    ) -> None:
        self._mix, self._engine, self._deliver, self._batch = mix, engine, deliver, batch
        self._waiting: list[Unit] = []
        self._busy = 0
        self._error: BaseException | None = None
        self._over = False
        self._change = threading.Condition()
        self._delivering = threading.Lock()
        # Daemons: at an interrupt nobody waits for a reward under way; its sample is scored on resume.
        self._threads = [
            threading.Thread(target=self._work, name="hub-grader", daemon=True) for _ in range(THREADS)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, units: Sequence[Unit]) -> None:
        """Put units in line.

        Raises:
            Exception: what scoring or delivering earlier ones has raised.
        """
        with self._change:
            self._raise_error()
            self._waiting += units
            self._change.notify(len(units))

    def pass_on(self, settled: Sequence[tuple[Key, Sample, MixScore]]) -> None:
        """Hand on what needs no scoring."""
        with self._delivering:
            if settled and not self._over:
                self._deliver(list(settled))

    def finish(self) -> None:
        """Wait until all is scored and delivered, or `abandon` was called.

        Raises:
            Exception: what scoring or delivering has raised.
        """
        with self._change:
            while (self._waiting or self._busy) and self._error is None and not self._over:
                self._change.wait()
            self._raise_error()
        self.abandon()

    def abandon(self) -> None:
        """Stop; nothing is delivered after this."""
        with self._change:
            self._over = True
            self._change.notify_all()
        with self._delivering:  # one delivery may be under way
            pass

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (units := self._take()) is not None:
            try:
                members = [member for unit in units for member in unit]
                scores = self._mix.score([sample for _, sample in members], engine=self._engine)
                scored = [(key, sample, score) for (key, sample), score in zip(members, scores, strict=True)]
                with self._delivering:
                    if not self._over:
                        self._deliver(scored)
            except BaseException as error:
                with self._change:
                    self._error = self._error or error
            finally:
                with self._change:
                    self._busy -= 1
                    self._change.notify_all()

    def _take(self) -> list[Unit] | None:
        """Wait for units; None: it is over."""
        with self._change:
            while not self._waiting and not self._over:
                self._change.wait()
            if self._over:
                return None
            units, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
            self._busy += 1
            return units
