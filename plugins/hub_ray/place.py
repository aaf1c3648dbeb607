"""What an actor asks of a node, and which rewards run in such actors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import OptionError, nearest

RAYS_OWN = ("num_cpus", "num_gpus", "memory")
"""What Ray calls its own resources; any other name is one that nodes are started with."""
_MISTAKEN = {"CPU": "num_cpus", "GPU": "num_gpus", "cpus": "num_cpus", "gpus": "num_gpus"}


@dataclass(frozen=True)
class Place:
    """Actors of one kind.

    Args:
        actors: how many.
        asked: what each asks for, by name, e.g. (("num_cpus", 1.0), ("sandbox", 1.0)).
    """

    actors: int
    asked: tuple[tuple[str, float], ...]

    @property
    def workers(self) -> int:
        """Worker processes of each actor: its CPUs, at least one."""
        return max(1, int(dict(self.asked)["num_cpus"]))

    def options(self) -> dict[str, Any]:
        """Return the options that Ray takes when an actor is made."""
        asked = dict(self.asked)
        own = {name: asked.pop(name) for name in RAYS_OWN if name in asked}
        return {**own, "resources": asked} if asked else own

    def __str__(self) -> str:
        return ", ".join(f"{name}={amount:g}" for name, amount in self.asked)


def default_place(actors: int, cpus: int) -> Place:
    """Return the place of the rewards that ask for nothing.

    Raises:
        OptionError: a number is not at least 1.
    """
    for name, number in (("actors", actors), ("cpus", cpus)):
        if number < 1:
            raise OptionError(f"engine 'ray': {name} is {number!r}, but should be at least 1")
    return Place(actors, (("num_cpus", float(cpus)),))


def read_places(resources: Mapping[str, Mapping[str, float]]) -> dict[str, Place]:
    """Return the place of each reward that asks for something.

    Args:
        resources: what each actor of a reward asks for, by the reward's name: Ray's `num_cpus` (default
            1), `num_gpus` and `memory` (bytes), and resources that nodes were started with; `actors` says
            how many (default 1).

    Raises:
        OptionError: it is not such a mapping.
    """
    places = {}
    for reward, asked in resources.items():
        whose = f"engine 'ray': resources of the reward {reward!r}"
        if not isinstance(asked, Mapping):
            raise OptionError(f"{whose}: should be a mapping like {{'num_gpus': 0.5}}, not {asked!r:.80}")
        amounts = dict(asked)
        actors = amounts.pop("actors", 1)
        if not isinstance(actors, int) or actors < 1:
            raise OptionError(f"{whose}: actors is {actors!r}, but should be a whole number, at least 1")
        for name, amount in amounts.items():
            if name in _MISTAKEN:
                raise OptionError(f"{whose}: {name!r} is called {_MISTAKEN[name]!r}")
            if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount < 1e18:
                raise OptionError(f"{whose}: {name} is {amount!r}, but should be a number, 0 or more")
        amounts.setdefault("num_cpus", 1)
        places[reward] = Place(actors, tuple(sorted((name, float(n)) for name, n in amounts.items())))
    return places


def shortage(place: Place, waited_s: float) -> str:
    """Say that no actor could be placed: what was asked for, and what the cluster has."""
    import ray

    has = _amounts(ray.cluster_resources())  # type: ignore[no-untyped-call]
    free = _amounts(ray.available_resources())  # type: ignore[no-untyped-call]
    unknown = [name for name, amount in place.asked if amount and name not in has]
    own = set(has).difference(RAYS_OWN)
    near = "".join(f" (no node has {name!r}{nearest(name, own)})" for name in unknown[:1])
    return (
        f"no node had room in {waited_s:g} s for an actor that asks for {place}{near}. The cluster has "
        f"{_listed(has)}; of that {_listed(free) or 'nothing'} is free. Ask for less, start nodes that offer "
        "it (ray start --num-cpus, --num-gpus, --resources), or wait longer (placement_s)"
    )


def _amounts(found: Mapping[str, float]) -> dict[str, float]:
    """Keep what can be asked for, under the names by which it is."""
    called = {"CPU": "num_cpus", "GPU": "num_gpus"}
    left_out = ("node:", "accelerator_type:", "object_store_memory")
    return {called.get(name, name): n for name, n in found.items() if not name.startswith(left_out)}


def _listed(amounts: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={amount:g}" for name, amount in sorted(amounts.items()))
