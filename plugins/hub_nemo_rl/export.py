"""`hub export nemo-rl`."""

import json
from pathlib import Path

import hub
from hub.errors import ConfigError
from hub.training.needs import refuse_tokens

ACTOR = "hub_nemo_rl.actor.HubEnvironment"


def export(
    mix: hub.Mix, *, path: Path, sha256: str, out: Path, group_size: int | None = None
) -> hub.Exported:
    """Print the lines of Python and YAML that register the environment; nothing is written.

    Args:
        mix: what to score with.
        path: its file.
        sha256: the file's digest.
        out: not used.
        group_size: for asynchronous rollouts, the trainer's `grpo.num_generations_per_prompt`; None:
            synchronous ones, in which a step gets whole groups.

    Raises:
        ConfigError: a weight changes over steps, or the mix needs the completions' tokens.
    """
    refuse_tokens(mix, "NeMo RL's environment")
    if mix.is_scheduled:
        raise ConfigError(
            "a weight changes over steps, but NeMo RL tells an environment no step: give constants"
        )
    text = f"""\
# posttrain-hub must be installed where the environments run.
# In the training script, before the environments are made:
from nemo_rl.distributed.ray_actor_environment_registry import ACTOR_ENVIRONMENT_REGISTRY
from nemo_rl.distributed.virtual_cluster import PY_EXECUTABLES
from nemo_rl.environments.utils import register_env

ACTOR_ENVIRONMENT_REGISTRY[{ACTOR!r}] = PY_EXECUTABLES.SYSTEM
register_env("hub", {ACTOR!r})

# YAML; what a row's processor puts into extra_env_info are the columns:
env:
  hub:
    path: {json.dumps(str(path))}
    sha256: {sha256}
    group_size: {"null" if group_size is None else group_size}
data:
  env_name: hub"""
    return hub.Exported({}, text)
