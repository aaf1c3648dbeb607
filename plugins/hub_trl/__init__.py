"""The hub's rewards in TRL's trainers, and `hub train`.

    import hub, hub_trl
    mix = hub.Mix({"math": 1.0, "think-format": 0.2})
    trainer = GRPOTrainer(model, reward_funcs=hub_trl.reward_funcs(mix),
                          args=GRPOConfig(..., **hub_trl.trainer_arguments(mix)), ...)
    trainer.add_callback(hub_trl.EvaluateDuringTraining(trainer, ["gsm8k"], every_steps=100))

GRPO and RLOO, AsyncGRPO and Online DPO (`algorithm=...`). For what takes a dotted path, as TRL's command
line does: `hub_trl.rewards.math` (rewards.py), `hub_trl.total` for the mix file in HUB_MIX, or `hub export
trl`. PPO, which TRL has up to 1.12: `hub_trl.ppo`. Not covered: trainers that learn from preferences and not
from rewards (DPO, KTO, reward modelling).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_trl.evaluate import EvaluateDuringTraining
    from hub_trl.functions import check_columns, reward_funcs, reward_weights, total, trainer_arguments

__all__ = [
    "EvaluateDuringTraining",
    "check_columns",
    "reward_funcs",
    "reward_weights",
    "total",
    "trainer_arguments",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        module = "hub_trl.evaluate" if name == "EvaluateDuringTraining" else "hub_trl.functions"
        return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'hub_trl' has no attribute {name!r}")
