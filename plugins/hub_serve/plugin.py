"""Offers `hub serve`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_commands() -> Iterator[hub.Command]:
    yield hub.Command(
        "serve", "hub_serve.command:command", "Serve mixes over HTTP, to every trainer's protocol."
    )
