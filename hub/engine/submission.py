"""Samples on their way through one reward: what is known already, what must be called, what came of it."""

import pickle
import time
from collections.abc import Iterator, Sequence
from typing import Any

from hub.engine.component import Component
from hub.engine.wire import Result
from hub.engine.worker import ABSENT, read_sample
from hub.reward import Lane, Per, Reward
from hub.sample import Sample, quick_sample
from hub.score import Failure, Outcome, Score

CACHE_ENTRIES = 500_000
"""Most scores kept per reward; the oldest go first.

A cache's keys are Python's own hashes of what the reward sees of a sample, pickled: 64 bits, SipHash with
a key of this process (PEP 456), six times as fast as hashlib's. Against a full cache one lookup in 4e13
would find the score of another sample.
"""


class Submission:
    """One batch of samples for one reward.

    Args:
        component: the reward.
        samples: in the order of the scores.
        cache: use the component's cache, and score duplicates once.
        parts: calls that are made of a batch, where several can be made at once.
    """

    def __init__(self, component: Component, samples: list[Sample], cache: bool, parts: int = 1) -> None:
        reward = component.bound.reward
        self.component, self.samples, self.per = component, samples, reward.per
        self.scores: list[Any] = [None] * len(samples)
        self.keep = cache and reward.deterministic and component.bound.lane is not Lane.INLINE
        self.is_sent = component.definition.here is None
        self.payloads: list[bytes] = [b""] * len(samples)
        self.todo: list[int] = []
        self.units: list[list[int]] = []
        self.keys: list[int] = []
        self.copies: dict[int, list[int]] = {}
        self.submitted_ns = time.monotonic_ns()
        usable = self._encode(reward)
        if self.per is Per.GROUP:
            self._find_groups(usable)
        else:
            self._find_samples(usable, parts)

    def _encode(self, reward: Reward) -> list[int]:
        """Read what the reward may see of each sample; return the samples that can be scored."""
        usable, needs, uses = [], reward.needs or (), reward.uses
        if not (self.is_sent or self.keep):
            usable = list(range(len(self.samples)))
            for name in needs:
                lacking = [index for index in usable if name not in self.samples[index].columns]
                for index in lacking:
                    self.scores[index] = _missing(self.samples[index], needs)
                if lacking:
                    usable = [index for index in usable if self.scores[index] is None]
            return usable
        dumps, declared = pickle.dumps, reward.needs is not None
        for index, sample in enumerate(self.samples):
            columns = sample.columns
            try:
                if declared:
                    values: Any = [columns[name] for name in needs]
                    if uses:
                        values += [columns.get(name, ABSENT) for name in uses]
                else:
                    values = dict(columns)
            except KeyError:
                self.scores[index] = _missing(sample, needs)
                continue
            try:
                self.payloads[index] = dumps((sample.prompt, sample.completion, values), 5)
            except Exception as error:
                if self.is_sent:
                    detail = f"cannot be sent to a worker: {type(error).__name__}: {error}"
                    self.scores[index] = Score.failed(Failure.BAD_INPUT, detail)
                    continue
                self.keep = False  # nothing tells whether it was seen before; so this batch is not cached
            usable.append(index)
        return usable

    def _find_samples(self, usable: list[int], parts: int) -> None:
        """Take scores from the cache, find duplicates, leave the rest as units."""
        todo = usable
        if self.keep:
            cache, payloads = self.component.cache, self.payloads
            keys = [hash(payloads[index]) for index in usable]
            if len(set(keys)) == len(keys) and cache.keys().isdisjoint(keys):
                self.keys = keys
            else:
                todo = self._take_known(usable, keys)
        if self.per is Per.BATCH:
            size = self.part_size = max(1, -(-len(todo) // parts))
            self.units = [todo[start : start + size] for start in range(0, len(todo), size)]
        else:
            self.todo = todo

    def _take_known(self, usable: list[int], keys: list[int]) -> list[int]:
        """Score from the cache, and set copies aside; return what is left, and keep its keys."""
        todo: list[int] = []
        leaders: dict[int, int] = {}
        cache = self.component.cache
        for index, key in zip(usable, keys, strict=True):
            known = cache.get(key)
            if known is not None:
                self.scores[index] = known
            elif (leader := leaders.setdefault(key, index)) != index:
                self.copies.setdefault(leader, []).append(index)
            else:
                todo.append(index)
                self.keys.append(key)
        self.component.stats.cached += len(usable) - len(todo)
        return todo

    def _find_groups(self, usable: list[int]) -> None:
        """Gather completions of one prompt; take whole groups from the cache."""
        groups: dict[Any, list[int]] = {}
        for index in usable:
            sample = self.samples[index]
            name = sample.group if sample.group is not None else ("prompt", repr(sample.prompt))
            groups.setdefault(name, []).append(index)
        for members in groups.values():
            key = 0
            if self.keep:
                key = hash(tuple([self.payloads[index] for index in members]))
                known = self.component.cache.get(key)
                if known is not None:
                    for index, score in zip(members, known, strict=True):
                        self.scores[index] = score
                    self.component.stats.cached += len(members)
                    continue
            self.units.append(members)
            self.keys.append(key)

    def calls(self) -> Sequence[Any]:
        """Return what each call is given: pickled fields for a worker, else samples."""
        if not self.is_sent:
            calls = _Calls(self)
            return calls if self.component.bound.lane is Lane.INLINE else list(calls)
        if self.per is Per.SAMPLE:
            return [self.payloads[index] for index in self.todo]
        return [pickle.dumps([self.payloads[i] for i in unit], 5) for unit in self.units]

    def views(self, indices: Sequence[int]) -> Iterator[Sample]:
        """Yield what the reward may see of these samples."""
        if self.keep:  # as it was when its key was made, whatever becomes of the row
            for index in indices:
                yield read_sample(pickle.loads(self.payloads[index]), self.component.definition)
            return
        samples, reward = self.samples, self.component.bound.reward
        needs, uses = reward.needs, reward.uses
        for index in indices:
            sample = samples[index]
            columns = sample.columns
            if needs is None:
                seen = dict(columns)
            else:
                seen = {}
                for name in needs:
                    seen[name] = columns[name]
                for name in uses:
                    if name in columns:
                        seen[name] = columns[name]
            yield quick_sample(sample.prompt, sample.completion, seen)

    def report(self, units: Sequence[int], results: Sequence[Result]) -> None:
        """Take the scores of finished calls."""
        scores, keep = self.scores, self.keep
        if self.per is Per.SAMPLE:
            cache, keys, todo = self.component.cache, self.keys, self.todo
            for unit, (found, _, _) in zip(units, results, strict=True):
                score = scores[todo[unit]] = found[0]
                if keep and score.outcome is not Outcome.FAILED:
                    cache[keys[unit]] = score
        else:
            for unit, (found, _, _) in zip(units, results, strict=True):
                whole = self.units[unit]
                each = found if len(found) == len(whole) else found[:1] * len(whole)
                for index, score in zip(whole, each, strict=True):
                    scores[index] = score
                if keep:
                    self._remember(unit, each)
        slow = self.component.stats.time(results, self.submitted_ns)
        for position in slow:
            unit = units[position]
            index = self.todo[unit] if self.per is Per.SAMPLE else self.units[unit][0]
            self.component.stats.note(results[position][2], repr(self.samples[index].completion)[:200])

    def finish(self) -> list[Score]:
        """Give duplicates the score of the first of them, count, and return every score."""
        for leader, copies in self.copies.items():
            for copy in copies:
                self.scores[copy] = self.scores[leader]
        self.component.stats.add(self.scores)
        cache = self.component.cache
        while len(cache) > CACHE_ENTRIES:
            cache.popitem(last=False)
        return self.scores

    def _remember(self, unit: int, scores: list[Score]) -> None:
        """Keep the scores of a group together, those of a batch each on its own."""
        cache = self.component.cache
        if self.per is Per.BATCH:
            first = unit * self.part_size
            for key, score in zip(self.keys[first : first + len(scores)], scores, strict=True):
                if score.outcome is not Outcome.FAILED:
                    cache[key] = score
        elif all(score.outcome is not Outcome.FAILED for score in scores):
            cache[self.keys[unit]] = tuple(scores)


class _Calls(Sequence[Any]):
    """What calls in this process are given, made when it is needed and not kept."""

    def __init__(self, batch: Submission) -> None:
        self._batch = batch
        self._single = batch.per is Per.SAMPLE

    def __len__(self) -> int:
        return len(self._batch.todo if self._single else self._batch.units)

    def __iter__(self) -> Iterator[Any]:
        if self._single:
            return self._batch.views(self._batch.todo)
        return (list(self._batch.views(unit)) for unit in self._batch.units)

    def __getitem__(self, unit: Any) -> Any:
        if self._single:
            return next(self._batch.views((self._batch.todo[unit],)))
        return list(self._batch.views(self._batch.units[unit]))


def _missing(sample: Sample, needs: Sequence[str]) -> Score:
    """The score of a sample that lacks a column."""
    name = next(name for name in needs if name not in sample.columns)
    here = ", ".join(map(str, sample.columns)) or "none"
    return Score.failed(Failure.MISSING_COLUMN, f"the row has no column {name!r} (it has: {here})")
