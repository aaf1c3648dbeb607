"""Ctrl-C while training: finish the step, save a checkpoint, stop. A second one stops at once."""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from transformers import (  # noqa: TID253 - imported when training begins
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt(TrainerCallback):
    """Asks the trainer to save and stop after a signal. Used in a `with`, in the main thread.

    Args:
        tell: called at the first signal, with a sentence for the user.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._before: dict[signal.Signals, Any] = {}
        self.asked = False

    def __enter__(self) -> "Interrupt":
        self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop here if a signal came during the step."""
        if self.asked:
            control.should_save = True
            control.should_training_stop = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self._tell("finishing this step, then saving a checkpoint (Ctrl-C again: stop at once)")
