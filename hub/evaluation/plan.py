"""What is evaluated: a benchmark's rows, its mix and decoding, all checked before a model is loaded."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hub.benchmark import Benchmark
from hub.errors import (
    BadInput,
    ConfigError,
    DataError,
    HubError,
    OptionError,
    PluginError,
    UnknownName,
    nearest,
)
from hub.evaluation.likelihood import problem_of_continuations
from hub.evaluation.recipe import FROM, WHERE, describe_mix
from hub.evaluation.turns import first_conversations, problem_of_decoding, problem_of_turn
from hub.evaluation.valued import problem_of_completions
from hub.generator import Decoding
from hub.mix.mix import Mix
from hub.options import check_options
from hub.origin import Origin
from hub.plugins import load, open_target
from hub.sample import Sample
from hub.sources import collect_sources
from hub.target import load_file, missing_dependency

OURS = ("completion", "likelihoods", "values", "result")
"""What a line of samples.jsonl adds to a row's columns."""


@dataclass(frozen=True)
class Plan:
    """One benchmark, ready to be run. Made by `make_plan`.

    Args:
        benchmark: what is evaluated on.
        split: which of its splits.
        options: given to its rows.
        rows: those that are run.
        total_rows: how many the split has.
        data_hash: SHA-256 over all rows of the split.
        mix: what grades.
        mix_name: "" for the benchmark's own mix, else the file of the one that grades in its place.
        decoding: how completions are made.
        samples_per_prompt: completions of each row.
        sources: what the rows were read from, as it was told (see `hub.sources`).
        changes: fields of the decoding that the user gave; they count more than a row's column `decoding`.
        reward_options: options of the mix's rewards that the user gave, by reward and option.
    """

    benchmark: Benchmark
    split: str
    options: Mapping[str, Any]
    rows: list[dict[str, Any]]
    total_rows: int
    data_hash: str
    mix: Mix
    mix_name: str = ""
    decoding: Decoding = field(default_factory=Decoding)
    samples_per_prompt: int = 1
    sources: tuple[Mapping[str, str], ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    reward_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def rows_decode(self) -> bool:
        """Whether a row has a decoding of its own."""
        return any(row.get("decoding") is not None for row in self.rows)

    def decoding_of(self, row: Mapping[str, Any]) -> Decoding:
        """Return how a row is completed: the benchmark's decoding, the row's changes, then the user's."""
        own = row.get("decoding")
        return replace(self.decoding, **{**own, **self.changes}) if own is not None else self.decoding

    @property
    def completions(self) -> int:
        """How many completions the run has in all."""
        return len(self.rows) * self.samples_per_prompt

    def recipe(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the run is known by, as plain data (see `hub.evaluation.recipe`).

        Args:
            model: the generator's description of itself.
        """
        recipe = {
            "benchmark": {
                "name": self.benchmark.name,
                "split": self.split,
                "options": {name: value for name, value in self.options.items() if name not in FROM},
                "rows": len(self.rows),
                "data_hash": self.data_hash,
            },
            "model": {key: value for key, value in model.items() if key not in WHERE},
            "decoding": asdict(self.decoding),
            "samples_per_prompt": self.samples_per_prompt,
            "mix": describe_mix(self.mix),
        }
        if self.rows_decode:  # what was given counts more than a row's own: the decoding alone does not tell
            recipe["decoding_given"] = sorted(self.changes)
        return dict(json.loads(json.dumps(recipe, default=str)))


def make_plan(
    use: str | Benchmark,
    *,
    split: str | None = None,
    options: Mapping[str, Any] | None = None,
    limit: int | None = None,
    mix: str | Path | Mix | None = None,
    samples_per_prompt: int = 1,
    decoding: Mapping[str, Any] | None = None,
    reward_options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Plan:
    """Read a benchmark's rows and mix and check that they fit together.

    Args:
        use: an installed benchmark's name, "path/to/file.py:name", or a Benchmark.
        split: None: the benchmark's first.
        options: for its rows.
        limit: run the first rows only, with all that goes on after them (`hub.evaluation.turns`); None: all.
        mix: grade with another mix than the benchmark's own: a mix file, or a Mix.
        samples_per_prompt: completions of each row, at least 1.
        decoding: fields of `Decoding` to change from the benchmark's.
        reward_options: options to change of the rewards of the benchmark's own mix, by reward and option.

    Raises:
        UnknownName: there is no such benchmark, split or reward.
        OptionError: an option is unknown or unfit, or the decoding is out of range.
        DataError: the rows cannot be read, or are not what a benchmark's rows are.
        ConfigError: the mix is wrong, or does not fit the rows.
    """
    benchmark = find_benchmark(use)
    split = benchmark.splits[0] if split is None else split
    if split not in benchmark.splits:
        raise UnknownName(f"split of benchmark {benchmark.name!r}", split, benchmark.splits)
    if limit is not None and limit < 1:
        raise OptionError(f"the limit is a number of rows, at least 1, not {limit}")
    changed = change_decoding(benchmark, decoding or {})
    if samples_per_prompt < 1:
        raise OptionError(f"samples per prompt are at least 1, not {samples_per_prompt}")
    graded_by = make_mix(benchmark, mix)
    if reward_options:
        if mix is not None:
            raise OptionError("options of rewards are for the benchmark's own mix; another has its own")
        graded_by = graded_by.with_options(reward_options)
    with collect_sources() as sources:
        rows = read_rows(benchmark, split, options or {})
    name = "" if mix is None else "given in Python" if isinstance(mix, Mix) else str(mix)
    chosen = first_conversations(rows, limit)
    if samples_per_prompt > 1 and {"continuations", "completions"} & chosen[0].keys():
        raise OptionError(f"benchmark {benchmark.name!r} samples nothing: samples per prompt are 1")
    _check_fit(benchmark, graded_by, chosen)
    plan = Plan(
        benchmark,
        split,
        dict(options or {}),
        chosen,
        len(rows),
        hash_rows(rows),
        graded_by,
        name,
        changed,
        samples_per_prompt,
        tuple(sources),
        dict(decoding or {}),
        {name: dict(given) for name, given in (reward_options or {}).items()},
    )
    if samples_per_prompt > 1:
        _check_samples(plan)
    return plan


def find_benchmark(use: str | Benchmark) -> Benchmark:
    """Return the benchmark that `use` names: an installed one, or "path/to/file.py:name".

    Raises:
        UnknownName: no installed benchmark, or nothing in the file, has that name.
        ConfigError: there is no such file, or what it names is not a Benchmark.
    """
    if isinstance(use, Benchmark):
        return use
    path, _, name = use.rpartition(":")
    if not path.endswith(".py"):
        return load().benchmarks[use]
    if not Path(path).is_file():
        raise ConfigError(f"there is no file {path!r}")
    origin = Origin(file=path, version=hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12])
    try:
        module = load_file(path)
    except ModuleNotFoundError as error:
        raise missing_dependency(error, path, origin) from error
    except Exception as error:
        raise PluginError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if found is None:
        known = [key for key, value in vars(module).items() if isinstance(value, Benchmark)]
        raise UnknownName(f"benchmark in {path}:", name, known)
    if not isinstance(found, Benchmark):
        raise ConfigError(f"{use} is a {type(found).__name__}, not a hub.Benchmark")
    return replace(found, origin=origin)


def change_decoding(benchmark: Benchmark, changes: Mapping[str, Any]) -> Decoding:
    """Return the benchmark's decoding with some fields changed.

    Raises:
        OptionError: a value is out of range.
    """
    try:
        return replace(benchmark.decoding, **changes)
    except ValueError as error:
        raise OptionError(f"decoding of {benchmark.name!r}: {error}") from error


def read_rows(benchmark: Benchmark, split: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read and check the rows of a split.

    Raises:
        OptionError: an option is unknown or unfit.
        DataError: they cannot be read; or one is no dict, has no prompt, or has an id that is not unique.
    """
    whose = f"benchmark {benchmark.name!r} of {benchmark.origin}"
    function = open_target(benchmark.rows, benchmark.origin)
    check_options(function, {"split": split, **options}, whose)
    try:
        rows = list(function(split, **options))
    except HubError:
        raise
    except Exception as error:
        raise DataError(f"{whose}: its rows cannot be read: {type(error).__name__}: {error}") from error
    seen: dict[str | int, int] = {}
    for number, row in enumerate(rows, 1):
        problem = _problem_of(row)
        if not problem and (earlier := seen.setdefault(row["id"], number)) != number:
            problem = f"has the id {row['id']!r} of row {earlier}"
        for column in ("continuations", "completions"):
            if not problem and (column in row) != (column in rows[0]):
                problem = f"has {column} where row 1 has not, or the other way round"
        if problem:
            raise DataError(f"{whose}: row {number} {problem}")
    before: dict[str | int, int] = {}
    for number, row in enumerate(rows, 1):
        if problem := problem_of_turn(row, before, seen):
            raise DataError(f"{whose}: row {number}, {row['id']!r}, {problem}")
        before[row["id"]] = number
    if not rows:
        raise DataError(f"{whose}: the split {split!r} has no rows")
    return rows


def _problem_of(row: Any) -> str:
    """What is wrong with a row; "" when all is well."""
    if not isinstance(row, dict):
        return f"is {row!r:.100}, not a dict of columns"
    if not isinstance(row.get("id"), str | int) or isinstance(row["id"], bool):
        return f"has the id {row.get('id')!r:.100}, not a text or an int"
    try:
        assert Sample(row.get("prompt")).prompt_text is not None  # type: ignore[arg-type]
    except BadInput as error:
        return f"has no prompt: {error}"
    if problem := problem_of_continuations(row) or problem_of_completions(row) or problem_of_decoding(row):
        return problem
    ours = [name for name in OURS if name in row]
    return f"has a column {ours[0]!r}, which results need: rename it" if ours else ""


def hash_rows(rows: list[dict[str, Any]]) -> str:
    """Return the SHA-256 over rows, in their order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, default=repr).encode() + b"\n")
    return digest.hexdigest()


def make_mix(benchmark: Benchmark, mix: str | Path | Mix | None = None) -> Mix:
    """Return what grades: a mix, the one of a file, or the benchmark's own.

    Raises:
        UnknownName, OptionError, ConfigError: something in it is unknown or unfit.
    """
    if isinstance(mix, Mix):
        return mix
    if mix is not None:
        return Mix.load(mix)
    try:
        own = Mix.from_tables(benchmark.rewards)
    except HubError as error:
        error.args = (f"the mix of benchmark {benchmark.name!r}: {error}",)
        raise
    unknown = next((name for name in benchmark.headline if name not in own.names), None)
    if unknown is not None:
        raise ConfigError(
            f"benchmark {benchmark.name!r}: its headline names {unknown!r}{nearest(unknown, own.names)}"
        )
    return own


def _check_samples(plan: Plan) -> None:
    """Raise where several samples per prompt make no sense."""
    same = next((row for row in plan.rows if plan.decoding_of(row).temperature == 0), None)
    if same is not None:
        where = f", as of row {same['id']!r}," if plan.rows_decode else ""
        raise OptionError(
            f"{plan.samples_per_prompt} samples per prompt at temperature 0{where} are all the same: set a "
            "temperature"
        )
    if plan.mix.compares and any(row.get("after") is not None for row in plan.rows):
        raise ConfigError(
            f"benchmark {plan.benchmark.name!r} asks in turns, so its samples of a later turn have different "
            "prompts, and the mix cannot compare them"
        )


def _check_fit(benchmark: Benchmark, mix: Mix, rows: list[dict[str, Any]]) -> None:
    try:
        mix.check({key: row[key] for key in row if key not in ("id", "prompt")} for row in rows)
    except ConfigError as error:
        raise ConfigError(f"benchmark {benchmark.name!r}: {error}") from error
