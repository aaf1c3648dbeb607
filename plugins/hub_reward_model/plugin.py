"""Offers the rewards `reward-model` and `process-reward-model`."""

from collections.abc import Iterator

import hub

_TIMEOUT_S = 3600.0
"""Of one call, which may hold a whole batch of a trainer; on a CPU that takes long."""


@hub.hookimpl
def hub_rewards() -> Iterator[hub.Reward]:
    yield hub.Reward(
        "reward-model",
        "hub_reward_model.reward_model:RewardModel",
        "What a reward model (a sequence classifier of transformers) gives the completion",
        needs=(),
        per=hub.Per.BATCH,
        timeout_s=_TIMEOUT_S,
    )
    yield hub.Reward(
        "process-reward-model",
        "hub_reward_model.process_model:ProcessRewardModel",
        "What a process reward model gives the completion's steps: the least, mean, last or product",
        needs=(),
        per=hub.Per.BATCH,
        timeout_s=_TIMEOUT_S,
        range=(0.0, 1.0),
    )
