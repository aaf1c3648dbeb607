"""`hub export areal`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hub
from hub.errors import ConfigError


def export(mix: hub.Mix, *, path: Path, sha256: str, out: Path) -> hub.Exported:
    """Print the arguments of the trainer; nothing is written.

    Args:
        mix: what to score with.
        path: its file.
        sha256: the file's digest.
        out: not used.

    Raises:
        ConfigError: a weight changes over steps.
    """
    if mix.is_scheduled:
        raise ConfigError("a weight changes over steps, but AReaL tells a workflow no step: give constants")
    text = f"""\
# posttrain-hub must be installed where the rollouts run. In the training script:
trainer.train(
    workflow="hub_areal.workflow.MixWorkflow",
    workflow_kwargs=dict(
        path={str(path)!r},
        sha256={sha256!r},
        gconfig=config.gconfig,
        tokenizer=config.tokenizer_path,
        enable_thinking=False,
    ),
    eval_workflow="hub_areal.workflow.MixWorkflow",
    eval_workflow_kwargs=dict(
        path={str(path)!r},
        sha256={sha256!r},
        gconfig=config.eval_gconfig,
        tokenizer=config.tokenizer_path,
        enable_thinking=False,
    ),
)"""
    return hub.Exported({}, text)


def columns_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that rewards get of a row: all but its messages."""
    return {name: value for name, value in row.items() if name != "messages"}
