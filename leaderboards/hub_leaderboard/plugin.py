"""Offers `hub leaderboard`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_commands() -> Iterator[hub.Command]:
    summary = "Rank the models whose runs a board takes, and write them as pages."
    yield hub.Command("leaderboard", "hub_leaderboard.command:command", summary)
