"""Requests that are sent again: answered once, and the same answer given again.

A client that lost its connection cannot know whether its request arrived. With an `Idempotency-Key` it
sends it again and gets the answer of the first, or joins the scoring that is under way.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from hub_serve.exchange import Answer
from hub_serve.refused import Refused

KEPT_S = 600.0
"""How long an answer is remembered."""
KEPT_BYTES = 64 << 20
"""How much of answers is remembered; the oldest go first."""
KEPT_ANSWERS = 16384
GRACE_S = 5.0
"""How long scoring goes on for a client that is gone, but has sent a key and so may come back."""
_KEY_BYTES = 200


_Name = tuple[str, bytes]


@dataclass(eq=False)
class _UnderWay:
    """A request that is being answered, for everyone who sent it."""

    digest: bytes
    task: "asyncio.Task[Answer]"
    waiters: int = 0


class Remembered:
    """Answers by key, for a while, in bounded memory.

    Args:
        count: called for each request that is answered as a repetition.
    """

    def __init__(self, count: Callable[[], None]) -> None:
        self._count = count
        self._under_way: dict[_Name, _UnderWay] = {}
        self._done: OrderedDict[_Name, tuple[float, bytes, Answer]] = OrderedDict()
        self._size = 0

    async def answer(
        self, path: str, key: bytes, body: bytes, make: Callable[[], Coroutine[Any, Any, Answer]]
    ) -> Answer:
        """Return the answer that was given under this key, or make it; errors are not remembered.

        Args:
            path: keys of different paths have nothing to do with each other.
            key: the client's.
            body: the request's, which must be the same as before.
            make: makes the answer.

        Raises:
            Refused: the key was used for another body, or is too long.
        """
        if len(key) > _KEY_BYTES:
            raise Refused(400, "bad_key", f"the Idempotency-Key is longer than {_KEY_BYTES} bytes")
        name, digest = (path, key), hashlib.blake2b(body, digest_size=16).digest()
        self._forget_old()
        under_way, done = self._under_way.get(name), self._done.get(name)
        first = done[1] if done else under_way.digest if under_way else digest
        if first != digest:
            raise Refused(
                422, "key_reused", "this Idempotency-Key was used with another body: take a new one"
            )
        if done is not None:
            self._count()
            return done[2]
        if under_way is None:
            under_way = _UnderWay(digest, asyncio.get_running_loop().create_task(make()))
            self._under_way[name] = under_way
            under_way.task.add_done_callback(lambda task: self._keep(name, digest, task))
        else:
            self._count()
        return await self._wait(under_way)

    async def _wait(self, under_way: _UnderWay) -> Answer:
        under_way.waiters += 1
        try:
            return await asyncio.shield(under_way.task)
        finally:
            under_way.waiters -= 1
            if not under_way.waiters and not under_way.task.done():
                asyncio.get_running_loop().call_later(GRACE_S, self._give_up, under_way)

    @staticmethod
    def _give_up(under_way: _UnderWay) -> None:
        if not under_way.waiters:
            under_way.task.cancel()

    def _keep(self, name: _Name, digest: bytes, task: "asyncio.Task[Answer]") -> None:
        del self._under_way[name]
        if not task.cancelled() and task.exception() is None:
            self._done[name] = (time.monotonic(), digest, task.result())
            self._size += len(task.result().body)

    def _forget_old(self) -> None:
        oldest = time.monotonic() - KEPT_S
        while self._done:
            done, _, answer = next(iter(self._done.values()))
            if done > oldest and self._size <= KEPT_BYTES and len(self._done) <= KEPT_ANSWERS:
                return
            self._done.popitem(last=False)
            self._size -= len(answer.body)
