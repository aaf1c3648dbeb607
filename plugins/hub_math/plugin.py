"""Offers the reward `math`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_rewards() -> Iterator[hub.Reward]:
    yield hub.Reward(
        "math",
        "hub_math.grade:Math",
        "1.0 where the completion's final answer equals the reference answer as mathematics, else 0.0.",
        needs=("answer",),
        memory_mb=2048,
        preload=("sympy", "math_verify"),
        range=(0.0, 1.0),
    )
