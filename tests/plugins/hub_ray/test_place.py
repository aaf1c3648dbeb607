from typing import Any

import pytest

from hub.errors import OptionError
from hub_ray.place import Place, default_place, read_places


@pytest.mark.parametrize(
    ("asked", "actors", "options", "workers"),
    [
        ({}, 1, {"num_cpus": 1.0}, 1),
        ({"num_gpus": 0.5}, 1, {"num_cpus": 1.0, "num_gpus": 0.5}, 1),
        ({"sandbox": 1, "num_cpus": 4, "actors": 3}, 3, {"num_cpus": 4.0, "resources": {"sandbox": 1.0}}, 4),
        ({"num_cpus": 0}, 1, {"num_cpus": 0.0}, 1),
        ({"memory": 1 << 30}, 1, {"num_cpus": 1.0, "memory": float(1 << 30)}, 1),
    ],
)
def test_what_ray_is_asked_for(
    asked: dict[str, float], actors: int, options: dict[str, Any], workers: int
) -> None:
    place = read_places({"reward": asked})["reward"]
    assert (place.actors, place.options(), place.workers) == (actors, options, workers)


def test_the_same_resources_are_the_same_place() -> None:
    places = read_places(
        {"a": {"num_gpus": 1, "x": 2}, "b": {"x": 2.0, "num_gpus": 1.0}, "c": {"num_gpus": 1}}
    )
    assert places["a"] == places["b"] != places["c"]
    assert default_place(2, 4) == Place(2, (("num_cpus", 4.0),))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (1, "a mapping like"),
        ({"GPU": 1}, "'GPU' is called 'num_gpus'"),
        ({"cpus": 1}, "'cpus' is called 'num_cpus'"),
        ({"num_gpus": -1}, "num_gpus is -1"),
        ({"num_gpus": "one"}, "num_gpus is 'one'"),
        ({"num_gpus": float("nan")}, "num_gpus is nan"),
        ({"num_gpus": True}, "num_gpus is True"),
        ({"actors": 0}, "actors is 0"),
        ({"actors": 1.5}, "actors is 1.5"),
    ],
)
def test_what_is_refused(asked: Any, told: str) -> None:
    with pytest.raises(OptionError, match=f"resources of the reward 'reward'.*{told}"):
        read_places({"reward": asked})


@pytest.mark.parametrize(("actors", "cpus"), [(0, 1), (1, 0), (-1, 1)])
def test_at_least_one(actors: int, cpus: int) -> None:
    with pytest.raises(OptionError, match="at least 1"):
        default_place(actors, cpus)
