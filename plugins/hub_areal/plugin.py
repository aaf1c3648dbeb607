"""The trainer `areal`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    yield hub.TrainerPlugin(
        "areal",
        "hub_areal.export:export",
        "AReaL: a rollout workflow that scores whole groups",
        columns="hub_areal.export:columns_of_row",
    )
