"""Rewards as Miles and slime normalise them, but without the samples that have no total.

Facts: `RolloutManager._post_process_rewards` of miles-rl 0.0.2; slime at commit 624b824a has the same, and
the estimator cispo.
"""

from collections.abc import Hashable
from math import fsum
from typing import Any

from hub.training.prompt import prompt_key
from hub_miles.groups import MISSING

NORMALISED = ("grpo", "gspo", "cispo", "reinforce_plus_plus_baseline")
"""Advantage estimators for which a group's mean is taken from its rewards."""
SCALED = ("grpo", "gspo", "cispo")
"""Those for which they are divided by its standard deviation too."""


def masked_normalization(args: Any, samples: list[Any]) -> tuple[list[float], list[float]]:
    """Return the raw and the normalised rewards, as `--custom-reward-post-process-path` wants them.

    Where every sample has a total, these are the trainer's own numbers. A sample without one counts in
    neither the mean nor the standard deviation of its group; its reward is 0.0, and `remove_sample` takes it
    out of the loss (as the trainer's own `remove_sample` does), so that it is left out whatever the
    advantage estimator is. In a group with one valid sample that one's reward is 0.0 too.

    What differs: the trainer takes all samples for one group where their number is not that of whole groups
    (it trims a rollout to the global batch size); here a group is what has one `group_index`.

    Args:
        args: the trainer's arguments.
        samples: those of a rollout, with rewards of `hub_miles.reward.score`, or with numbers.
    """
    raw = [float(sample.get_reward_value(args)) for sample in samples]
    valid = [not is_missing(sample) for sample in samples]
    members: dict[Hashable, list[int]] = {}
    for index, sample in enumerate(samples):
        key = sample.group_index if sample.group_index is not None else prompt_key(sample.prompt)
        members.setdefault(key, []).append(index)
        if not valid[index]:
            sample.remove_sample = True
    for indices in members.values():
        present = [raw[index] for index in indices if valid[index]]
        for index in indices:
            if not valid[index]:
                raw[index] = fsum(present) / len(present) if present else 0.0
    if args.advantage_estimator not in NORMALISED or not args.rewards_normalization:
        return raw, raw
    scaled = args.advantage_estimator in SCALED and args.grpo_std_normalization
    rewards = [0.0] * len(samples)
    for indices in members.values():
        kept = [index for index in indices if valid[index]]
        for index, value in zip(kept, _normalised([raw[index] for index in kept], scaled), strict=True):
            rewards[index] = value
    return raw, rewards


def is_missing(sample: Any) -> bool:
    """Whether a sample's reward only stands for a total that is missing."""
    return isinstance(sample.reward, dict) and bool(sample.reward.get(MISSING, 0.0))


def _normalised(values: list[float], scaled: bool) -> list[float]:
    import torch

    rewards = torch.tensor(values, dtype=torch.float)
    rewards = rewards - rewards.mean() if values else rewards
    if scaled and len(values) > 1:
        rewards = rewards / (rewards.std() + 1e-6)
    numbers: list[float] = rewards.tolist()
    return numbers
