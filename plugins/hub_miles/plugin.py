"""The trainers `miles` and `slime`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    yield hub.TrainerPlugin(
        "miles",
        "hub_miles.export:export",
        "Miles: an async custom reward for samples and groups, or remote_rm",
    )
    yield hub.TrainerPlugin(
        "slime", "hub_miles.export:export", "slime: the same reward as for Miles, or remote_rm"
    )
