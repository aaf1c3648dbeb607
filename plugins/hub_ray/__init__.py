"""Rewards past one machine: the engine's work on Ray actors.

    import hub, hub_ray
    mix = hub.Mix({"math": 1.0, "think-format": 0.2})
    with hub_ray.RayEngine(actors=4, cpus=8) as engine:
        results = mix.score(samples, engine=engine)

engine.py   what callers use: the same as `hub.Engine`
place.py    what an actor asks of a node, and for which rewards
ship.py     a reward as it travels to an actor
crew.py     the actors of one place: shares work out, replaces those that are lost
remote.py   one actor, seen from the engine
actor.py    what an actor does
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_ray.engine import RayEngine

__all__ = ["RayEngine"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("hub_ray.engine"), name)
    raise AttributeError(f"module 'hub_ray' has no attribute {name!r}")
