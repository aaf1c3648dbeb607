"""Shows a run while it trains, and writes its log file."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text
from transformers import (  # noqa: TID253 - imported when training begins
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from hub.evaluation.plan import Plan
from hub.evaluation.run import Progress
from hub_trl.output import Output
from hub_trl.plot import evaluated, is_evaluation

LINE_EVERY_S = 30.0
"""Where there is no terminal, a line is printed this often."""


class Display(TrainerCallback):
    """A bar with step, rewards and time left; lines of text where the output is not a terminal.

    Args:
        console: where to show it.
        output: whose log to write.
        names: the rewards; none for SFT, which shows the loss.
    """

    def __init__(self, console: Console, output: Output, names: Sequence[str]) -> None:
        self._console, self._output, self._names = console, output, names
        columns = (TextColumn("step"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.fields[left]}"))
        self._bar = Bar(*columns, console=console)
        self._task = self._bar.add_task("", total=None, left="")
        self._live: Live | None = None
        self._begun = (time.monotonic(), 0)
        self._printed = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the bar."""
        self._begun = (time.monotonic(), state.global_step)
        self._bar.update(self._task, total=state.max_steps, completed=state.global_step)
        if state.is_world_process_zero and self._console.is_terminal:
            self._live = Live(self._bar, console=self._console, transient=True)
            self._live.start()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Write a logged dict to the log file, and show it."""
        if not state.is_world_process_zero or logs is None:
            return
        self._output.append(state.global_step, logs)
        if "train_runtime" in logs:
            return
        for name, key in evaluated([logs]).items():
            what = f"evaluated: {name} {describe_score(logs, key)}"
            self._console.print(f"step {state.global_step}/{state.max_steps}  {what}", soft_wrap=True)
        if is_evaluation(logs):
            return
        left = self._left(state)
        self._bar.update(self._task, completed=state.global_step, left=left)
        if self._live is not None:
            self._live.update(Group(self._bar, describe(logs, self._names)))
            return
        now = time.monotonic()
        if now - self._printed >= LINE_EVERY_S or state.global_step == state.max_steps:
            self._printed = now
            line = Text(f"step {state.global_step}/{state.max_steps}  ") + describe(logs, self._names)
            self._console.print(line + Text(f"  {left}"), soft_wrap=True)

    def evaluating(self, plan: Plan) -> Progress:
        """Return what is told how far the evaluation of a benchmark is; it shows that for the time left."""

        def show(done: int, failed: int) -> None:
            name = plan.benchmark.name + (f" ({failed} failed)" if failed else "")
            self._bar.update(self._task, left=f"evaluating {name} {done}/{plan.completions}")

        return show

    def stop(self) -> None:
        """Take the bar away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _left(self, state: TrainerState) -> str:
        seconds, first = time.monotonic() - self._begun[0], self._begun[1]
        done = state.global_step - first
        if done <= 0 or state.global_step >= state.max_steps:
            return ""
        return f"{duration(seconds / done * (state.max_steps - state.global_step))} left"


def describe(logs: dict[str, Any], names: Sequence[str]) -> Text:
    """Return what matters of a logged dict as one line."""
    text = Text()
    shown = [("reward", "reward")] if names else [("loss", "loss"), ("accuracy", "mean_token_accuracy")]
    shown += [(name, f"rewards/{name}/mean") for name in names]
    for name, key in shown:
        if key in logs:
            value = logs[key]
            text.append(f"{name} ", style="dim")
            text.append(
                "none  " if value is None else f"{value:.3f}  ", style="bold" if name == "reward" else ""
            )
    for name in names:
        share = logs.get(f"hub/failed/{name}") or 0.0
        if share:
            text.append(f"{name} failed on {share:.0%}  ", style="red")
    return text


def describe_score(logs: Mapping[str, Any], key: str) -> str:
    """Return a benchmark's score for people.

    >>> logs = {"eval_x/score": 0.5, "eval_x/low": 0.25, "eval_x/high": 0.75, "eval_x/n": 8.0}
    >>> describe_score(logs, "eval_x/score")
    '0.500, 95 % interval 0.250 to 0.750, n 8'
    """
    low, high, n = (logs.get(key.removesuffix("score") + part) for part in ("low", "high", "n"))
    interval = "" if low is None or high is None else f", 95 % interval {low:.3f} to {high:.3f}"
    return f"{logs[key]:.3f}{interval}, n {n:.0f}"


def duration(seconds: float) -> str:
    """Return a time for people, e.g. "45 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
