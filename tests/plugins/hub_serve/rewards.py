"""Rewards of the services under test."""

import asyncio
from pathlib import Path

import hub


@hub.reward(needs=["answer"])
def right(sample: hub.Sample) -> float:
    """1.0 where the completion is the answer."""
    return float(sample.text.strip() == str(sample["answer"]))


@hub.reward(needs=[], lane="inline")
def length(sample: hub.Sample) -> float:
    """A third of the number of characters: a number that decimal text must carry bit for bit."""
    return len(sample.text) / 3


@hub.reward(needs=[], lane="inline")
def interrupts(sample: hub.Sample) -> float:
    """Does at "stop" what a person does with Ctrl-C."""
    if "stop" in sample.text:
        raise KeyboardInterrupt
    return 1.0


@hub.reward(needs=[])
def fussy(sample: hub.Sample) -> hub.Score | float | None:
    """Raises at "!", abstains at "?", and has something to say at "~"."""
    if "!" in sample.text:
        raise ValueError("a bang")
    if "?" in sample.text:
        return None
    if "~" in sample.text:
        return hub.Score(0.1, "tilde", 'quoted "\n" \ud800', {"nested": {"list": [1, 2.5, None]}})
    return 0.7


@hub.reward(needs=[], timeout_s=0.3)
def hangs(sample: hub.Sample) -> float:
    """Never returns at "hang"."""
    while "hang" in sample.text:
        pass
    return 1.0


@hub.reward(needs=["folder"], timeout_s=60, deterministic=False)
async def waits(sample: hub.Sample) -> float:
    """Says in a folder that it began, and returns when it finds "go" there; says when it is cancelled."""
    folder = Path(sample["folder"])
    with (folder / "began").open("a") as file:
        file.write("x")
    try:
        while not (folder / "go").exists():
            await asyncio.sleep(0.005)
    except asyncio.CancelledError:
        (folder / "cancelled").touch()
        raise
    return 1.0


@hub.reward(group=True, needs=[])
def rank(samples: list[hub.Sample]) -> list[float]:
    """The place of each completion by length, of all in its group, from 0.0 to 1.0."""
    lengths = sorted(len(sample.text) for sample in samples)
    return [lengths.index(len(sample.text)) / max(1, len(samples) - 1) for sample in samples]
