"""A benchmark with known completions through Inspect's own `eval`: what the parity tests compare."""

import gc
import warnings
from collections.abc import Callable, Mapping
from math import isnan
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.model import Model, ModelOutput, ModelUsage, get_model

from hub_inspect.task import make_task

Values = dict[str, list[float | None]]
"""By reward, and "total": the value on each row; None where there is none."""


def answering(answer: Callable[[str], str]) -> Model:
    """Return Inspect's mock model with completions that are a function of the last message."""

    def outputs(messages: Any, tools: Any, choice: Any, config: Any) -> ModelOutput:
        made = ModelOutput.from_content("mockllm", answer(messages[-1].text))
        made.usage = ModelUsage(
            input_tokens=1, output_tokens=1, total_tokens=2
        )  # else it counts with a download
        return made

    return get_model("mockllm/model", custom_outputs=outputs)


def run(task: Task, model: Model, folder: Path, **more: Any) -> Any:
    """Evaluate quietly; return Inspect's log."""
    with warnings.catch_warnings():
        # Inspect 0.3.285 leaves streams open, and calls what tenacity 9.2 advises against.
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        (log,) = run_eval(
            task,
            model=model,
            display="none",
            log_dir=str(folder),
            **{"max_connections": 500, "log_realtime": False, **more},
        )
        gc.collect()
    assert log.status == "success", log.error and log.error.message
    return log


def through_inspect(benchmark: str, mix: Path, completions: Mapping[str, str], folder: Path) -> Values:
    """Return each reward's value on each row.

    Args:
        benchmark: its name, or path/to/file.py:name; each row's prompt is its id.
        mix: the file that grades.
        completions: by the row's id.
        folder: for Inspect's log.
    """
    log = run(make_task(benchmark, None, str(mix), {}), answering(completions.__getitem__), folder)
    scores = {sample.id: sample.scores["mix"] for sample in log.samples}
    found = [scores[row] for row in completions]
    names = list(found[0].metadata["scores"])
    values: Values = {name: [one.metadata["scores"][name]["value"] for one in found] for name in names}
    return values | {"total": [None if isnan(one.value) else one.value for one in found]}
