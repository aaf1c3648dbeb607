"""The reward `prefers`: whether what was evaluated values the better completions more."""

import hub


def prefers(sample: hub.Sample) -> hub.Score:
    """1.0 where every better completion is worth more than every other, 0.5 for a tie, else 0.0.

    The column `values`, which comes from the rewards under test, has the score of each completion; the column
    `chosen` says how many of them, from the first, are the better ones. What has no value fails here as well,
    for the same reason.

    >>> values = [{"value": 0.7, "outcome": "scored"}, {"value": 0.2, "outcome": "scored"}]
    >>> prefers(hub.Sample("", "", {"chosen": 1, "values": values})).value
    1.0
    """
    values, chosen = sample["values"], sample["chosen"]
    for place, one in enumerate(values):
        if one["outcome"] == hub.Outcome.FAILED:
            return hub.Score.failed(one["reason"], f"completion {place + 1}: {one.get('detail', '')}")
    if any(one["value"] is None for one in values):
        return hub.Score.abstained("no_value", "the rewards do not apply to every completion")
    if not 0 < chosen < len(values):
        return hub.Score.failed("bad_reference", f"{chosen} of {len(values)} completions are the better ones")
    margin = min(one["value"] for one in values[:chosen]) - max(one["value"] for one in values[chosen:])
    value = 0.5 if margin == 0 else float(margin > 0)
    return hub.Score(value, "tie" if margin == 0 else "", info={"margin": margin})
