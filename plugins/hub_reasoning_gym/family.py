"""The benchmark of each task."""

from collections.abc import Mapping, Sequence
from typing import Any

import hub
from hub.errors import UnknownName
from hub_reasoning_gym.names import names
from hub_reasoning_gym.rows import rows_of


def make(task: str) -> hub.Benchmark:
    """Return the benchmark of a task.

    Raises:
        UnknownName: there is no such task.
    """
    if task not in names():
        raise UnknownName("task of reasoning-gym", task, names())
    return hub.Benchmark(
        f"reasoning-gym/{task}",
        rows_of(task),
        {"reasoning-gym": 1.0},
        f"The task {task} of reasoning-gym, generated, with its verifier (arXiv 2505.24760)",
        splits=("test", "train"),
        decoding=hub.Decoding(max_new_tokens=2048),
        metrics="hub_reasoning_gym.family:count_solved",
    )


def count_solved(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the share of completions with the full score; many verifiers give a part of it for an attempt.

    Args:
        lines: of samples.jsonl.

    >>> count_solved([{"result": {"total": {"value": value}}} for value in (1.0, 0.01, None)])
    {'solved': 0.5}
    """
    values = [line["result"]["total"]["value"] for line in lines]
    scored = [value for value in values if value is not None]
    return {"solved": sum(value >= 1.0 for value in scored) / len(scored)} if scored else {}
