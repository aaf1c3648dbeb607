"""Offers `hub results`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_commands() -> Iterator[hub.Command]:
    summary = "List results, show their samples, write them in other formats."
    yield hub.Command("results", "hub_results.command:command", summary)
