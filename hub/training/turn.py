"""Samples that are asked for one at a time, scored together where they come in one turn of the event loop.

A sample on its own costs the engine a message, and the event loop a switch to the engine's thread: some 100
microseconds, which a trainer that has a burst of them need not pay for each.
"""

import asyncio
from collections.abc import Hashable, Sequence

from hub.errors import RewardFailed
from hub.mix.combine import MixScore
from hub.mix.mix import Mix, raise_failures
from hub.sample import Sample

Key = tuple[asyncio.AbstractEventLoop, Hashable]
Asked = list[tuple[Sample, "asyncio.Future[MixScore]"]]


class Turn:
    """Scores samples with a mix, from any event loop.

    Args:
        mix: what to score with; each sample is answered by itself, also where the mix says
            `on_failure = "raise"`. It may compare nothing: what comes in one turn is no group.
    """

    def __init__(self, mix: Mix) -> None:
        self._mix = mix
        self._asked: dict[Key, Asked] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def ascore(self, sample: Sample, together: Hashable) -> MixScore:
        """Return a sample's result; cancelling it gives the sample up.

        Args:
            sample: what to score.
            together: what comes in the same turn with an equal one is scored together, and answered when the
                slowest of it is: so these are samples that the trainer needs together.

        Raises:
            RewardFailed: a reward failed on this sample, and the mix says so.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[MixScore] = loop.create_future()
        key = loop, together
        if key not in self._asked:
            self._asked[key] = []
            loop.call_soon(self._begin, key)  # after all that is ready to run in this turn
        self._asked[key].append((sample, answer))
        return await answer

    def _begin(self, key: Key) -> None:
        asked = [(sample, answer) for sample, answer in self._asked.pop(key) if not answer.done()]
        if not asked:
            return
        task = key[0].create_task(self._score(asked))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

        def give_up(_: "asyncio.Future[MixScore]") -> None:
            if all(answer.cancelled() for _, answer in asked):
                task.cancel()

        for _, answer in asked:
            answer.add_done_callback(give_up)

    async def _score(self, asked: Asked) -> None:
        results: Sequence[MixScore]
        try:
            results = await self._mix.ascore([sample for sample, _ in asked])
        except RewardFailed as stopped:
            results = stopped.results
            if not results:
                _fail(asked, stopped)
                return
        except BaseException as error:
            _fail(asked, error)
            if isinstance(error, Exception):
                return
            raise
        for (_, answer), result in zip(asked, results, strict=True):
            if not answer.done():
                self._answer(answer, result)

    def _answer(self, answer: "asyncio.Future[MixScore]", result: MixScore) -> None:
        try:
            if self._mix.config.on_failure == "raise":
                raise_failures([result])
        except RewardFailed as own:  # the others are not to fail with it
            answer.set_exception(own)
        else:
            answer.set_result(result)


def _fail(asked: Asked, error: BaseException) -> None:
    for _, answer in asked:
        if not answer.done():
            answer.set_exception(error)
