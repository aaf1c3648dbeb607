"""The trainer `torchforge`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    yield hub.TrainerPlugin(
        "torchforge",
        "hub_torchforge.export:export",
        "torchforge (paused): a reward function, or an actor for groups",
    )
