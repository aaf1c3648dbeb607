"""What actors have still to score, and what is suspected of having ended some.

A unit that an actor had when it was lost may be why. It is tried again among few others, then alone, each
time with nothing else on that actor, and given up when that one is lost too. So a unit that kills costs no
other one, and one that was there by chance costs nothing.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator

from hub.engine.work import Work
from hub.score import Failure

CHUNK_BYTES = 4 << 20
FEW = 64
"""Most units of a second try."""
TRIES = 3
"""Actors that may be lost under a unit; under the last of them it was alone."""
KILLS = 8
"""Actors that may be lost under one reward without a score of it in between; then its rest is given up."""


class Backlog:
    """Work of one crew. Not locked: one thread uses it."""

    def __init__(self) -> None:
        self._pending: dict[Work, deque[int]] = {}
        self._suspects: dict[Work, list[int]] = {}
        self._losses: dict[Work, Counter[int]] = {}
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

    def add(self, work: Work) -> None:
        """Take work."""
        self._pending[work] = deque(range(len(work.units)))
        self._losses[work] = Counter()

    def forget(self, work: Work) -> None:
        """Spend no more on it."""
        self._pending.pop(work, None)
        self._suspects.pop(work, None)
        self._losses.pop(work, None)

    def left(self, work: Work) -> int:
        """How many units of it no actor has."""
        return len(self._pending.get(work, ()))

    def take(self, most: Callable[[Work], int]) -> tuple[Work, list[int]] | None:
        """Return units of the work that waited longest.

        Args:
            most: how many units of a work are wanted; 0: none of it.
        """
        for work in list(self._pending):
            wanted = most(work)
            if wanted:
                pending = self._pending.pop(work)
                units: list[int] = []
                size = 0
                while pending and len(units) < wanted and size < CHUNK_BYTES:
                    unit = pending.popleft()
                    if not work.is_settled(unit):
                        units.append(unit)
                        size += len(work.units[unit])
                if pending:
                    self._pending[work] = pending  # behind the others
                if units:
                    return work, units
        return None

    def take_suspects(self) -> tuple[Work, list[int]]:
        """Return units for an actor that has nothing else."""
        work = next(iter(self._suspects))
        losses, suspects = self._losses[work], self._suspects.pop(work)
        worst = max(losses[unit] for unit in suspects)
        alike = [unit for unit in suspects if losses[unit] == worst]
        taken = alike[: 1 if worst >= TRIES - 1 else max(1, min(FEW, len(alike) // 8))]
        rest = set(suspects).difference(taken)
        if rest:
            self._suspects[work] = sorted(rest)
        return work, taken

    def put_back(self, work: Work, units: list[int]) -> None:
        """Have units taken again, before the others: they were not begun, or were ended without fault."""
        left = [unit for unit in units if not work.is_settled(unit)]
        if left and work in self._losses:
            pending = self._pending.pop(work, deque())
            pending.extendleft(reversed(left))
            self._pending = {work: pending, **self._pending}

    def scored(self, work: Work) -> None:
        """Some of it was scored: its reward does not always kill."""
        self._kills.pop(work.number, None)
        if not work.left:
            self.forget(work)

    def lost(self, had: list[tuple[Work, list[int]]], why: str) -> None:
        """An actor was lost.

        Args:
            had: the units that it had and that are not done.
            why: how it was lost, for details of scores.
        """
        numbers = {work.number for work, _ in had}
        if len(numbers) == 1:
            self._kills.update(numbers)
        for work, units in had:
            if work in self._losses:
                self._suspect(work, [unit for unit in units if not work.is_settled(unit)], why)
        for number in [number for number in numbers if self._kills[number] >= KILLS]:
            del self._kills[number]
            for work in [work for work in self if work.number == number]:
                self.forget(work)
                detail = f"{KILLS} actors were lost under this reward, one after the other: {why}"
                work.fail_all(Failure.CRASHED, detail)

    def _suspect(self, work: Work, units: list[int], why: str) -> None:
        losses = self._losses[work]
        losses.update(units)
        for unit in units:
            if losses[unit] >= TRIES:
                detail = f"{TRIES} actors were lost under it, the last with nothing beside it: {why}"
                work.fail(unit, Failure.CRASHED, detail)
        left = [unit for unit in units if losses[unit] < TRIES]
        if left:
            self._suspects[work] = sorted([*self._suspects.get(work, ()), *left])
        if not work.left:
            self.forget(work)
