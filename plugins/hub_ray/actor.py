"""What a Ray actor does: it scores chunks of units in lanes of its own, and tells what is done of them.

A chunk waits here until a worker is free for it. One for which none becomes free soon is given back, so that
another actor can take it. One that takes long is answered in parts: what is done is told, and the rest asked
for again. So one slow sample keeps nothing else from being scored or counted.
"""

import asyncio
import os
import pickle
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import Any

from hub import __version__
from hub.engine.lanes import Lanes
from hub.engine.wire import RECORD as PLAIN_RECORD
from hub.engine.wire import Result, is_plain, pack_rest
from hub.engine.work import Work
from hub.engine.worker import read_sample
from hub.reward import Lane
from hub.score import Failure, Score
from hub_ray.ship import Shipped

PATIENCE_S = 0.25
"""How long an answer waits for the rest of its chunk, and a chunk for a free worker."""
MORE, DONE, GIVEN_BACK = range(3)
Reply = tuple[int, list[int], bytes]
"""What is left of a chunk (`MORE`, `DONE`, `GIVEN_BACK`); which units are done, by their position in the
chunk; their records (hub.engine.wire), with each start in ns since the chunk came."""


@dataclass(eq=False)
class Chunk:
    """Units of one reward, on their way through this actor."""

    reward: Shipped
    units: Sequence[bytes]
    came_ns: int = field(default_factory=monotonic_ns)
    work: Work | None = None
    finished: "asyncio.Event" = field(default_factory=asyncio.Event)
    done: list[tuple[int, Result]] = field(default_factory=list)
    left: int = 0


class Actor:
    """Scores chunks; every method is called by the engine in another process.

    Args:
        workers: its worker processes.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lanes = Lanes(workers)
        self._rewards: dict[int, Shipped] = {}
        self._chunks: dict[int, Chunk] = {}
        self._waiting: deque[Chunk] = deque()
        self._running: dict[Lane, int] = dict.fromkeys(Lane, 0)
        self._lock = threading.Lock()

    async def hello(self) -> dict[str, Any]:
        """Say who this is."""
        self._loop = asyncio.get_running_loop()
        return {"version": __version__, "pid": os.getpid()}

    async def stay(self) -> None:
        """Never return, so that the engine is told when this actor ends."""
        await asyncio.Event().wait()

    async def construct(self, reward: bytes) -> str:
        """Construct a reward before it is needed; return what went wrong, or ""."""
        shipped = self._learn(reward)
        found = await asyncio.to_thread(self._lanes.construct, shipped.lane, shipped.work)
        return await asyncio.wrap_future(found)

    async def score(self, number: int, reward: int, definition: bytes | None, units: list[bytes]) -> Reply:
        """Score a chunk; what of it is done soon is the answer.

        Args:
            number: the chunk's.
            reward: the reward's.
            definition: what is to be known of the reward, where the engine is not sure that it is known.
            units: what each call is given, pickled.
        """
        if definition is not None:
            self._learn(definition)
        chunk = self._chunks[number] = Chunk(self._rewards[reward], units)
        self._waiting.append(chunk)
        self._begin()
        return await self._answer(number, chunk, soon=True)

    async def more(self, number: int) -> Reply:
        """Return what became done since the last answer, when there is something."""
        return await self._answer(number, self._chunks[number], soon=False)

    async def cancel(self, numbers: list[int]) -> None:
        """Spend no more time on these chunks; workers that are busy with them are killed."""
        for number in numbers:
            chunk = self._chunks.get(number)
            if chunk is not None and chunk.work is not None:
                self._lanes.get(chunk.reward.lane).cancel(chunk.work)
            elif chunk is not None and chunk in self._waiting:
                self._waiting.remove(chunk)
                chunk.finished.set()

    def _learn(self, pickled: bytes) -> Shipped:
        reward: Shipped = pickle.loads(pickled)
        if reward.number not in self._rewards:
            self._rewards[reward.number] = reward
            if reward.lane is Lane.PROCESS:
                self._lanes.preload(list(reward.modules))
        return self._rewards[reward.number]

    async def _answer(self, number: int, chunk: Chunk, soon: bool) -> Reply:
        while not chunk.finished.is_set():
            try:
                await asyncio.wait_for(chunk.finished.wait(), PATIENCE_S)
            except TimeoutError:
                if chunk in self._waiting:
                    self._waiting.remove(chunk)
                    del self._chunks[number]
                    return GIVEN_BACK, [], b""
                if chunk.done or soon:
                    break
        with self._lock:
            done, chunk.done = chunk.done, []
            state = MORE if chunk.left else DONE
        if state == DONE:
            del self._chunks[number]
        return state, [unit for unit, _ in done], _pack([result for _, result in done], chunk.came_ns)

    def _begin(self) -> None:
        """Begin the chunks for which there is room."""
        for chunk in list(self._waiting):
            lane = chunk.reward.lane
            if self._running[lane] < (self._workers if lane is Lane.PROCESS else 1) or lane is Lane.ASYNC:
                self._waiting.remove(chunk)
                self._run(chunk)

    def _run(self, chunk: Chunk) -> None:
        reward = chunk.reward
        usable, units = range(len(chunk.units)), chunk.units
        chunk.left = len(units)
        if reward.lane is not Lane.PROCESS:
            usable, units = self._read(chunk)  # type: ignore[assignment]

        def report(positions: Sequence[int], results: Sequence[Result]) -> None:
            self._report(chunk, [usable[position] for position in positions], results)

        with self._lock:
            self._running[reward.lane] += len(units)
        chunk.work = reward.work(units, report)
        if units:
            self._lanes.get(reward.lane).submit(chunk.work)

    def _read(self, chunk: Chunk) -> tuple[list[int], list[Any]]:
        """Unpickle what calls in this process are given; what cannot be read is scored as that."""
        definition = chunk.reward.definition
        usable: list[int] = []
        read: list[Any] = []
        for position, pickled in enumerate(chunk.units):
            try:
                fields = pickle.loads(pickled)
                if definition.many:
                    read.append([read_sample(pickle.loads(one), definition) for one in fields])
                else:
                    read.append(read_sample(fields, definition))
                usable.append(position)
            except Exception as error:
                detail = f"cannot be read in an actor: {type(error).__name__}: {error}"
                score = Score.failed(Failure.BAD_INPUT, detail)
                self._report(chunk, [position], [([score], monotonic_ns(), 0)], was_running=False)
        return usable, read

    def _report(
        self, chunk: Chunk, positions: list[int], results: Sequence[Result], was_running: bool = True
    ) -> None:
        """Take finished units, in whatever thread they were finished."""
        lane = chunk.reward.lane
        with self._lock:
            chunk.done += zip(positions, results, strict=True)
            chunk.left -= len(positions)
            self._running[lane] -= len(positions) if was_running else 0
            finished, room = not chunk.left, self._running[lane] < self._workers
        if finished or (room and self._waiting):
            self._loop.call_soon_threadsafe(self._after, chunk if finished else None)

    def _after(self, finished: Chunk | None) -> None:
        if finished is not None:
            finished.finished.set()
        self._begin()


def _pack(results: list[Result], came_ns: int) -> bytes:
    """Encode results as worker processes do, with starts that mean something on another machine."""
    packed = []
    for scores, start, ran in results:
        if is_plain(scores):
            packed.append(PLAIN_RECORD.pack(start - came_ns, ran, scores[0].value, 0))
        else:
            packed.append(pack_rest(scores, start - came_ns, ran))
    return b"".join(packed)
