"""Offers the rewards `judge`, `judge-versus` and `judge-group`."""

from collections.abc import Iterator

import hub

_TIMEOUT_S = 86400.0
"""Each request has limits of its own (`timeout_s`, `wait_s`); the wait for a place or a turn at the judge's
rate may take hours, and is no fault of the sample's."""


@hub.hookimpl
def hub_rewards() -> Iterator[hub.Reward]:
    yield hub.Reward(
        "judge",
        "hub_judge.absolute:Judge",
        "The rating that a language model gives the completion by a rubric, from 0 to 1",
        needs=(),
        uses=("reference", "judge"),
        timeout_s=_TIMEOUT_S,
    )
    yield hub.Reward(
        "judge-versus",
        "hub_judge.versus:JudgeVersus",
        "1.0 where a language model prefers the completion to the reference, 0.5 for a tie, else 0.0",
        needs=("reference",),
        uses=("judge",),
        timeout_s=_TIMEOUT_S,
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "judge-group",
        "hub_judge.group:JudgeGroup",
        "The share of its group's other completions that a language model finds worse; a tie counts half",
        needs=(),
        uses=("reference", "judge"),
        per=hub.Per.GROUP,
        timeout_s=_TIMEOUT_S,
        range=(0.0, 1.0),
    )
