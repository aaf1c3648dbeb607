"""The trainers `miles` and `slime`."""

from collections.abc import Iterator

import hub

_COLUMNS = "hub_miles.sample:columns_of_row"


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    yield hub.TrainerPlugin(
        "miles",
        "hub_miles.export:export",
        "Miles: an async custom reward for samples and groups, or remote_rm",
        columns=_COLUMNS,
    )
    yield hub.TrainerPlugin(
        "slime",
        "hub_miles.export:export",
        "slime: the same reward as for Miles, or remote_rm",
        columns=_COLUMNS,
    )
