"""What hub_openrlhf offers."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    yield hub.TrainerPlugin(
        "openrlhf",
        "hub_openrlhf.export:export",
        "OpenRLHF: an executor that knows groups, reward_func, and HTTP.",
        columns="hub_openrlhf.row:columns_of_row",
    )
