"""Offers the reward `rhyme`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_rewards() -> Iterator[hub.Reward]:
    yield hub.Reward(
        "rhyme",
        "hub_rhyme.rhyme:Rhyme",
        "1.0 where the last two lines of the completion rhyme, else 0.0.",
        needs=(),
        range=(0.0, 1.0),
    )
