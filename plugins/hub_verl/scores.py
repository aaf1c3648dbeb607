"""Where samples are scored: in this process, or in one Ray actor that all reward workers of a run share."""

import os
from collections.abc import Awaitable, Callable
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias

import hub
from hub.training.waiting import UNSURE_S
from hub_verl.settings import Settings

Score: TypeAlias = Callable[[hub.Sample, "Size", int | None], Awaitable[hub.Lowered]]
"""Scores a sample, whose group is of that size, at a training step."""
WAITING = 1_000_000
"""Samples that may wait in the actor at once; Ray's own limit for an actor with coroutines is 1000."""


class Size(NamedTuple):
    """How many samples a group has.

    Args:
        samples: the number.
        is_sure: False where it may be another, as the row does not say whether it is for training.
    """

    samples: int
    is_sure: bool = True


class Scores:
    """Scores samples of groups of any size, as training and validation differ in it.

    Args:
        settings: what was exported.

    Raises:
        ConfigError: the mix has changed since, or is wrong.
    """

    def __init__(self, settings: Settings) -> None:
        self._mix, self._wait_s = settings.mix(), settings.wait_s
        self._of_size: dict[Size, hub.Gatherer] = {}

    async def ascore(self, sample: hub.Sample, size: Size, step: int | None) -> hub.Lowered:
        """Return a sample's numbers.

        Args:
            sample: its group says which samples belong together.
            size: how many samples its group has.
            step: the training step; None: the end of each schedule.
        """
        if size not in self._of_size:
            wait_s = self._wait_s if size.is_sure or self._mix.compares else min(self._wait_s, UNSURE_S)
            self._of_size[size] = hub.Gatherer(self._mix, group_size=size.samples, wait_s=wait_s)
        return await self._of_size[size].ascore(sample, step=step)


def scores_of(settings: Settings, *, shared: bool) -> Score:
    """Return what scores samples.

    Args:
        settings: what was exported.
        shared: ask the actor that every process of this Ray job shares, and that the first one starts: verl
            hands each sample of a group to a reward worker that it picks at random.
    """
    if not shared:
        return _local(settings, os.getpid()).ascore
    ask = _actor(settings, os.getpid()).ascore.remote

    async def score(sample: hub.Sample, size: Size, step: int | None) -> hub.Lowered:
        lowered: hub.Lowered = await ask(sample, size, step)
        return lowered

    return score


@cache
def _local(settings: Settings, pid: int) -> Scores:
    return Scores(settings)


@cache
def _actor(settings: Settings, pid: int) -> Any:
    import ray

    name = f"hub-verl-{sha256(repr(settings).encode()).hexdigest()[:16]}"
    actor = ray.remote(num_cpus=0)(Scores)
    return actor.options(name=name, get_if_exists=True, max_concurrency=WAITING).remote(settings)
