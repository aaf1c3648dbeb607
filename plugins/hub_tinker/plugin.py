"""The trainer `tinker`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    yield hub.TrainerPlugin(
        "tinker",
        "hub_tinker.export:export",
        "Tinker's cookbook: the rewards of a whole group of environments",
    )
