"""Rewards that the tests run in worker processes and name in recipes."""

import os
import signal
import time
from pathlib import Path

import hub


@hub.reward(needs=["answer"])
def has_answer(sample: hub.Sample) -> float:
    return float(sample["answer"] in sample.text)


@hub.reward(needs=[], lane="inline")
def distinct(sample: hub.Sample) -> float:
    return len(set(sample.text)) / 10


@hub.reward(needs=["completion_ids"])
def sometimes_hangs(sample: hub.Sample) -> float:
    while sum(sample["completion_ids"]) % 3 == 0:
        time.sleep(0.01)
    return 1.0


@hub.reward(lane="inline", needs=["completion_ids"], deterministic=False)
class Signals:
    """Sends a signal to the trainer's process at one of its calls; else scores the tokens.

    The file `calls` counts, so that a run that goes on does not stop at the same place.
    """

    def __init__(self, calls: str, at: int, signal_name: str) -> None:
        self.calls, self.at, self.number = Path(calls), at, signal.Signals[signal_name]

    def __call__(self, sample: hub.Sample) -> float:
        count = int(self.calls.read_text()) + 1 if self.calls.exists() else 1
        self.calls.write_text(str(count))
        if count == self.at:
            os.kill(os.getpid(), self.number)
        return float(sum(sample["completion_ids"]) % 17 / 17)


@hub.reward
class CannotBeMade:
    """Fails when it is set up."""

    def __init__(self) -> None:
        raise RuntimeError("no model weights here")

    def __call__(self, sample: hub.Sample) -> float:
        return 0.0


@hub.reward
def raises(sample: hub.Sample) -> float:
    raise ValueError("broken")
