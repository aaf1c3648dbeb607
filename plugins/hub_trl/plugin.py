"""Offers `hub train`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_commands() -> Iterator[hub.Command]:
    summary = "Train a model with rewards (GRPO, RLOO) or on examples (SFT)."
    yield hub.Command("train", "hub_trl.command:command", summary)
