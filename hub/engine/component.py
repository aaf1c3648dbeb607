"""A reward as one engine knows it."""

from dataclasses import dataclass, field
from typing import Any

from hub.engine.stats import Stats
from hub.engine.worker import Definition
from hub.reward import BoundReward


@dataclass(eq=False)
class Component:
    """A reward as one engine knows it; made by `Engine.add`.

    Args:
        name: what its accounts are kept under.
        bound: the reward and its options.
        timeout_s: seconds for one call; None for no limit.
        number: its number in this engine.
        definition: how a worker finds it.
        stats: its accounts.
        cache: scores by what the reward could see of a sample, or of a group's samples.
    """

    name: str
    bound: BoundReward
    timeout_s: float | None
    number: int
    definition: Definition
    stats: Stats = field(default_factory=Stats)
    cache: dict[int, Any] = field(default_factory=dict)
