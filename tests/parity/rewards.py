"""Rewards that tell the ways apart: they fail, abstain, wait, and give values that no short decimal equals."""

import json
from pathlib import Path

import hub


@hub.reward(needs=["answer"])
def touchy(sample: hub.Sample) -> float | None:
    """Raises, abstains or gives a value that no short decimal equals."""
    if "raise" in sample.text:
        raise ValueError("it was asked for")
    return None if "abstain" in sample.text else len(sample.text) / 7


@hub.reward(needs=[])
async def patient(sample: hub.Sample) -> float:
    """A coroutine."""
    return 1 / (3 + len(sample.text))


@hub.reward(needs=["answer"])
class judge:
    """Replays a judge's ratings from a file; fails where it has none."""

    def __init__(self) -> None:
        self.ratings = json.loads(Path(__file__).with_name("ratings.json").read_text())

    def __call__(self, sample: hub.Sample) -> hub.Score:
        rating = self.ratings.get(f"{sample['answer']}: {sample.text}")
        if rating is None:
            return hub.Score.failed("unavailable", "the judge has not rated this")
        return hub.Score(rating / 9)
