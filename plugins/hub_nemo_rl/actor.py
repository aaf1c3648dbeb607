"""The environment as a Ray actor, whose name `register_env` is given."""

import ray  # noqa: TID253 (imported by NeMo RL alone, which runs on Ray)

from hub_nemo_rl.environment import MixEnvironment

HubEnvironment = ray.remote(MixEnvironment)
