"""Samples that a trainer hands over one by one, scored in batches and whole groups."""

import asyncio
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field, replace

from hub.engine.interface import AnyEngine
from hub.errors import BadInput, ConfigError, EngineError
from hub.mix.combine import MixScore
from hub.mix.mix import Mix
from hub.sample import Sample
from hub.training.lower import Lowered, group_means, has_total, lower_one

THREADS = 16
"""Batches that are scored at once."""
BATCH = 64
"""Samples in a batch at most, but for a group that is larger: a slow one delays those that it came with."""
_log = logging.getLogger(__name__)


class Gatherer:
    """Scores samples that come one at a time, from any thread or event loop.

    What waits is scored together, in batches. Where the mix compares the samples of a group, a sample waits
    until its group is whole. In any other mix it is answered as soon as it is scored, unless it has no total:
    then it waits for the rest of its group, whose mean it is given (see `hub.training.lower`).

    Args:
        mix: what to score with.
        group_size: samples per group, as the trainer generates them; None where it is not known: then a
            sample without a total is given the mean of what is known of its group.
        engine: by default this process's own.
        wait_s: seconds without a new sample after which a group that is not whole is closed: what there is of
            it is all that there will be, as the trainer gave the others up.

    Raises:
        ConfigError: the mix compares the samples of a group, and their number is not known.
    """

    def __init__(
        self,
        mix: Mix,
        *,
        group_size: int | None = None,
        engine: AnyEngine | None = None,
        wait_s: float = 600.0,
    ) -> None:
        if group_size is not None and group_size < 1:
            raise ConfigError(f"group_size should be at least 1, not {group_size}")
        comparing = mix.compares
        if comparing and group_size is None:
            raise ConfigError(
                f"{', '.join(comparing)}: needs all completions of a prompt, so it must be known how many "
                "there are (group_size)"
            )
        self.mix, self.group_size = mix, group_size
        self.counts = {"samples": 0, "missing": 0, "groups_without_total": 0, "groups_incomplete": 0}
        self._compares, self._engine, self._wait_s = bool(comparing), engine, wait_s
        self._open: dict[Hashable, _Group] = {}
        self._numbers = itertools.count()
        self._ready: deque[list[_Asked]] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._idle, self._closed = 0, False

    def submit(self, sample: Sample, *, step: int | None = None) -> "Future[Lowered]":
        """Ask for a sample's numbers.

        Args:
            sample: its `group` tells which samples belong together; None: those of an equal prompt.
            step: the training step, for schedules; None: the end of each.

        Returns:
            A future; it raises `RewardFailed` where a reward failed and the mix says `on_failure = "raise"`.

        Raises:
            BadInput: it is not a `hub.Sample`.
            EngineError: the gatherer is closed.
        """
        if not isinstance(sample, Sample):
            raise BadInput(f"a gatherer takes a hub.Sample, not {type(sample).__name__}")
        key = sample.group if sample.group is not None else repr(sample.prompt)
        with self._changed:
            if self._closed:
                raise EngineError("this gatherer is closed")
            self.counts["samples"] += 1
            group = self._open.get(key)
            if group is None:
                group = self._open[key] = _Group((key, next(self._numbers)))
            asked = _Asked(sample, step, group)
            group.add(asked)
            if len(group.samples) == self.group_size:
                del self._open[key]  # another sample of this prompt begins another group
                group.is_closed = True
            if not self._compares:
                self._ready.append([asked])
            elif group.is_closed:
                self._ready.append(group.samples)
            self._wake()
        return asked.future

    def score(self, sample: Sample, *, step: int | None = None) -> Lowered:
        """Return a sample's numbers; blocks until they are there (see `submit`)."""
        return self.submit(sample, step=step).result()

    async def ascore(self, sample: Sample, *, step: int | None = None) -> Lowered:
        """Return a sample's numbers without blocking the event loop (see `submit`)."""
        return await asyncio.wrap_future(self.submit(sample, step=step))

    def close(self) -> None:
        """Close every group as it is, answer what waits, and end the threads."""
        with self._changed:
            self._closed = True
            self._close_groups(older_than=float("inf"))
            if self._ready:
                self._wake()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _wake(self) -> None:
        if not self._idle and len(self._threads) < THREADS:
            thread = threading.Thread(target=self._work, daemon=True, name="hub-gather")
            self._threads.append(thread)
            thread.start()
        self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._ready:
                    if self._closed:
                        return
                    self._idle += 1
                    self._changed.wait(self._wait_s / 4 if self._open else None)
                    self._idle -= 1
                    self._close_groups(older_than=time.monotonic() - self._wait_s)
                batch = self._take()
            self._score(batch)

    def _take(self) -> list["_Asked"]:
        """Take samples of the same step; a group that is compared stays together."""
        batch = list(self._ready.popleft())
        while self._ready and len(batch) + len(self._ready[0]) <= BATCH:
            if self._ready[0][0].step != batch[0].step:
                break
            batch += self._ready.popleft()
        return batch

    def _score(self, batch: list["_Asked"]) -> None:
        # Two groups of one prompt may be in one batch.
        samples = [replace(asked.sample, group=asked.group.name) for asked in batch]
        try:
            results = self.mix.score(samples, step=batch[0].step, engine=self._engine)
        except BaseException as error:
            for asked in batch:
                for waiting in asked.group.samples:
                    waiting.fail(error)
            return
        with self._changed:
            for asked, result in zip(batch, results, strict=True):
                asked.result = result
                if not has_total(result):
                    self.counts["missing"] += 1
            for asked in batch:
                self._settle(asked)

    def _settle(self, asked: "_Asked") -> None:
        """Answer a sample that was scored, and what waited for it."""
        group = asked.group
        group.scored += 1
        if group.is_closed and group.scored == len(group.samples):
            self._finish(group)
        elif asked.result is not None and (has_total(asked.result) or self.group_size is None):
            asked.answer(group_means(group.results()))

    def _finish(self, group: "_Group") -> None:
        results = group.results()
        if results and not any(map(has_total, results)):
            self.counts["groups_without_total"] += 1
            total = results[0].total
            _log.warning("a group has no sample with a total: %s: %.300s", total.reason, total.detail)
        means = group_means(results)
        for asked in group.samples:
            asked.answer(means)

    def _close_groups(self, older_than: float) -> None:
        """Close groups to which no sample was added since then, as they are."""
        for key, group in list(self._open.items()):
            if group.latest > older_than:
                continue
            del self._open[key]
            group.is_closed = True
            if self.group_size is not None:
                self.counts["groups_incomplete"] += 1
            if self._compares:
                self._ready.append(group.samples)
            elif group.scored == len(group.samples):
                self._finish(group)


class _Group:
    """The samples of one prompt."""

    def __init__(self, name: Hashable) -> None:
        self.name = name
        self.samples: list[_Asked] = []
        self.scored, self.latest = 0, 0.0
        self.is_closed = False

    def add(self, asked: "_Asked") -> None:
        self.samples.append(asked)
        self.latest = time.monotonic()

    def results(self) -> list[MixScore]:
        return [asked.result for asked in self.samples if asked.result is not None]


@dataclass(eq=False)
class _Asked:
    """A sample whose numbers somebody waits for."""

    sample: Sample
    step: int | None
    group: _Group = field(repr=False)
    future: "Future[Lowered]" = field(default_factory=Future, repr=False)
    result: MixScore | None = field(default=None, repr=False)

    def answer(self, means: tuple[float, dict[str, float]]) -> None:
        if self.result is not None:
            with suppress(InvalidStateError):  # the caller gave up, or it was answered before
                self.future.set_result(lower_one(self.result, *means))

    def fail(self, error: BaseException) -> None:
        with suppress(InvalidStateError):
            self.future.set_exception(error)
