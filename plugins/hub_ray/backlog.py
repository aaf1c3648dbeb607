"""What actors have still to score, and what is suspected of having ended some.

A unit that an actor had when it was lost may be why. It is tried again among few others, then alone, each
time with nothing else on that actor, and given up when that one is lost too. So a unit that kills costs no
other one, and one that was there by chance costs nothing.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator

from hub.engine.work import Work
from hub.score import Failure

CHUNK_BYTES = 4 << 20
FEW = 64
"""Most units of a second try."""
TRIES = 3
"""Actors that may be lost under a unit; under the last of them it was alone."""
KILLS = 8
"""Actors that may be lost under one reward without a score of it in between; then its rest is given up."""

Item = tuple[Work, int]
"""A unit of a work."""


class Backlog:
    """Work of one crew, by reward: callers who ask for few samples share a chunk. Used by one thread."""

    def __init__(self) -> None:
        self._pending: dict[int, dict[Work, deque[int]]] = {}
        self._suspects: dict[int, list[Item]] = {}
        self._losses: dict[Work, Counter[int]] = {}
        self._left: Counter[int] = Counter()
        self._kills: Counter[int] = Counter()

    def __iter__(self) -> Iterator[Work]:
        """Yield the work that is not finished."""
        return iter(list(self._losses))

    @property
    def is_waiting(self) -> bool:
        """Whether there is something that no actor has."""
        return bool(self._pending or self._suspects)

    @property
    def has_suspects(self) -> bool:
        """Whether something must be tried with nothing beside it."""
        return bool(self._suspects)

    def left(self, number: int) -> int:
        """How many units of a reward no actor has."""
        return self._left[number]

    def add(self, work: Work) -> None:
        """Take work."""
        self._losses[work] = Counter()
        self._put(work, deque(range(len(work.units))))

    def forget(self, work: Work) -> None:
        """Spend no more on it."""
        self._losses.pop(work, None)
        self._take_out(work)
        suspects = [item for item in self._suspects.pop(work.number, ()) if item[0] is not work]
        if suspects:
            self._suspects[work.number] = suspects

    def take(self, most: Callable[[Work], int]) -> list[Item]:
        """Return units of the reward whose turn it is, evenly of the work that waits for it.

        Args:
            most: how many units of the reward of this work are wanted; 0: none of it.
        """
        for number in list(self._pending):
            works = self._pending[number]
            wanted = most(next(iter(works)))
            share = -(-wanted // len(works))
            taken: list[Item] = []
            size = 0
            while wanted > len(taken) and size < CHUNK_BYTES and number in self._pending:
                work = next(iter(self._pending[number]))
                units = self._take_out(work)
                enough = min(wanted, len(taken) + share)
                while units and len(taken) < enough and size < CHUNK_BYTES:
                    unit = units.popleft()
                    if not work.is_settled(unit):
                        taken.append((work, unit))
                        size += len(work.units[unit])
                self._put(work, units)  # behind the others
            if number in self._pending:
                self._pending[number] = self._pending.pop(number)
            if taken:
                return taken
        return []

    def take_suspects(self) -> list[Item]:
        """Return units for an actor that has nothing else."""
        number, suspects = next(iter(self._suspects.items()))
        worst = max(self._losses[work][unit] for work, unit in suspects)
        alike = [item for item in suspects if self._losses[item[0]][item[1]] == worst]
        taken = alike[: 1 if worst >= TRIES - 1 else max(1, min(FEW, len(alike) // 8))]
        chosen = set(taken)
        del self._suspects[number]
        rest = [item for item in suspects if item not in chosen]
        if rest:
            self._suspects[number] = rest
        return taken

    def put_back(self, items: Iterable[Item]) -> None:
        """Have units taken again, first of their work: they were not begun, or ended without fault."""
        units: dict[Work, list[int]] = {}
        for work, unit in items:
            if work in self._losses and not work.is_settled(unit):
                units.setdefault(work, []).append(unit)
        for work, again in units.items():
            self._put(work, deque([*again, *self._take_out(work)]))

    def scored(self, work: Work) -> None:
        """Some of it was scored: its reward does not always kill."""
        self._kills.pop(work.number, None)
        if not work.left:
            self.forget(work)

    def lost(self, had: list[Item], why: str) -> None:
        """An actor was lost.

        Args:
            had: the units that it had and that are not done.
            why: how it was lost, for details of scores.
        """
        numbers = {work.number for work, _ in had}
        if len(numbers) == 1:
            self._kills.update(numbers)
        for work, unit in had:
            if work in self._losses and not work.is_settled(unit):
                self._suspect(work, unit, why)
        for number in [number for number in numbers if self._kills[number] >= KILLS]:
            del self._kills[number]
            for work in [work for work in self if work.number == number]:
                self.forget(work)
                detail = f"{KILLS} actors were lost under this reward, one after the other: {why}"
                work.fail_all(Failure.CRASHED, detail)

    def _suspect(self, work: Work, unit: int, why: str) -> None:
        losses = self._losses[work]
        losses[unit] += 1
        if losses[unit] < TRIES:
            self._suspects.setdefault(work.number, []).append((work, unit))
            return
        detail = f"{TRIES} actors were lost under it, the last with nothing beside it: {why}"
        work.fail(unit, Failure.CRASHED, detail)
        if not work.left:
            self.forget(work)

    def _put(self, work: Work, units: deque[int]) -> None:
        if units:
            self._pending.setdefault(work.number, {})[work] = units
            self._left[work.number] += len(units)

    def _take_out(self, work: Work) -> deque[int]:
        works = self._pending.get(work.number, {})
        units = works.pop(work, deque[int]())
        self._left[work.number] -= len(units)
        if not works:
            self._pending.pop(work.number, None)
        return units
