"""`hub export trl`: a module with the reward functions by name, and the YAML and Python that name them."""

import keyword
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import hub
from hub.errors import ConfigError
from hub_trl.plan import plan

TRAINERS = {
    "grpo": ("trl", "GRPO"),
    "rloo": ("trl", "RLOO"),
    "async_grpo": ("trl.experimental.async_grpo", "AsyncGRPO"),
    "online_dpo": ("trl.experimental.online_dpo", "OnlineDPO"),
}
"""Where TRL has the trainer, and how its classes begin (trl 1.0 to 1.16)."""
COMMANDS = ("grpo", "rloo")
"""What TRL's command line can train with reward functions."""

_TEXT = '''"""The rewards of {path} for TRL, written by `hub export trl`; export again after a change."""

from hub.training.from_file import mix_of
from hub_trl import reward_funcs, trainer_arguments

mix = mix_of(
    {path!r},
    {sha256!r},
)
functions = reward_funcs(mix, algorithm={algorithm!r}, combined={combined}, asynchronous={asynchronous})
arguments = trainer_arguments(mix, algorithm={algorithm!r}, combined={combined})
{names} = functions
'''
_PYTHON = """In Python, with {out} on the path:

from {place} import {prefix}Config, {prefix}Trainer
from {module} import arguments, functions, mix

trainer = {prefix}Trainer(..., reward_funcs=functions, args={prefix}Config(..., **arguments))
mix.check(rows)
"""
_COMMAND = """In the file given to TRL's command, `PYTHONPATH={out} trl {algorithm} --config FILE`:

{yaml}
"""


def export(
    mix: hub.Mix,
    *,
    path: Path,
    sha256: str,
    out: Path,
    algorithm: str = "grpo",
    combined: bool = False,
    asynchronous: bool = False,
    module: str | None = None,
) -> hub.Exported:
    """Write the module; tell the YAML and the Python.

    Args:
        mix: what to score with.
        path: its file.
        sha256: the file's digest.
        out: the folder to write to.
        algorithm: "grpo", "rloo", "async_grpo" or "online_dpo".
        combined: one function that returns the total, in any case.
        asynchronous: `async def` functions.
        module: its name, by which Python finds it: another for each mix that one process uses; by default
            "hub_trl_" and the mix file's name.

    Raises:
        ConfigError: TRL cannot do what the mix needs, or the module's name is none.
    """
    chosen = plan(mix, algorithm, combined)
    if asynchronous and algorithm == "online_dpo":
        raise ConfigError("OnlineDPOTrainer awaits nothing: leave out asynchronous")
    module = module or "hub_trl_" + re.sub(r"\W", "_", path.stem)
    if not module.isidentifier() or keyword.iskeyword(module):
        raise ConfigError(f"{module!r} is no name for a module: letters, digits and underscores, no folder")
    names = _identifiers(list(chosen.values))
    text = _TEXT.format(
        path=str(path),
        sha256=sha256,
        algorithm=algorithm,
        combined=combined,
        asynchronous=asynchronous,
        names=", ".join(names) if len(names) > 1 else f"({names[0]},)",
    )
    place, prefix = TRAINERS[algorithm]
    parts = []
    if algorithm in COMMANDS:
        yaml = ["reward_funcs:", *(f"  - {module}.{name}" for name in names)]
        yaml += [f"{key}: {value}" for key, value in chosen.arguments.items()]
        parts.append(_COMMAND.format(out=shlex.quote(str(out)), algorithm=algorithm, yaml="\n".join(yaml)))
    parts.append(_PYTHON.format(out=out, place=place, prefix=prefix, module=module))
    return hub.Exported({f"{module}.py": text}, "\n".join(parts))


def _identifiers(names: Sequence[str]) -> list[str]:
    """The functions' names as names of Python: TRL looks them up in the module."""
    taken = {"mix", "functions", "arguments", "mix_of", "reward_funcs", "trainer_arguments"}
    found = []
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        if plain[0].isdigit() or keyword.iskeyword(plain):
            plain = f"_{plain}"
        while plain in taken:
            plain += "_"
        taken.add(plain)
        found.append(plain)
    return found
