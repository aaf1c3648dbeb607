"""What all endpoints share: which mixes there are, how much waits, and scoring with them."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from hub.engine.interface import AnyEngine
from hub.errors import RewardFailed
from hub.mix.combine import MixScore
from hub.sample import Sample
from hub.training.gather import Gatherer
from hub.training.lower import Lowered
from hub_serve.exchange import Answer, Exchange
from hub_serve.metrics import Metrics
from hub_serve.mixes import Mixes, Served
from hub_serve.once import Remembered
from hub_serve.refused import CLOSE, Refused, busy
from hub_serve.settings import Settings

T = TypeVar("T")
BODIES = 64
"""Bodies of the largest size that fit in memory together; beyond that, new ones are refused."""
MOST_VALUES = 2_000_000
"""Values in the JSON of one body, by its commas and brackets: reading it keeps all other threads waiting."""
VALUE_BYTES = 64
"""What a value takes when it is read."""
SHORT_BYTES = 1 << 18
"""A body up to here is begun on the event loop: its inline rewards take less time than a thread's start."""


class Service:
    """A service: state and limits, without HTTP.

    Args:
        mixes: what it scores with.
        settings: its limits.
    """

    def __init__(self, mixes: Mixes, settings: Settings) -> None:
        self.mixes, self.settings = mixes, settings
        self.metrics = Metrics()
        self.waiting = self.under_way = self.body_bytes = 0
        self.draining = False
        self._remembered = Remembered(self.metrics.remembered.inc)
        self.metrics.watch(mixes, lambda: self.waiting, lambda: self.under_way, lambda: self.is_ready)

    @property
    def engine(self) -> AnyEngine:
        """What runs the rewards."""
        return self.mixes.engine

    @property
    def is_ready(self) -> bool:
        """Whether new requests are taken."""
        return not self.draining and not self.engine.closed

    async def read(self, exchange: Exchange) -> bytes:
        """Return a request's body.

        Raises:
            Refused: it is too large, too slow, or too many are in memory.
        """
        most = BODIES * self.settings.max_body
        found = 0

        def take(part: bytes) -> None:
            nonlocal found
            values = part.count(b",") + part.count(b"[") + part.count(b"{")
            found += values
            if found > MOST_VALUES:
                message = f"the body has more than {MOST_VALUES} values: send fewer samples at once"
                raise Refused(413, "body_too_large", message, CLOSE)
            self.hold(exchange, len(part) + VALUE_BYTES * values)
            if self.body_bytes > most and self.body_bytes > exchange.held:
                refused = busy("too many requests are in memory: send this one again later")
                raise Refused(refused.status, refused.code, refused.message, {**refused.headers, **CLOSE})

        return await exchange.body(self.settings.max_body, self.settings.body_timeout_s, take)

    def hold(self, exchange: Exchange, size: int) -> None:
        """Count bytes that a request takes in memory, until `release`."""
        self.body_bytes += size
        exchange.held += size

    def release(self, exchange: Exchange) -> None:
        """A request is over."""
        self.body_bytes -= exchange.held
        exchange.held = 0

    async def aside(self, size: int, work: Callable[[], T]) -> T:
        """Return what reading or writing JSON gives, without stalling other requests.

        Args:
            size: bytes of the request; a short one is done at once.
            work: reads or writes.
        """
        return work() if size <= SHORT_BYTES else await asyncio.to_thread(work)

    async def once(
        self,
        exchange: Exchange,
        body: bytes,
        make: Callable[[], Coroutine[Any, Any, Answer]],
        *,
        at_once: bool = False,
    ) -> Answer:
        """Answer a request, or as an equal one with the same `Idempotency-Key` was answered.

        What is under way is cancelled when the client closes the connection.

        Args:
            exchange: the request.
            body: its body.
            make: makes the answer.
            at_once: making it waits for nothing, so there is no need to watch the connection.
        """
        key = exchange.headers.get(b"idempotency-key")
        if key is None and at_once:
            return await make()
        if key is None:
            return await exchange.unless_gone(make())
        path = f"{exchange.scope['path']}?{exchange.scope['query_string']!r}&{exchange.run!r}"
        return await exchange.unless_gone(self._remembered.answer(path, key, body, make))

    async def score(
        self, served: Served, samples: Sequence[Sample], step: int | None, size: int
    ) -> list[MixScore]:
        """Score a batch.

        Args:
            served: the mix.
            samples: in the order of the results.
            step: the training step, for schedules.
            size: bytes of the body that they came in.

        Raises:
            Refused: there is no room, or the mix stops at a failure.
        """
        with self._admitted(len(samples)):
            start = time.perf_counter()
            try:
                results = await served.mix.ascore(
                    samples, step=step, engine=self.engine, in_thread=size > SHORT_BYTES
                )
            except RewardFailed as error:
                raise Refused(500, "reward_failed", str(error)[:2000]) from error
            except KeyboardInterrupt as error:  # signals come elsewhere; this one would end the loop
                raise Refused(500, "internal", "a reward raised KeyboardInterrupt") from error
            self.metrics.scored(served.name, results, time.perf_counter() - start)
            return results

    async def gather(self, served: Served, gatherer: Gatherer, samples: Sequence[Sample]) -> list[Lowered]:
        """Score samples of which some wait for the rest of their group.

        Where the client goes, or the request fails, they leave their groups again: it asks for all of them.

        Raises:
            Refused: there is no room, or the mix stops at a failure.
        """
        with self._admitted(len(samples)), served.use(gatherer):
            start = time.perf_counter()
            futures: list[Future[Lowered]] = []
            try:
                for sample in samples:
                    futures.append(gatherer.submit(sample))
                found = await asyncio.gather(*map(asyncio.wrap_future, futures))
            except BaseException as error:
                gatherer.withdraw(futures)
                if isinstance(error, RewardFailed):
                    raise Refused(500, "reward_failed", str(error)[:2000]) from error
                raise
            results = [result for future in futures if (result := gatherer.result_of(future))]
            self.metrics.scored(served.name, results, time.perf_counter() - start)
            return found

    def reload(self) -> dict[str, str]:
        """Read the mix files again; what is wrong stays as it was. Returns what is wrong, by mix."""
        wrong = self.mixes.reload()
        for served in self.mixes:
            self.metrics.reloads.labels(served.name, "refused" if served.name in wrong else "done").inc()
        return wrong

    @contextmanager
    def _admitted(self, count: int) -> Iterator[None]:
        if self.waiting and self.waiting + count > self.settings.max_waiting:
            raise busy(f"{self.waiting} samples are waiting: send this request again later")
        self.waiting += count
        try:
            yield
        finally:
            self.waiting -= count
