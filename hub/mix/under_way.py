"""One batch on its way through the rewards of a mix."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from typing import Any

from hub.engine.component import Component
from hub.engine.interface import AnyEngine
from hub.engine.waiting import Waiting
from hub.mix.config import RewardConfig
from hub.reward import BoundReward
from hub.sample import Sample
from hub.score import Failure, Outcome, Score


@dataclass(frozen=True, eq=False)
class MixReward:
    """One reward of a mix, found and with its options checked.

    Args:
        name: what results and metrics call it.
        config: as written.
        bound: the reward with its options.
    """

    name: str
    config: RewardConfig
    bound: BoundReward

    def applies(self, columns: Mapping[str, Any]) -> bool:
        """Whether the row with these columns is routed to this reward."""
        return all(_matches(columns.get(key), wanted) for key, wanted in self.config.when.items())

    def view(self, sample: Sample) -> Sample:
        """The sample with its columns under the names that the reward reads."""
        if not self.config.map:
            return sample
        columns = sample.columns
        kept = {name: value for name, value in columns.items() if name not in self.config.map}
        renamed = {name: columns[of] for name, of in self.config.map.items() if of in columns}
        return replace(sample, columns=kept | renamed)


class UnderWay:
    """One batch on its way through a mix's rewards."""

    def __init__(self, engine: AnyEngine, components: dict[str, Component], samples: list[Sample]) -> None:
        self.engine, self.components, self.samples = engine, components, samples
        self.waiting: dict[str, tuple[MixReward, Sequence[int], list[Score], Waiting]] = {}
        self.scores: dict[str, list[Score]] = {}
        self.cancelled = False

    def run(self, order: list[MixReward]) -> dict[str, list[Score]]:
        """Start every ungated reward, then each gated one as its gate is known; wait for all."""
        for waiting in self.steps(order):
            waiting.result()
        return self.scores

    async def arun(self, order: list[MixReward], in_thread: bool) -> dict[str, list[Score]]:
        """`run` from a coroutine; no thread waits meanwhile.

        Args:
            order: each reward after the one that gates it.
            in_thread: submit in a thread, as inline rewards run where they are submitted.
        """
        steps = self.steps(order)
        while True:
            waiting = await asyncio.to_thread(next, steps, None) if in_thread else next(steps, None)
            if waiting is None:
                return self.scores
            if not waiting.done():
                await asyncio.wrap_future(waiting)

    def steps(self, order: list[MixReward]) -> Iterator[Waiting]:
        """Yield what must be waited for until the next thing can be done."""
        for reward in sorted(order, key=lambda r: (r.config.gate is not None, r.bound.lane == "inline")):
            if reward.config.gate is None:
                self.start(reward)
        for reward in order:
            if reward.config.gate is not None:
                yield from self.finish(reward.config.gate.reward)
                self.start(reward)
        for name in list(self.waiting):
            yield from self.finish(name)

    def start(self, reward: MixReward) -> None:
        """Submit the samples that a reward is asked about."""
        scores = [_PENDING] * len(self.samples)
        chosen: Sequence[int] = range(len(self.samples))
        if reward.config.when or reward.config.gate:
            known = [_not_asked(reward, s, index, self.scores) for index, s in enumerate(self.samples)]
            scores = [score or _PENDING for score in known]
            chosen = [index for index, score in enumerate(known) if score is None]
        if self.cancelled:
            raise CancelledError
        views = [self.samples[index] for index in chosen]
        if reward.config.map:
            views = [reward.view(sample) for sample in views]
        waiting = self.engine.submit(self.components[reward.name], views)
        self.waiting[reward.name] = (reward, chosen, scores, waiting)
        if self.cancelled:  # meanwhile, from another thread
            waiting.cancel()

    def finish(self, name: str) -> Iterator[Waiting]:
        """Take a reward's scores, once they are there."""
        if name not in self.waiting:
            return
        reward, chosen, scores, waiting = self.waiting[name]
        yield waiting
        found = waiting.result()
        if reward.config.on_timeout is not None:
            found = [_after_timeout(reward, score) for score in found]
        if len(chosen) == len(scores) == len(found):
            scores = list(found)
        else:
            for index, score in zip(chosen, found, strict=True):
                scores[index] = score
        del self.waiting[name]
        self.scores[name] = scores

    def cancel(self) -> None:
        """Give up what is not done."""
        self.cancelled = True
        for _, _, _, waiting in list(self.waiting.values()):
            waiting.cancel()


_PENDING = Score.failed(Failure.CANCELLED, "not scored yet")


def _not_asked(
    reward: MixReward, sample: Sample, index: int, scores: Mapping[str, list[Score]]
) -> Score | None:
    """The score of a sample that the reward is not asked about: routed elsewhere, or gated."""
    if not reward.applies(sample.columns):
        return Score.abstained("not routed here")
    gate = reward.config.gate
    if gate is None:
        return None
    gating = scores[gate.reward][index]
    if gating.outcome is Outcome.FAILED:
        return Score.failed(Failure.GATE, f"{gate.reward} failed: {gating.reason}")
    if gating.value is None or gate.holds(gating.value):
        return None  # a gate that does not apply to this sample does not close
    return Score(0.0, "gated", f"{gate} does not hold: it is {gating.value:g}")


def _after_timeout(reward: MixReward, score: Score) -> Score:
    value = reward.config.on_timeout
    if value is None or score.reason is not Failure.TIMEOUT:
        return score
    return Score(value, "timeout", score.detail)


def _matches(value: Any, wanted: Any) -> bool:
    try:
        return bool(value == wanted) or (isinstance(wanted, list | tuple) and value in wanted)
    except ValueError:  # an array, which no plain value equals
        return False
