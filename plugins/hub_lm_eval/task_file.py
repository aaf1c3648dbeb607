"""The YAML with which lm-eval finds a benchmark of the hub."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_task(
    use: str,
    benchmark: str,
    *,
    split: str | None = None,
    options: Mapping[str, Any] | None = None,
    mix: Path | None = None,
) -> tuple[str, str]:
    """Return a task's name in lm-eval, and the text of its YAML.

    Args:
        use: the installed benchmark's name, or path/to/file.py:name.
        benchmark: its own name.
        split: None: the benchmark's first.
        options: of the benchmark.
        mix: a file to grade with instead.
    """
    name = name_of(benchmark)
    path, colon, _ = use.rpartition(":")
    found = str(Path(path).resolve()) + use[len(path) :] if colon and path.endswith(".py") else use
    lines = [f"task: {name}", "class: !function hub_lm_eval.hub_task.HubTask", f"benchmark: {_quote(found)}"]
    if split is not None:
        lines.append(f"split: {_quote(split)}")
    if options:
        lines.append(f"options: {_quote(dict(options))}")
    if mix is not None:
        lines.append(f"mix: {_quote(str(mix.resolve()))}")
    return name, "\n".join(lines) + "\n"


def name_of(benchmark: str) -> str:
    """Return a benchmark's name as a task of lm-eval, which makes file names of it.

    >>> name_of("reasoning-gym/chain_sum")
    'hub_reasoning-gym_chain_sum'
    """
    return "hub_" + "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in benchmark)


def _quote(value: Any) -> str:
    return json.dumps(value)  # JSON is YAML
