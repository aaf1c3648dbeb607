"""The hub's rewards in TRL's trainers, and `hub train`.

    import hub, hub_trl
    mix = hub.Mix({"math": 1.0, "think-format": 0.2})
    trainer = GRPOTrainer(model, reward_funcs=hub_trl.reward_funcs(mix),
                          args=GRPOConfig(..., **hub_trl.trainer_arguments(mix)), ...)

For TRL's command line and AsyncGRPOTrainer, which need a function with a fixed name: `hub_trl.total`.
Not covered: PPO, which TRL no longer has.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_trl.functions import check_columns, reward_funcs, reward_weights, total, trainer_arguments

__all__ = ["check_columns", "reward_funcs", "reward_weights", "total", "trainer_arguments"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("hub_trl.functions"), name)
    raise AttributeError(f"module 'hub_trl' has no attribute {name!r}")
