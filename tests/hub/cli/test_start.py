"""What is done to start sooner changes nothing else."""

import gc
from contextlib import suppress

import pytest

import hub
from hub.cli.start import nothing_collected, warm_meanwhile
from hub.engine.engine import default_engine
from hub.errors import ConfigError
from hub.evaluation.plan import make_plan


class Broken:
    def __init__(self) -> None:
        raise ValueError("cannot be made")

    def __call__(self, sample: hub.Sample) -> float:
        return 1.0


def test_collecting_goes_on_afterwards() -> None:
    frozen = gc.get_freeze_count()
    with suppress(RuntimeError), nothing_collected():
        assert not gc.isenabled()
        raise RuntimeError
    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen
    gc.unfreeze()


def test_rewards_are_warm_before_the_evaluation_begins() -> None:
    plan = make_plan("arithmetic", options={"rows": 1})
    earlier = default_engine().stats()  # other tests may have used it
    warm_meanwhile([plan]).join(60)
    warmed = default_engine().stats()
    assert "math" in warmed
    assert all(one["count"] == earlier.get(name, {"count": 0})["count"] for name, one in warmed.items())
    plan.mix.warm()
    assert default_engine().stats() == warmed


def test_a_reward_that_cannot_be_made_is_told_later() -> None:
    benchmark = hub.Benchmark(
        "broken",
        lambda split: [{"id": 0, "prompt": "x"}],
        {"reward": [{"use": Broken, "name": "broken"}]},
        "x",
    )
    plan = make_plan(benchmark)
    warm_meanwhile([plan]).join(60)
    with pytest.raises(ConfigError, match="cannot be made"):
        plan.mix.warm()
