"""What hub_verl offers."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    yield hub.TrainerPlugin(
        "verl",
        "hub_verl.export:export",
        "verl: a reward manager that knows groups and steps, and compute_score.",
        columns="hub_verl.columns:columns_of_row",
    )
