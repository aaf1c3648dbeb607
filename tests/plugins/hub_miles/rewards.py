"""Rewards of the tests' mixes."""

import time
from pathlib import Path

import hub


@hub.reward(needs=["answer"])
def same(sample: hub.Sample) -> float:
    """1.0 where the completion is the answer; breaks where it says so."""
    if "break" in sample.text:
        raise RuntimeError("as asked")
    return float(sample.text.removesuffix("!") == sample["answer"])


@hub.reward(needs=[], uses=["completion_ids", "level"])
def short(sample: hub.Sample) -> float:
    """Minus a tenth of the number of tokens."""
    return float(-len(sample.get("completion_ids", ())) / 10 - sample.get("level", 0))


@hub.reward(needs=[])
def asks(sample: hub.Sample) -> float:
    """How many characters the question has."""
    return float(len(sample.prompt_text))


@hub.reward(needs=["file"])
def waits(sample: hub.Sample) -> float:
    """1.0 once a file is there."""
    while not Path(sample["file"]).exists():
        time.sleep(0.001)
    return 1.0


@hub.reward(needs=[], group=True)
def rank(samples: list[hub.Sample]) -> list[float]:
    """How many of the group are shorter."""
    return [float(sum(len(b.text) < len(a.text) for b in samples)) for a in samples]
