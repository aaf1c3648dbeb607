"""Offers `hub train`, and TRL as a trainer for `hub export`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_commands() -> Iterator[hub.Command]:
    summary = "Train a model with rewards (GRPO, RLOO) or on examples (SFT)."
    yield hub.Command("train", "hub_trl.command:command", summary)


@hub.hookimpl
def hub_trainers() -> Iterator[hub.TrainerPlugin]:
    summary = "TRL: GRPO, RLOO, AsyncGRPO and Online DPO; PPO up to trl 1.12"
    yield hub.TrainerPlugin(
        "trl", "hub_trl.export:export", summary, columns="hub_trl.functions:columns_of_row"
    )
