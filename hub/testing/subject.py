"""A reward under test: its samples, how they may be cut up, and what is compared with what."""

import functools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.engine.engine import Engine
from hub.reward import BoundReward, Per
from hub.sample import Sample
from hub.score import Outcome, Score
from hub.testing.odd import ODD_TEXTS


@dataclass(frozen=True)
class Subject:
    """A reward, the samples its author gave, and an engine that caches nothing.

    Args:
        bound: the reward with its options.
        engine: what it runs in.
        gold: samples that earn the full score.
        wrong: samples that do not.
        tolerance: the largest difference between two scores that count as the same.
    """

    bound: BoundReward
    engine: Engine
    gold: tuple[Sample, ...]
    wrong: tuple[Sample, ...]
    tolerance: float

    @property
    def samples(self) -> list[Sample]:
        """All of the author's samples."""
        return [*self.gold, *self.wrong]

    @functools.cached_property
    def scores(self) -> list[Score]:
        """The scores of the author's samples, given at once and in their order."""
        return self.score(self.samples)

    @functools.cached_property
    def odd(self) -> dict[str, Score]:
        """The scores of odd completions, each in place of the first gold one."""
        units = [self.with_first(text, tag) for tag, text in ODD_TEXTS.items()]
        return dict(zip(ODD_TEXTS, self.first_scores(units), strict=True))

    @functools.cached_property
    def units(self) -> list[list[int]]:
        """What stays together: for a group reward the samples of a group, else each sample alone."""
        if self.bound.reward.per is not Per.GROUP:
            return [[index] for index in range(len(self.samples))]
        groups: dict[Any, list[int]] = {}
        for index, sample in enumerate(self.samples):
            groups.setdefault(group_of(sample), []).append(index)
        return list(groups.values())

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        """Score samples and make sure that there are as many scores."""
        scores = self.engine.score(self.bound, samples)
        assert len(scores) == len(samples), f"{len(scores)} scores for {len(samples)} samples"
        return scores

    def arranged(self, units: Iterable[list[int]]) -> dict[int, Score]:
        """Score the units in this order, as one batch; return the scores by the samples' numbers."""
        order = [index for unit in units for index in unit]
        samples = self.samples
        return dict(zip(order, self.score([samples[index] for index in order]), strict=True))

    def shuffled(self, seed: int) -> list[list[int]]:
        """The units in another order; within a group too."""
        chance = random.Random(seed)
        units = [chance.sample(unit, len(unit)) for unit in self.units]
        return chance.sample(units, len(units))

    def changed(self, change: Callable[[Sample], Sample]) -> list[Score]:
        """Score the author's samples after a change of each."""
        return self.score([change(sample) for sample in self.samples])

    def with_first(self, completion: Any, tag: str) -> list[Sample]:
        """The first gold sample's unit with another completion, as a group of its own; it comes first."""
        samples = self.samples
        first = replace(samples[0], completion=completion, group=("first", tag))
        return [first, *(replace(samples[i], group=first.group) for i in self.units[0][1:])]

    def first_scores(self, units: Sequence[Sequence[Sample]]) -> list[Score]:
        """Score units at once; return the score of the first sample of each."""
        scores = iter(self.score([sample for unit in units for sample in unit]))
        return [[next(scores) for _ in unit][0] for unit in units]  # noqa: RUF015 - all are to be taken

    def same(self, one: Score, other: Score) -> bool:
        """Whether two scores say the same of a sample."""
        if one.outcome is not other.outcome:
            return False
        if one.value is None or other.value is None:
            return one.outcome is not Outcome.FAILED or one.reason == other.reason
        return abs(one.value - other.value) <= self.tolerance


def group_of(sample: Sample) -> Any:
    """What makes samples one group: their `group`, or the prompt where that is None."""
    return sample.group if sample.group is not None else ("prompt", repr(sample.prompt))


def as_messages(sample: Sample) -> Sample:
    """The sample with its prompt and completion as chat messages."""
    prompt = [{"role": "user", "content": sample.prompt_text}]
    completion = [{"role": "assistant", "content": sample.text}]
    return replace(sample, prompt=prompt, completion=completion, group=group_of(sample))


def as_parts(sample: Sample) -> Sample:
    """The sample with its prompt and completion as chat messages whose content is a list of parts."""

    def parts(text: str) -> list[dict[str, str]]:
        half = len(text) // 2
        return [{"type": "text", "text": text[:half]}, {"type": "text", "text": text[half:]}]

    prompt = [{"role": "user", "content": parts(sample.prompt_text)}]
    completion = [{"role": "assistant", "content": parts(sample.text)}]
    return replace(sample, prompt=prompt, completion=completion, group=group_of(sample))


def show(sample: Sample) -> str:
    """Name a sample in a message by the start of its completion."""
    text = repr(sample.completion)
    return text if len(text) <= 100 else f"{text[:97]}..."


def show_score(score: Score) -> str:
    """Name a score in a message: its value, or its outcome and why."""
    if score.value is not None:
        return f"{score.value:g}" + (f" ({score.reason})" if score.reason else "")
    return f"{score.outcome}" + (f" ({score.reason}: {score.detail})" if score.reason else "")
