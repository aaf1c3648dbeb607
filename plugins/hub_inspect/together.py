"""Scores what comes at the same time in one call, as a model on a GPU needs it."""

import asyncio

import hub


class Together:
    """Gathers the samples that come while a call is under way, and scores them in the next one.

    For one event loop.

    Args:
        mix: what scores.
    """

    def __init__(self, mix: hub.Mix) -> None:
        self._mix = mix
        self._waiting: list[tuple[hub.Sample, asyncio.Future[hub.MixScore]]] = []
        self._task: asyncio.Task[None] | None = None

    async def score(self, sample: hub.Sample) -> hub.MixScore:
        """Return a sample's result."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((sample, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        found: hub.MixScore = await future
        return found

    async def _work(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, []
            try:
                results = await self._mix.ascore([sample for sample, _ in asked])
            except BaseException as error:
                for _, future in asked:
                    if not future.done():
                        future.set_exception(
                            error if isinstance(error, Exception) else asyncio.CancelledError()
                        )
                if not isinstance(error, Exception):
                    raise
                continue
            for (_, future), result in zip(asked, results, strict=True):
                if not future.done():  # it may have been cancelled
                    future.set_result(result)
