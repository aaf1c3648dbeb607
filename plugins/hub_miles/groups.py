"""Groups whose samples come one at a time, while the trainer waits for each one's reward.

A sample without a total is to get the mean of its group's valid totals, which is not known before the group
is whole. Waiting for it is no way: when a rollout has enough groups, these trainers break the others off,
and wait for every reward that is under way; the rest of such a group never comes. So the sample gets the
mean of what is known, in a dict; and as its group goes on, the very same dict is put right. Nothing reads it
before the group is whole.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

import hub
from hub.training.lower import group_means, has_total, is_whole, lower_one

TOTAL = "hub/total"
"""The key of the total in a reward's dict, for `--reward-key`."""
MISSING = "hub/missing"
"""The key that is 1.0 where the total only stands for a missing one (see `hub.Lowered.numbers`)."""
MOST_OPEN = 4096
"""Groups that are remembered at once: what is broken off is never whole."""


class Groups:
    """Rewards of samples in groups; all calls come from one thread."""

    def __init__(self) -> None:
        self._open: OrderedDict[Hashable, _Group] = OrderedDict()

    def add(self, key: Hashable, result: hub.MixScore, size: int | None) -> dict[str, float]:
        """Return the reward of a sample, and put those of its group right that were given before.

        Args:
            key: the group's.
            result: what the mix made of the sample.
            size: samples in the group; None where that is not known.
        """
        group = self._open.setdefault(key, _Group())
        group.results.append(result)
        group.rewards.append({})
        if is_whole(result) and not group.has_gaps:
            group.rewards[-1].update(reward_of(lower_one(result, 0.0, {})))
        else:
            group.has_gaps = True
            means = group_means(group.results)
            for other, reward in zip(group.results, group.rewards, strict=True):
                if other is result or not has_total(other):
                    reward.update(reward_of(lower_one(other, *means)))
        if len(group.results) == size:
            del self._open[key]
        elif len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        return group.rewards[-1]


def reward_of(lowered: hub.Lowered) -> dict[str, float]:
    """Return what the trainer keeps as a sample's reward."""
    return {TOTAL: lowered.value, **lowered.numbers()}


@dataclass
class _Group:
    results: list[hub.MixScore] = field(default_factory=list)
    rewards: list[dict[str, float]] = field(default_factory=list)
    has_gaps: bool = False
