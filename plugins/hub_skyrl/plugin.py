"""The trainer `skyrl`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    yield hub.TrainerPlugin(
        "skyrl",
        "hub_skyrl.export:export",
        "SkyRL: an environment of its gym",
        columns="hub_skyrl.columns:columns_of_row",
    )
