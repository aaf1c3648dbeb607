"""What the plugin offers, and at what cost."""

import click

import hub
from hub.plugins import open_target
from hub.testing.imports import foreign_imports


def test_it_offers_train() -> None:
    offer = hub.load().commands["train"]
    assert offer.origin.plugin == "trl"
    command = open_target(offer.target, offer.origin)
    assert isinstance(command, click.Command)
    assert {parameter.name for parameter in command.params} == {
        "recipe",
        "settings",
        "resume",
        "check",
        "as_json",
    }


def test_listing_it_imports_nothing_heavy() -> None:
    assert foreign_imports("hub_trl.plugin") == []
