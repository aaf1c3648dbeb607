"""Samples that a trainer hands over one by one, scored in batches and whole groups."""

import asyncio
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Hashable, Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import replace

from hub.engine.interface import AnyEngine
from hub.errors import BadInput, ConfigError, EngineError, RewardFailed
from hub.mix.combine import MixScore
from hub.mix.mix import Mix, raise_failures
from hub.sample import Sample
from hub.training.lower import Lowered, group_means, has_total, is_whole, lower_one
from hub.training.prompt import prompt_key

THREADS = 16
"""Batches that are scored at once."""
BATCH = 64
"""Samples in a batch at most, but for a group that is larger: a slow one delays those that it came with."""
REMEMBERED = 1024
"""Samples of a prompt whose mean is known, where no group size is: then another group begins."""
AGAIN_S = 10.0
"""How long a group waits at most for a sample to be asked for again that was lost or withdrawn."""
IDLE_S = 10.0
"""Seconds without work after which a thread ends."""
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
        self._threads: set[threading.Thread] = set()
        self._idle, self._closed = 0, False

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, and no group is open."""
        with self._changed:
            return not self._open and not self._ready and self._idle == len(self._threads)

    def submit(self, sample: Sample, *, step: int | None = None) -> "Future[Lowered]":
        """Ask for a sample's numbers.

        Args:
            sample: its `group` tells which samples belong together; None: those of an equal prompt.
            step: the training step, for schedules; None: the end of each.

        Returns:
            A future; it raises `RewardFailed` where a reward failed and the mix says `on_failure = "raise"`.
            Cancelling it takes the sample out of its group, as does an error: asked for again soon, it takes
            its place there.

        Raises:
            BadInput: it is not a `hub.Sample`.
            EngineError: the gatherer is closed.
        """
        if not isinstance(sample, Sample):
            raise BadInput(f"a gatherer takes a hub.Sample, not {type(sample).__name__}")
        key = sample.group if sample.group is not None else prompt_key(sample.prompt)
        with self._changed:
            if self._closed:
                raise EngineError("this gatherer is closed")
            self.counts["samples"] += 1
            group = self._open.get(key)
            if group is None:
                group = self._open[key] = _Group(key, next(self._numbers))
            asked = _Asked(sample, step, group)
            asked.add_done_callback(self._if_cancelled)
            group.add(asked)
            if len(group.samples) == (self.group_size or REMEMBERED):
                del self._open[key]  # another sample of this prompt begins another group
                group.is_closed = True
            if not self._compares:
                self._ready.append([asked])
            elif group.is_closed:
                self._ready.append(list(group.samples))
            self._wake()
        return asked

    def score(self, sample: Sample, *, step: int | None = None) -> Lowered:
        """Return a sample's numbers; blocks until they are there (see `submit`)."""
        return self.submit(sample, step=step).result()

    async def ascore(self, sample: Sample, *, step: int | None = None) -> Lowered:
        """Return a sample's numbers without blocking the event loop (see `submit`)."""
        return await asyncio.wrap_future(self.submit(sample, step=step))

    def withdraw(self, futures: "Iterable[Future[Lowered]]") -> None:
        """Take samples out of their groups, whether they are answered or not: nobody uses the answers.

        Args:
            futures: from `submit`. Asked for again, the samples take their places.
        """
        for future in futures:
            if not future.cancel() and isinstance(future, _Asked):
                self._drop(future)
        with self._changed:  # they would lie there until a thread is free
            self._ready = deque(one for one in self._ready if not any(asked.is_gone for asked in one))

    @staticmethod
    def result_of(future: "Future[Lowered]") -> MixScore | None:
        """Return what the mix made of a sample, from `submit`; None while it is not scored."""
        return future.scored if isinstance(future, _Asked) else None

    def close(self) -> None:
        """Close every group as it is, answer what waits, and end the threads."""
        with self._changed:
            self._closed = True
            self._close_groups(older_than=float("inf"))
            if self._ready:
                self._wake()
            self._changed.notify_all()
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _wake(self) -> None:
        if not self._idle and len(self._threads) < THREADS:
            thread = threading.Thread(target=self._work, daemon=True, name="hub-gather")
            self._threads.add(thread)
            thread.start()
        self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._wait():
                    self._threads.discard(threading.current_thread())
                    return
                batch = self._take()
                if self._ready:
                    self._wake()  # several asked for one idle thread
            if batch:
                self._score(batch)

    def _wait(self) -> bool:
        """Wait for work; False where there is none any more."""
        while not self._ready:
            if self._closed:
                return False
            self._idle += 1
            notified = self._changed.wait(min(self._wait_s, AGAIN_S) / 4 if self._open else IDLE_S)
            self._idle -= 1
            self._close_groups(older_than=time.monotonic() - self._wait_s)
            if not (self._ready or self._open or notified):
                return False
        return True

    def _take(self) -> list["_Asked"]:
        """Take samples of the same step; a group that is compared stays together."""
        batch: list[_Asked] = []
        while self._ready and (not batch or len(batch) + len(self._ready[0]) <= BATCH):
            if batch and self._ready[0][0].step != batch[0].step:
                break
            together = self._ready.popleft()
            if not any(asked.is_gone for asked in together):
                batch += together
        return batch

    def _score(self, batch: list["_Asked"]) -> None:
        # Two groups of one prompt may be in one batch.
        samples = [replace(asked.sample, group=asked.group.name) for asked in batch]
        try:
            results = self.mix.score(samples, step=batch[0].step, engine=self._engine)
        except RewardFailed as stopped:
            results = list(stopped.results)
            if not results:
                self._fail(batch, stopped)
                return
            for asked, result in zip(batch, results, strict=True):
                try:
                    raise_failures([result])
                except RewardFailed as own:  # the others of the batch may be somebody else's
                    self._fail([asked], own)
        except BaseException as error:
            self._fail(batch, error)
            return
        with self._changed:
            pairs = zip(batch, results, strict=True)
            here = [(asked, result) for asked, result in pairs if not asked.is_gone]
            for asked, result in here:
                asked.again, asked.scored = asked.scored is not None, result
                self.counts["missing"] += not has_total(result)
            for asked, result in here:
                self._settle(asked, result)

    def _fail(self, batch: list["_Asked"], error: BaseException) -> None:
        for asked in batch:
            self._drop(asked)
            with suppress(InvalidStateError):
                asked.set_exception(error)

    def _if_cancelled(self, future: "Future[Lowered]") -> None:
        if future.cancelled() and isinstance(future, _Asked):
            self._drop(future)

    def _drop(self, asked: "_Asked") -> None:
        """Take a sample out of its group, which is open again for the one that takes its place."""
        with self._changed:
            group = asked.group
            if asked.is_gone:
                return
            asked.is_gone = True
            group.samples.remove(asked)
            group.scored -= asked.scored is not None
            if group.is_closed and group.samples and group.key not in self._open and not self._closed:
                self._open[group.key] = group
                group.is_closed = False
                group.latest = time.monotonic() - max(0.0, self._wait_s - AGAIN_S)
                self._wake()  # somebody must see when it has waited long enough
            elif not group.samples:
                if not group.is_closed:
                    del self._open[group.key]
            elif group.is_closed and group.scored == len(group.samples):
                self._finish(group)

    def _settle(self, asked: "_Asked", result: MixScore) -> None:
        """Answer a sample that was scored, and what waited for it."""
        group = asked.group
        group.scored += not asked.again
        if group.is_closed and group.scored == len(group.samples):
            self._finish(group)
        elif has_total(result) or self.group_size is None:
            asked.answer(None if is_whole(result) else group_means(group.results()))

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
                self._ready.append(list(group.samples))
            elif group.scored == len(group.samples):
                self._finish(group)


class _Group:
    """The samples of one prompt."""

    def __init__(self, key: Hashable, number: int) -> None:
        self.key, self.name = key, (key, number)
        self.samples: list[_Asked] = []
        self.scored, self.latest = 0, 0.0
        self.is_closed = False

    def add(self, asked: "_Asked") -> None:
        self.samples.append(asked)
        self.latest = time.monotonic()

    def results(self) -> list[MixScore]:
        return [asked.scored for asked in self.samples if asked.scored is not None]


class _Asked(Future[Lowered]):
    """A sample whose numbers somebody waits for: what `submit` returns."""

    def __init__(self, sample: Sample, step: int | None, group: _Group) -> None:
        super().__init__()
        self.sample, self.step, self.group = sample, step, group
        self.scored: MixScore | None = None
        self.again = self.is_gone = False

    def answer(self, means: tuple[float, dict[str, float]] | None) -> None:
        """Tell it; `means` are needed where a number is missing."""
        if self.scored is not None:
            with suppress(InvalidStateError):  # the caller gave up, or it was answered before
                self.set_result(lower_one(self.scored, *(means or (0.0, {}))))
