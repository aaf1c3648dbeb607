"""`RewardSuite`: what every reward must hold to, as tests that a plugin author inherits."""

import inspect
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import pytest

from hub.engine.engine import Engine
from hub.errors import HubError
from hub.find import find_reward
from hub.origin import Origin
from hub.reward import BoundReward, Lane, Per, Reward
from hub.sample import Sample
from hub.score import Failure, Outcome, Score
from hub.testing.imports import find_module, foreign_imports
from hub.testing.odd import NOT_TEXT
from hub.testing.subject import Subject, as_messages, as_parts, group_of, show, show_score

COPIES = 8
"""How often a sample is scored to see whether its score is always the same."""


class RewardSuite:
    r"""Tests of one reward; subclass it in a test file, in a class whose name begins with `Test`.

        class TestExact(hub.testing.RewardSuite):
            reward = "exact"
            gold = [hub.Sample("1+1?", "It is\n2", {"answer": "2"})]
            wrong = [hub.Sample("1+1?", "It is\n3", {"answer": "2"})]

    Each test says what is wrong and what to do about it. More tests can be added to the class; the
    fixture `subject` gives them the reward (`subject.bound`), an engine that caches nothing, and
    `subject.score(samples)`.

    Attributes:
        reward: what `hub.find_reward` takes: an installed name, "path/to/file.py:name" (from the test
            file's folder), a function, a class or a `hub.Reward`.
        options: the reward's own.
        gold: samples that earn the full score; at least one. For a group reward, give the samples of a
            group the same `group`; all samples are scored together.
        wrong: samples that must earn less; at least one. Write here what a policy would try.
        full: the full score.
        empty_is_full: an empty completion earns the full score too, as with a penalty.
        tolerance: the largest difference between two scores that count as the same; above 0 only for
            models whose result depends a little on what shares their batch.
    """

    reward: ClassVar[str | Callable[..., Any] | Reward]
    options: ClassVar[Mapping[str, Any]] = {}
    gold: ClassVar[Sequence[Sample]] = ()
    wrong: ClassVar[Sequence[Sample]] = ()
    full: ClassVar[float] = 1.0
    empty_is_full: ClassVar[bool] = False
    tolerance: ClassVar[float] = 0.0

    @pytest.fixture(scope="class")
    @classmethod
    def subject(cls) -> Iterator[Subject]:
        """The reward under test, with its samples and an engine."""
        if not cls.gold or not cls.wrong:
            _fail("give `gold`, samples that earn the full score, and `wrong`, samples that must not")
        try:
            reward = find_reward(_attribute(cls, "reward"), Path(inspect.getfile(cls)).parent)
            bound = reward.bind(cls.options)
        except HubError as error:
            _fail(f"{type(error).__name__}: {error}")
        with Engine(2, cache=False) as engine:
            yield Subject(bound, engine, tuple(cls.gold), tuple(cls.wrong), cls.tolerance)

    def test_it_says_what_it_is_and_reads(self, subject: Subject) -> None:
        """It has a summary and declares the columns it reads."""
        reward = subject.bound.reward
        if not reward.summary:
            _fail("has no summary: write a docstring, or give `summary`; listings show its first line")
        if reward.needs is None:
            _fail(
                "does not declare the columns it reads: give needs=[...], or needs=[] if it reads none, so "
                "that a missing column is found before training starts"
            )

    def test_it_can_be_set_up(self, subject: Subject) -> None:
        """It can be imported and constructed."""
        broken = subject.engine.warm([subject.engine.add(subject.bound)])
        for detail in broken.values():
            _fail(f"cannot be constructed with the options {dict(self.options)}: {detail}")

    def test_right_answers_earn_the_full_score(self, subject: Subject) -> None:
        """Every gold sample earns exactly the full score."""
        for sample, score in zip(subject.gold, subject.scores, strict=False):
            if not self._is_full(score):
                _fail(
                    f"gives a gold sample {show_score(score)}, not the full score {self.full:g}: "
                    f"{show(sample)}. Correct the reward or the sample, or set `full`"
                )

    def test_wrong_answers_earn_less(self, subject: Subject) -> None:
        """Every wrong sample has a score, and a lower one."""
        for sample, score in zip(subject.wrong, subject.scores[len(subject.gold) :], strict=True):
            self._check_lower(score, f"a wrong sample: {show(sample)}")

    def test_an_empty_completion_earns_less(self, subject: Subject) -> None:
        """Nothing earns less than the full score, unless it is said to be otherwise."""
        score = subject.odd["nothing"]
        if not self.empty_is_full:
            self._check_lower(score, "an empty completion (set empty_is_full = True for a penalty)")
        elif not self._is_full(score):
            _fail(f"gives an empty completion {show_score(score)}, though `empty_is_full` is set: remove it")

    def _is_full(self, score: Score) -> bool:
        return score.value is not None and abs(score.value - self.full) <= self.tolerance

    def _check_lower(self, score: Score, what: str) -> None:
        if score.value is None:
            _fail(f"gives no score to {what}; it is {show_score(score)}. What is wrong is scored, e.g. 0.0")
        if score.value >= self.full:
            _fail(f"gives the score {score.value:g} to {what}")

    def test_values_are_in_the_declared_range(self, subject: Subject) -> None:
        """Values are finite, and none is outside the range that the reward declares."""
        low, high = subject.bound.reward.range
        named = [(show(sample), score) for sample, score in zip(subject.samples, subject.scores, strict=True)]
        for name, score in [*named, *subject.odd.items()]:
            if score.reason is Failure.BAD_VALUE:
                _fail(f"{score.detail}, for {name}")
            if score.value is None:
                continue
            if (low is not None and score.value < low) or (high is not None and score.value > high):
                _fail(
                    f"gives {score.value:g}, outside its declared range {low} to {high}, for {name}. "
                    "Bound the value, or declare the range that it has"
                )

    def test_the_same_sample_gets_the_same_score(self, subject: Subject) -> None:
        """Scoring again, in the same worker or another, changes nothing."""
        copies = [replace(s, group=(n, group_of(s))) for n in range(COPIES) for s in subject.samples]
        scores = subject.score(copies)
        size = len(subject.samples)
        for start in range(0, len(copies), size):
            advice = (
                "Seed what is random from the sample and keep nothing between calls, or declare "
                "deterministic=False so that nothing is cached"
            )
            _compare(subject, scores[start : start + size], "when scored again", advice)

    @pytest.mark.parametrize("how", ["shuffled", "in two halves", "one by one"])
    def test_a_score_does_not_depend_on_the_batch(self, subject: Subject, how: str) -> None:
        """Order and company of a sample (of a whole group, for a group reward) change nothing."""
        units = subject.shuffled(seed=7) if how == "shuffled" else subject.units
        half = len(units) // 2
        parts = {"shuffled": [units], "in two halves": [units[half:], units[:half]]}
        scores: dict[int, Score] = {}
        for part in parts.get(how, [[unit] for unit in units]):
            scores |= subject.arranged(part)
        what = "group" if subject.bound.reward.per is Per.GROUP else "sample"
        advice = (
            f"A score may depend on its own {what} alone; a reward that compares the completions of a "
            "prompt declares group=True"
        )
        _compare(subject, [scores[index] for index in sorted(scores)], f"when scored {how}", advice)

    def test_a_row_without_a_needed_column_fails_alone(self, subject: Subject) -> None:
        """It fails with `missing_column`, and the other rows are scored as before."""
        gold = subject.gold[0]
        for name in subject.bound.reward.needs or ():
            columns = {key: value for key, value in gold.columns.items() if key != name}
            alone = replace(gold, columns=columns, group=("without", name))
            score, *others = subject.score([alone, *subject.samples])
            if score.reason is not Failure.MISSING_COLUMN:
                _fail(f"declares that it needs {name!r}, but scores a row without it: {show_score(score)}")
            _compare(subject, others, f"beside a row without {name!r}", _ONE_BAD_SAMPLE)

    def test_other_columns_change_nothing(self, subject: Subject) -> None:
        """It reads what it declares and nothing else."""
        reward = subject.bound.reward
        declared = {*(reward.needs or ()), *reward.uses}
        noise = dict.fromkeys({"answer", "label", "index", "hub_unrelated"} - declared, "42")

        def add(sample: Sample) -> Sample:
            return replace(sample, columns={**sample.columns, **noise})

        def strip(sample: Sample) -> Sample:
            return replace(sample, columns={k: v for k, v in sample.columns.items() if k in declared})

        advice = "Declare what it reads: needs=[...] where it must be there, uses=[...] where it may"
        _compare(subject, subject.changed(add), "when columns it does not declare are added", advice)
        if reward.needs is not None:
            scores = subject.changed(strip)
            _compare(subject, scores, "when columns it does not declare are taken away", advice)

    def test_odd_completions_are_scored(self, subject: Subject) -> None:
        """No text makes it fail: a sample that fails is masked, so a policy would learn to write it."""
        for name, score in subject.odd.items():
            if score.outcome is Outcome.FAILED and score.fault != "infrastructure":
                _fail(
                    f"fails on a completion of {name}: {score.reason}: {score.detail}. Give such a text a "
                    "score, e.g. hub.Score(0.0, 'too_complex'), with a limit on length or depth where it "
                    "takes long"
                )

    def test_chat_messages_score_as_plain_text(self, subject: Subject) -> None:
        """A prompt and completion as chat messages, whole or in parts, get the score of their text."""
        advice = "Read `sample.text` and `sample.prompt_text`, not `sample.completion` and `sample.prompt`"
        _compare(subject, subject.changed(as_messages), "for the same text as chat messages", advice)
        _compare(subject, subject.changed(as_parts), "for the same text as messages in parts", advice)

    def test_what_is_no_text_harms_no_other_sample(self, subject: Subject) -> None:
        """A completion that is no text fails or is scored; the others are scored as before."""
        strange = [sample for name, value in NOT_TEXT.items() for sample in subject.with_first(value, name)]
        scores = subject.score([*strange, *subject.samples])[len(strange) :]
        _compare(subject, scores, "beside completions that are no text", _ONE_BAD_SAMPLE)

    def test_it_scores_the_same_in_a_fresh_worker(self, subject: Subject) -> None:
        """It can be sent to another process, and gives the same scores there."""
        bound = subject.bound
        try:
            pickle.dumps((bound.target, bound.options))
        except Exception as error:
            _fail(f"cannot be sent to another process: {error}. Give it options that can be pickled")
        if bound.lane in (Lane.PROCESS, Lane.INLINE):
            there = BoundReward(replace(bound.reward, lane=Lane.PROCESS), bound.options)
            with Engine(1, cache=False) as other:
                scores = other.score(there, subject.samples)
            advice = (
                "It may depend on a global that was changed, on the current folder, or on the order of a set"
            )
            _compare(subject, scores, "in a fresh process", advice)

    def test_listing_its_plugin_imports_nothing_else(self, subject: Subject) -> None:
        """The entry point's module imports nothing but hub, the standard library and its own package."""
        check_listing(subject.bound.reward.origin, "reward")


_ONE_BAD_SAMPLE = "In a batch or group reward, give a bad sample its own hub.Score.failed('bad_input')"


def check_listing(origin: Origin, kind: str) -> None:
    """Fail the test if listing the plugin of an origin imports more than it may; skip if there is none."""
    module = find_module(origin)
    if module is None:
        pytest.skip(f"the {kind} is not installed, so there is no entry point to import")
    try:
        foreign = foreign_imports(module)
    except RuntimeError as error:
        _fail(f"{module} cannot be imported in a fresh interpreter: {error}")
    if foreign:
        _fail(
            f"importing {module} imports {', '.join(foreign)}, which everyone pays for who lists plugins. "
            f"Import these where they are used, and name the {kind} as 'package.module:name'"
        )


def _compare(subject: Subject, scores: Sequence[Score], when: str, advice: str) -> None:
    """Fail unless these are the scores that the author's samples had at first."""
    if not subject.bound.reward.deterministic:
        pytest.skip("the reward declares deterministic=False")
    for sample, before, after in zip(subject.samples, subject.scores, scores, strict=True):
        if not subject.same(before, after):
            changed = f"gives {show_score(before)}, but {show_score(after)} {when}"
            _fail(f"{changed}: {show(sample)}. {advice}")


def _attribute(cls: type, name: str) -> Any:
    """Return a class attribute as it was written, not bound as a method."""
    found = inspect.getattr_static(cls, name, None)
    if found is None:
        _fail(f"set `{name}` in {cls.__name__}: what is to be tested")
    return found.__func__ if isinstance(found, staticmethod) else found


def _fail(message: str) -> NoReturn:
    pytest.fail(message, pytrace=False)
