"""Offers `hub serve-model`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_commands() -> Iterator[hub.Command]:
    yield hub.Command(
        "serve-model", "hub_serve_model.command:command", "Serve a model over OpenAI's protocol."
    )
