"""Overrides as Hydra reads them, on a command line."""

import shlex
from typing import Any


def command(overrides: list[tuple[str, Any]]) -> list[str]:
    """Return the lines of a command with these overrides."""
    lines = [f"    {override(key, value)}" for key, value in overrides]
    return ["python -m verl.trainer.main_ppo \\", *(f"{line} \\" for line in lines[:-1]), lines[-1]]


def override(key: str, value: Any) -> str:
    r"""Return an override as the shell and Hydra read it.

    >>> print(override("algorithm.gdpo_reward_keys", ["math", "two words"]))
    "algorithm.gdpo_reward_keys=['math','two words']"
    >>> override("trainer.use_v1", False)
    'trainer.use_v1=False'
    """
    text = f"{key}={_hydra(value)}"
    return f'"{text}"' if "'" in text and not set('"$`\\!') & set(text) else shlex.quote(text)


def _hydra(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(_hydra(item) if not isinstance(item, str) else _quoted(item) for item in value)}]"
    if isinstance(value, str) and not all(char.isalnum() or char in "/_.-" for char in value):
        return _quoted(value)
    return str(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\") if text.endswith("\\") else text
    return "'" + escaped.replace("'", "\\'") + "'"
