"""Offers the rewards for the form of a completion."""

from collections.abc import Iterator

import hub

# Inline are those whose cost is a fixed number of passes over the text. A user's pattern or schema can
# take exponential time on a hostile text, so those two run where they can be killed.


@hub.hookimpl
def hub_rewards() -> Iterator[hub.Reward]:
    yield hub.Reward(
        "think-format",
        "hub_format.think:ThinkFormat",
        "1.0 where the completion begins with exactly one reasoning block and an answer follows, else 0.0.",
        needs=(),
        lane=hub.Lane.INLINE,
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "boxed-format",
        "hub_format.boxed:BoxedFormat",
        "1.0 where the completion holds a \\boxed{} that is balanced and not empty, else 0.0.",
        needs=(),
        lane=hub.Lane.INLINE,
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "json-format",
        "hub_format.json_format:JsonFormat",
        "1.0 where the completion is JSON and fits a schema, else 0.0.",
        needs=(),
        preload=("jsonschema",),
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "regex",
        "hub_format.regex:Regex",
        "1.0 where a pattern is found in the completion, else 0.0.",
        needs=(),
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "length",
        "hub_format.length:Length",
        "1.0 where the completion is as long as wanted; with a target, less the further it is from that.",
        needs=(),
        uses=("completion_ids",),
        lane=hub.Lane.INLINE,
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "soft-overlong",
        "hub_format.overlong:SoftOverlong",
        "0.0 for a completion that ends in time, falling to -1.0 at the longest allowed (DAPO).",
        needs=("completion_ids",),
        lane=hub.Lane.INLINE,
        range=(-1.0, 0.0),
    )
    yield hub.Reward(
        "repetition",
        "hub_format.repetition:Repetition",
        "0.0 where no n-gram is repeated, down to the largest penalty where all are the same.",
        needs=(),
        uses=("completion_ids",),
        lane=hub.Lane.INLINE,
        range=(None, 0.0),
    )
