"""Completes requests that wait together: one thread has the model, and takes those that are decoded alike."""

import asyncio
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from hub.errors import GeneratorError, HubError
from hub.generator import Completion, Generator, TokenGenerator
from hub_serve_model.request import Asked, Refused

Likely = list[tuple[str, float]]
"""Tokens with their log-probabilities, the likeliest first."""


@dataclass(frozen=True)
class Reply:
    """One completion.

    Args:
        completion: the text.
        likely: the likeliest first tokens; empty where they were not asked for.
    """

    completion: Completion
    likely: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True, eq=False)
class _Waiting:
    asked: Asked
    future: "asyncio.Future[Reply]"
    loop: asyncio.AbstractEventLoop

    def settle(self, outcome: "Reply | Exception") -> None:
        """Tell the request's own event loop."""

        def tell() -> None:
            if self.future.done():  # the client is gone
                return
            if isinstance(outcome, Exception):
                self.future.set_exception(outcome)
            else:
                self.future.set_result(outcome)

        with suppress(RuntimeError):  # the loop is closed: the server is ending
            self.loop.call_soon_threadsafe(tell)


class Batches:
    """Has a generator complete what is asked for.

    Args:
        generator: makes the completions.
        most: requests that are completed together.
        room: requests that may wait; more are refused with 429.
    """

    def __init__(self, generator: Generator, most: int, room: int) -> None:
        self._generator, self._most, self._room = generator, most, room
        self._waiting: list[_Waiting] = []
        self._change = threading.Condition()
        threading.Thread(target=self._work, name="hub-serve-model", daemon=True).start()

    @property
    def waiting(self) -> int:
        """Requests that are not begun yet."""
        return len(self._waiting)

    async def ask(self, asked: Asked) -> Reply:
        """Return the completion; cancelling it takes it out of the line.

        Raises:
            Refused: too many wait, or the model cannot complete it.
        """
        if asked.top and not isinstance(self._generator, TokenGenerator):
            raise Refused(f"{type(self._generator).__name__} cannot tell log-probabilities")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(asked, loop.create_future(), loop)
        with self._change:
            if len(self._waiting) >= self._room:
                raise Refused(f"{self._room} requests wait already: try later", 429)
            self._waiting.append(waiting)
            self._change.notify()
        try:
            return await waiting.future
        finally:  # the client may be gone
            with self._change:
                self._waiting = [one for one in self._waiting if one is not waiting]

    def _work(self) -> None:
        while True:
            batch = self._take()
            left = set(range(len(batch)))
            try:
                for index, reply in self._complete([one.asked for one in batch]):
                    batch[index].settle(reply)
                    left.discard(index)
            except Exception as error:
                self._alone([batch[index] for index in sorted(left)], error, len(batch) > 1)

    def _alone(self, batch: Sequence[_Waiting], error: Exception, again: bool) -> None:
        """Complete each by itself: one request that cannot be answered costs no other."""
        for one in batch:
            try:
                if not again:
                    raise error
                one.settle(next(self._complete([one.asked]))[1])
            except HubError as problem:
                one.settle(Refused(str(problem)))
            except Exception as problem:
                one.settle(problem)

    def _take(self) -> list[_Waiting]:
        """Wait for requests; return those that go with the first of them."""
        with self._change:
            self._change.wait_for(lambda: self._waiting)
            kind = _kind(self._waiting[0].asked)
            batch = [one for one in self._waiting if _kind(one.asked) == kind][: self._most]
            self._waiting = [one for one in self._waiting if one not in batch]
            return batch

    def _complete(self, batch: Sequence[Asked]) -> Iterator[tuple[int, Reply | Refused]]:
        first, prompts = batch[0], [asked.prompt for asked in batch]
        decoding = first.decoding
        if not first.seeded:
            decoding = replace(decoding, seed=random.SystemRandom().getrandbits(31))
        made: Iterator[tuple[Completion, Likely]]
        if first.top:
            assert isinstance(self._generator, TokenGenerator)
            made = self._generator.begin(prompts, max(asked.top for asked in batch), decoding)
        else:
            made = ((completion, []) for completion in self._generator.generate(prompts, decoding))
        count = 0
        for completion, likely in made:
            count += 1
            if completion.refused:
                yield completion.index, Refused(completion.refused)
            else:
                yield completion.index, Reply(completion, likely[: batch[completion.index].top])
        if count < len(batch):
            raise GeneratorError("the generator left a prompt without an answer")


def _kind(asked: Asked) -> object:
    """What is completed together has the same."""
    return asked.decoding, asked.seeded, asked.top > 0
