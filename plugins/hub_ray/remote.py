"""One actor, seen from the engine: what it was given, and whether it has room."""

from dataclasses import dataclass, field
from time import monotonic_ns
from typing import Any

from hub.reward import Lane
from hub_ray.backlog import Item

AHEAD = 2
"""Chunks of an actor that have not been answered yet: one that runs, and one that follows at once."""


@dataclass(eq=False)
class Sent:
    """A chunk that an actor has.

    Args:
        number: its number in the engine.
        reward: the number of the reward that it is for.
        lane: where the actor runs it.
        items: what is to be scored, in the order in which it was sent.
        alone: nothing else is given to the actor meanwhile: it may die of this chunk.
        left: positions of those that are not done.
        lingers: it was answered once, and not all of it was done.
    """

    number: int
    reward: int
    lane: Lane
    items: list[Item]
    alone: bool
    left: set[int] = field(init=False)
    sent_ns: int = field(default_factory=monotonic_ns)
    lingers: bool = False

    def __post_init__(self) -> None:
        self.left = set(range(len(self.items)))

    def rest(self) -> list[Item]:
        """What of it is not done."""
        return [self.items[position] for position in sorted(self.left)]


@dataclass(eq=False)
class Remote:
    """An actor.

    Args:
        handle: Ray's handle of it.
        is_ready: it has answered.
        chunks: what it has, by number.
        knows: numbers of the rewards whose definition has reached it.
        waited_ns: when it was asked for.
    """

    handle: Any
    is_ready: bool = False
    chunks: dict[int, Sent] = field(default_factory=dict)
    knows: set[int] = field(default_factory=set)
    waited_ns: int = field(default_factory=monotonic_ns)

    @property
    def fresh(self) -> int:
        """Chunks that were never answered."""
        return sum(not chunk.lingers for chunk in self.chunks.values())

    @property
    def is_apart(self) -> bool:
        """Whether it has something that it may die of, and must be given nothing else."""
        return any(chunk.alone for chunk in self.chunks.values())

    def busy(self, lane: Lane) -> int:
        """Units of a lane that it was given and has not done."""
        return sum(len(chunk.left) for chunk in self.chunks.values() if chunk.lane is lane)

    def has_room(self, lane: Lane, at_once: int) -> bool:
        """Whether another chunk would soon run there.

        Args:
            lane: where it would run.
            at_once: calls of that lane that an actor makes at once.
        """
        if self.is_apart:
            return False
        lingering = sum(len(c.left) for c in self.chunks.values() if c.lingers and c.lane is lane)
        return lingering < at_once and (self.fresh < AHEAD or self.busy(lane) < at_once)

    def units_left(self, reward: int) -> int:
        """Units of a reward that it has not done."""
        return sum(len(chunk.left) for chunk in self.chunks.values() if chunk.reward == reward)

    def rest(self) -> list[Item]:
        """What it has not done."""
        return [item for chunk in self.chunks.values() for item in chunk.rest()]
