"""The trainer `verifiers`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    yield hub.TrainerPlugin(
        "verifiers",
        "hub_verifiers.export:export",
        "verifiers and prime-rl: a reward plugged into any taskset",
    )
