"""The trainer `nemo-rl`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    yield hub.TrainerPlugin(
        "nemo-rl", "hub_nemo_rl.export:export", "NeMo RL: an environment that scores whole batches"
    )
