"""A reward as one engine knows it."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cloudpickle

from hub.engine.stats import Stats
from hub.engine.work import Report, Work
from hub.engine.worker import Definition
from hub.errors import PluginError
from hub.reward import BoundReward, Per
from hub.target import Target


@dataclass(eq=False)
class Component:
    """A reward as one engine knows it; made by `Engine.add`.

    Args:
        key: equal for rewards that an engine need not tell apart.
        name: what its accounts are kept under.
        bound: the reward and its options.
        timeout_s: seconds for one call; None for no limit.
        definition: how a worker finds it.
        number: its number in this engine; 0 until it has one.
        stats: its accounts.
        cache: scores by what the reward could see of a sample, or of a group's samples, the oldest first.
            Not a dict: that looks for its first key among all those that it has lost.
    """

    key: Hashable
    name: str
    bound: BoundReward
    timeout_s: float | None
    definition: Definition
    number: int = 0
    stats: Stats = field(default_factory=Stats)
    cache: OrderedDict[int, Any] = field(default_factory=OrderedDict)

    @classmethod
    def of(
        cls, bound: BoundReward, name: str, timeout_s: float | None, target: Target, *, stays: bool
    ) -> "Component":
        """Describe a reward.

        Args:
            bound: the reward with its options.
            name: what its accounts are kept under.
            timeout_s: overrides the reward's own limit.
            target: what computes it, as a worker finds it.
            stays: it runs in this process, so that nothing need be sent.

        Raises:
            PluginError: the options cannot be sent to a worker process.
        """
        limit = bound.timeout_s if timeout_s is None else timeout_s
        reward, options = bound.reward, bound.options
        try:
            code = b"" if stays else cloudpickle.dumps((target, options))
            given = repr(options) if stays else cloudpickle.dumps(options)
        except Exception as error:
            raise PluginError(
                f"the options of reward {reward.name!r} cannot be sent to a worker process: {error}"
            ) from error
        declared = (reward.per, reward.needs, reward.uses, reward.memory_mb, reward.deterministic)
        limits = (limit, reward.setup_timeout_s, reward.concurrency, bound.lane)
        columns = None if reward.needs is None else (*reward.needs, *reward.uses)
        definition = Definition(
            reward.per is not Per.SAMPLE,
            columns,
            bool(reward.uses),
            reward.memory_mb,
            code,
            (target, options) if stays else None,
        )
        return cls((name, target.identity, given, declared, limits), name, bound, limit, definition)

    def work(self, units: Sequence[Any], report: Report) -> Work:
        """Return work for this reward's lane."""
        reward = self.bound.reward
        return Work(
            self.number,
            self.definition,
            self.timeout_s,
            reward.setup_timeout_s,
            reward.concurrency,
            units,
            report,
        )

    @property
    def modules(self) -> list[tuple[str, str]]:
        """Modules (name, file) worth importing before workers are forked: what it asks for, and its own."""
        target = self.bound.target
        own = [(target.module, target.file)] if target.module else []
        return [*((name, "") for name in self.bound.reward.preload), *own]


def accounts(components: Iterable[Component]) -> dict[str, dict[str, Any]]:
    """Return the accounts of components, by name (see `Stats.as_dict`).

    A second component of the same name (with other options, say) is called "name#2", and so on.
    """
    found: dict[str, dict[str, Any]] = {}
    for component in components:
        name, again = component.name, 1
        while name in found:
            again += 1
            name = f"{component.name}#{again}"
        found[name] = component.stats.as_dict()
    return found
