"""Offers the engine `ray`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_engines() -> Iterator[hub.EnginePlugin]:
    yield hub.EnginePlugin(
        "ray", "hub_ray.engine:RayEngine", "Ray actors, on one machine or many, placed by resources"
    )
