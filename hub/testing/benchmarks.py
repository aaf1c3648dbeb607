"""`BenchmarkSuite`: what every benchmark must hold to, as tests that a plugin author inherits."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import pytest

from hub.benchmark import Benchmark
from hub.engine.engine import Engine
from hub.errors import BadInput, HubError
from hub.evaluation.turns import go_on, problem_of_decoding, problem_of_turn
from hub.mix.mix import Mix
from hub.plugins import load, open_target
from hub.sample import Sample, Text
from hub.score import Outcome
from hub.testing.rewards import check_listing
from hub.testing.subject import show_score

Rows = list[dict[str, Any]]

SCORED = 100
"""Rows of each split whose scores are looked at."""


@dataclass(frozen=True)
class Data:
    """A benchmark under test.

    Args:
        benchmark: as declared.
        options: what its rows are read with.
        mix: its rewards.
        splits: the rows of each split.
    """

    benchmark: Benchmark
    options: Mapping[str, Any]
    mix: Mix
    splits: Mapping[str, Rows]

    def rows(self) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """Every row with its split and its number in it."""
        for split, rows in self.splits.items():
            for number, row in enumerate(rows, 1):
                yield split, number, row


class BenchmarkSuite:
    """Tests of one benchmark; subclass it in a test file, in a class whose name begins with `Test`.

        class TestSums(hub.testing.BenchmarkSuite):
            benchmark = "sums"

            def solve(self, row):
                return f"The answer is {row['answer']}."

    Attributes:
        benchmark: the name of an installed benchmark, or a `hub.Benchmark`.
        options: what its rows are read with, beside the split.
    """

    benchmark: ClassVar[str | Benchmark]
    options: ClassVar[Mapping[str, Any]] = {}

    def solve(self, row: dict[str, Any]) -> str | None:
        """Return a completion that earns the full score on a row; None (the default): none is known."""
        return None

    @pytest.fixture(scope="class")
    @classmethod
    def data(cls) -> Data:
        """The benchmark under test with all its rows."""
        if not hasattr(cls, "benchmark"):
            _fail(f"set `benchmark` in {cls.__name__}: what is to be tested")
        try:
            found = load().benchmarks[cls.benchmark] if isinstance(cls.benchmark, str) else cls.benchmark
            mix = Mix.from_tables(dict(found.rewards))
            splits = {split: _read(found, split, cls.options) for split in found.splits}
        except HubError as error:
            _fail(f"{type(error).__name__}: {error}")
        return Data(found, cls.options, mix, splits)

    def test_every_split_has_rows(self, data: Data) -> None:
        """There is a split, each has rows, and a row is a dict."""
        if not data.splits:
            _fail("has no splits: declare at least one, the one to evaluate on first")
        for split, rows in data.splits.items():
            if not rows:
                _fail(f"the split {split!r} has no rows")
            for number, row in enumerate(rows, 1):
                if not isinstance(row, dict):
                    _fail(f"row {number} of {split!r} is a {type(row).__name__}, not a dict of columns")

    def test_every_row_has_its_own_id(self, data: Data) -> None:
        """Within a split no two rows share an id; interrupted runs go on by it."""
        for split, rows in data.splits.items():
            seen: dict[object, int] = {}
            for number, row in enumerate(rows, 1):
                name = row.get("id")
                if isinstance(name, bool) or not isinstance(name, str | int) or name == "":
                    _fail(f"row {number} of {split!r} has the id {name!r}: give each row a text or an int")
                if name in seen:
                    _fail(f"rows {seen[name]} and {number} of {split!r} share the id {name!r}")
                seen[name] = number

    def test_every_row_has_a_prompt(self, data: Data) -> None:
        """A prompt is text that is not blank, or chat messages with content."""
        for split, number, row in data.rows():
            try:
                prompt = Sample(row.get("prompt")).prompt_text  # type: ignore[arg-type]
            except BadInput as error:
                _fail(f"row {number} of {split!r}: {error}")
            if not prompt.strip():
                _fail(f"row {number} of {split!r} has an empty prompt")

    def test_every_row_can_be_asked(self, data: Data) -> None:
        """A row that goes on after another goes on after an earlier one; a decoding of its own is one."""
        for split, rows in data.splits.items():
            ids = {row["id"]: number for number, row in enumerate(rows, 1) if "id" in row}
            earlier: dict[str | int, int] = {}
            for number, row in enumerate(rows, 1):
                problem = problem_of_decoding(row)
                if "id" in row:
                    problem = problem or problem_of_turn(row, earlier, ids)
                    earlier[row["id"]] = number
                if problem:
                    _fail(f"row {number} of {split!r} {problem}")

    def test_rows_have_the_columns_that_the_rewards_need(self, data: Data) -> None:
        """Every row is taken by a reward and has what that needs; and the category, if there is one."""
        for split, rows in data.splits.items():
            try:
                data.mix.check(rows)
            except HubError as error:
                _fail(f"split {split!r}: {error}")
        category = data.benchmark.category
        for split, number, row in data.rows():
            if category and category not in row:
                _fail(f"row {number} of {split!r} has no column {category!r}, which is the declared category")

    def test_reading_again_gives_equal_rows(self, data: Data) -> None:
        """Two readings of a split give the same rows in the same order."""
        for split, rows in data.splits.items():
            again = _read(data.benchmark, split, data.options)
            for number, (one, other) in enumerate(itertools.zip_longest(rows, again), 1):
                if one != other:
                    _fail(
                        f"row {number} of {split!r} is not the same when read again: {one!r:.200} and "
                        f"{other!r:.200}. Seed what is random, and keep the order of the data"
                    )

    def test_training_rows_are_in_no_other_split(self, data: Data) -> None:
        """No prompt of the split "train" is in another split."""
        train = {repr(row.get("prompt")): n for n, row in enumerate(data.splits.get("train", ()), 1)}
        for split, number, row in data.rows():
            same = train.get(repr(row.get("prompt")))
            if split != "train" and same is not None:
                _fail(
                    f"row {number} of {split!r} has the prompt of row {same} of 'train': who trains on one "
                    "may not have seen the other"
                )

    def test_every_row_can_be_scored(self, data: Data) -> None:
        """An empty completion gets a score on every row: no reference is unusable, no reward is broken."""
        self._score(data, lambda row: "", "an empty completion", None)

    def test_solved_rows_earn_the_full_score(self, data: Data) -> None:
        """What `solve` writes earns the highest total that the weights allow, where it writes something."""
        if type(self).solve is BenchmarkSuite.solve:
            pytest.skip("no solve(row) that writes a right completion is given")
        full = sum(weight for weight in data.mix.weights().values() if weight > 0)
        self._score(data, self.solve, "what solve(row) writes", full)

    def _score(self, data: Data, write: Any, what: str, full: float | None) -> None:
        with Engine(2) as engine:
            for split, rows in data.splits.items():
                asked = [(row, text) for row in rows[:SCORED] if (text := write(row)) is not None]
                prompts = {row["id"]: prompt for row, prompt in zip(rows, _prompts(rows, write), strict=True)}
                samples = [Sample(prompts[row["id"]], text, row, id=row["id"]) for row, text in asked]
                for sample, result in zip(samples, data.mix.score(samples, engine=engine), strict=True):
                    score = result.total
                    if score.outcome is not Outcome.SCORED:
                        _fail(f"row {sample.id!r} of {split!r} gives {what} no score: {show_score(score)}")
                    if full is not None and score.value != pytest.approx(full):
                        _fail(
                            f"row {sample.id!r} of {split!r} gives {what} {show_score(score)}, not {full:g}: "
                            f"{sample.completion!r:.100}"
                        )

    def test_listing_its_plugin_imports_nothing_else(self, data: Data) -> None:
        """The entry point's module imports nothing but hub, the standard library and its own package."""
        check_listing(data.benchmark.origin, "benchmark")


def _prompts(rows: Rows, write: Any) -> list[Text]:
    """What each row asks, behind what `write` answered in the turns before."""
    found: list[Text] = []
    asked: dict[str | int, tuple[Text, str]] = {}
    for row in rows:
        before = asked.get(row.get("after", ""))
        found.append(row["prompt"] if before is None else go_on(*before, row["prompt"]))
        asked[row["id"]] = (found[-1], write(row) or "")
    return found


def _read(benchmark: Benchmark, split: str, options: Mapping[str, Any]) -> Rows:
    rows: Iterable[dict[str, Any]] = open_target(benchmark.rows, benchmark.origin)(split, **options)
    return list(rows)


def _fail(message: str) -> NoReturn:
    pytest.fail(message, pytrace=False)
