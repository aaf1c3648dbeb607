"""`hub export verifiers`."""

import json
import re
from pathlib import Path

import hub
from hub.errors import ConfigError
from hub.training.needs import refuse_tokens

_MODULE = '''"""The reward of a mix for verifiers and prime-rl.

Written by `hub export`; after a change of the mix, do so again.
"""

from hub_verifiers.reward import score

PATH = {path!r}
SHA256 = {sha256!r}


async def reward(task, trace):
    """Return a trace's total (see `hub_verifiers.reward.score`)."""
    return await score(task, trace, path=PATH, sha256=SHA256)
'''


def export(mix: hub.Mix, *, path: Path, sha256: str, out: Path) -> hub.Exported:
    """Write the file with the reward and print the TOML that plugs it in.

    Args:
        mix: what to score with.
        path: its file.
        sha256: the file's digest.
        out: the folder to write to.

    Raises:
        ConfigError: the mix compares the completions of a prompt, needs their tokens, or has a weight that
            changes over steps.
    """
    if mix.compares:
        raise ConfigError(
            f"{', '.join(mix.compares)}: needs all completions of a prompt, but a reward of verifiers sees "
            "one trace"
        )
    refuse_tokens(mix, "verifiers")
    if mix.is_scheduled:
        raise ConfigError("a weight changes over steps, but verifiers tells a reward no step: give constants")
    name = "hub_verifiers_" + re.sub(r"\W", "_", path.stem) + ".py"
    text = f"""\
# posttrain-hub must be installed where the environment runs
[env.taskset.task.rewards.hub]
fn = {json.dumps(f"{out / name}:reward")}"""
    return hub.Exported({name: _MODULE.format(path=str(path), sha256=sha256)}, text)
