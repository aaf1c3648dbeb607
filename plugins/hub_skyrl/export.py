"""`hub export skyrl`."""

import re
from pathlib import Path

import hub
from hub.errors import ConfigError
from hub.training.needs import refuse_tokens

_MODULE = '''"""The environments `hub` and `hub-eval` of SkyRL's gym.

Written by `hub export`; after a change of the mix, do so again.
"""

import skyrl_gym

MIX = {{"path": {path!r}, "sha256": {sha256!r}, "label": {label!r}}}


def register():
    """Register the environments; to be called in the Ray task in which the trainer is made."""
    for name, group_size in (("hub", {group_size}), ("hub-eval", None)):
        skyrl_gym.register(
            id=name,
            entry_point="hub_skyrl.environment:MixEnv",
            kwargs={{**MIX, "group_size": group_size}},
        )
'''


def export(
    mix: hub.Mix, *, path: Path, sha256: str, out: Path, group_size: int = 5, label: str = "answer"
) -> hub.Exported:
    """Write the module that registers the environments.

    Args:
        mix: what to score with.
        path: its file.
        sha256: the file's digest.
        out: the folder to write to.
        group_size: the trainer's `generator.n_samples_per_prompt`.
        label: which column the `ground_truth` of a row's `reward_spec` becomes.

    Raises:
        ConfigError: the mix compares the completions of a prompt, needs their tokens, or has a weight that
            changes over steps.
    """
    if mix.compares:
        raise ConfigError(
            f"{', '.join(mix.compares)}: needs all completions of a prompt, but SkyRL's environment "
            "sees one, and blocks a thread of the generator while it waits for others"
        )
    refuse_tokens(mix, "SkyRL's environment")
    if mix.is_scheduled:
        raise ConfigError("a weight changes over steps, but SkyRL's gym is not told the step: give constants")
    name = "hub_skyrl_" + re.sub(r"\W", "_", path.stem)
    module = _MODULE.format(path=str(path), sha256=sha256, label=label, group_size=group_size)
    text = f"""\
# posttrain-hub must be installed where the generator runs, with PYTHONPATH={out}
# in the Ray task of the entry point, before BasePPOExp(cfg).run():
#     import {name}
#     {name}.register()
# rows of the evaluation have "env_class": "hub-eval"
environment.env_class=hub \\
generator.n_samples_per_prompt={group_size}"""
    return hub.Exported({f"{name}.py": module}, text)
