"""Offers the benchmarks `reasoning-gym/TASK` and the reward that grades them."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_benchmarks() -> Iterator[hub.BenchmarkFamily]:
    yield hub.BenchmarkFamily(
        "reasoning-gym",
        "hub_reasoning_gym.family:make",
        "hub_reasoning_gym.names:names",
        "reasoning-gym's task NAME: generated, with a verifier (Stojanovski et al. 2025, arXiv 2505.24760)",
    )


@hub.hookimpl
def hub_rewards() -> Iterator[hub.Reward]:
    yield hub.Reward(
        "reasoning-gym",
        "hub_reasoning_gym.verify:ReasoningGym",
        "What reasoning-gym's verifier of the row's task gives for the completion's answer",
        needs=("task", "entry"),
        uses=("config",),
        preload=("reasoning_gym",),
        range=(0.0, 1.0),
    )
