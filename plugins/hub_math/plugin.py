"""Offers the rewards `math`, `math-boxed`, `multiple-choice` and `numeric`."""

from collections.abc import Iterator

import hub

_PRELOAD = ("mpmath", "hub_math.verdict", "hub_math.symbolic")


@hub.hookimpl
def hub_rewards() -> Iterator[hub.Reward]:
    yield hub.Reward(
        "math",
        "hub_math.grade:Math",
        "1.0 where the completion's final answer equals the reference answer as mathematics, else 0.0.",
        needs=("answer",),
        memory_mb=1024,
        preload=_PRELOAD,
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "math-boxed",
        "hub_math.grade:MathBoxed",
        "The same as math, but the answer counts only in a \\boxed{}.",
        needs=("answer",),
        memory_mb=1024,
        preload=_PRELOAD,
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "multiple-choice",
        "hub_math.choice:MultipleChoice",
        "1.0 where the completion chooses the reference's letter and no other, else 0.0.",
        needs=("answer",),
        uses=("choices",),
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "numeric",
        "hub_math.numbers:Numeric",
        "1.0 where the completion's number is within a tolerance of the reference's, else 0.0.",
        needs=("answer",),
        memory_mb=1024,
        preload=_PRELOAD,
        range=(0.0, 1.0),
    )
