"""Reads a recipe, the TOML file of `hub train`.

[model]
path = "Qwen/Qwen2.5-0.5B-Instruct"   # or a folder; relative paths start at the recipe
[data]
file = "train.jsonl"                  # or dataset = "openai/gsm8k", or benchmark = "arithmetic"
map = { answer = "solution" }
prompt = "{question} Think first."
[[reward]]                            # as in a mix file; or mix = "mix.toml"
use = "math"
[trainer]
algorithm = "grpo"                    # or rloo, sft
output = "runs/first"
max_steps = 500                       # and any other argument of TRL's GRPOConfig
[evaluate]                            # if benchmarks are to be evaluated meanwhile
on = ["gsm8k"]
every_steps = 100
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from string import Formatter
from typing import Any, TypeVar

from hub import Mix, load
from hub.errors import OptionError, UnknownName, nearest
from hub.generator import Decoding
from hub.options import check_options
from hub_trl.written import Written

ALGORITHMS = ("grpo", "rloo", "sft")
MIX_KEYS = ("reward", "on_failure", "aggregate", "allow_unrouted")
TABLES = ("model", "data", "trainer", "evaluate", "mix", *MIX_KEYS)
NOT_SETTABLE = {
    "output_dir": "it is called `output` here",
    "reward_weights": "weights belong to the [[reward]] tables",
    "multi_objective_aggregation": 'write aggregate = "normalize_then_sum" at the top of the recipe',
    "remove_unused_columns": "the rewards need the data's columns",
    "resume_from_checkpoint": "use the option --resume",
    "disable_tqdm": "`hub train` has its own display",
}
Table = TypeVar("Table", "ModelTable", "DataTable", "EvaluateTable")


@dataclass(frozen=True)
class ModelTable:
    """`[model]`.

    Args:
        path: a folder, or a model id.
        dtype: of the weights: "float32" (TRL's default), "bfloat16", "float16" or "auto".
        revision: of a model id.
        lora: arguments of peft's LoraConfig; None trains all weights.
    """

    path: str = ""
    dtype: str | None = None
    revision: str | None = None
    lora: dict[str, Any] | None = None


@dataclass(frozen=True)
class DataTable:
    """`[data]`.

    Args:
        file: .jsonl, .json, .csv, .tsv or .parquet.
        dataset: an id for the library `datasets`, or a folder that it reads.
        benchmark: an installed benchmark that has a split "train".
        config: a configuration of the data set.
        split: of the data set or benchmark.
        options: of the benchmark.
        limit: take only this many rows, from the start.
        map: columns to add: name = the column whose values they are.
        prompt: template of the prompt, with {column}s.
        completion: template of the completion (SFT only).
        chat: give the model chat messages (a text prompt becomes the message of a user), or plain text
            (messages are joined). None: messages where its tokenizer has a chat template, as in `hub eval`.
        system: a message before the prompt, where it has none.
    """

    file: str | None = None
    dataset: str | None = None
    benchmark: str | None = None
    config: str | None = None
    split: str = "train"
    options: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    map: dict[str, str] = field(default_factory=dict)
    prompt: str | None = None
    completion: str | None = None
    chat: bool | None = None
    system: str | None = None


@dataclass(frozen=True)
class EvaluateTable:
    """`[evaluate]`: benchmarks that are evaluated while training.

    Args:
        on: their names, or "FILE.py:NAME".
        every_steps: after each such number of training steps; None: never between.
        at_start: before the first step too.
        at_end: after the last step too.
        split: None: each benchmark's first.
        limit: the first rows only; None: all.
        options: of the rows, by benchmark.
        mix: grade with this mix file; None: with each benchmark's own.
        samples_per_prompt: completions of each row.
        decoding: fields of `hub.Decoding` to change from the benchmark's.
        batch_size: prompts at once in each process; None: as in `hub eval`.
    """

    on: list[str] = field(default_factory=list)
    every_steps: int | None = None
    at_start: bool = False
    at_end: bool = True
    split: str | None = None
    limit: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    mix: str | None = None
    samples_per_prompt: int = 1
    decoding: dict[str, Any] = field(default_factory=dict)
    batch_size: int | None = None


@dataclass(frozen=True)
class Recipe:
    """A recipe, read and checked as far as that goes without its data and its libraries.

    Args:
        written: the file's tables, for messages and records.
        model: `[model]`.
        data: `[data]`.
        mix: the rewards; None for SFT.
        algorithm: "grpo", "rloo" or "sft".
        output: the folder to write to.
        arguments: the rest of `[trainer]`: arguments of TRL's config, not checked yet.
        evaluate: `[evaluate]`; None: nothing is evaluated meanwhile.
    """

    written: Written
    model: ModelTable
    data: DataTable
    mix: Mix | None
    algorithm: str
    output: Path
    arguments: dict[str, Any]
    evaluate: EvaluateTable | None = None


def read_recipe(path: str | Path, settings: Sequence[str] = ()) -> Recipe:
    """Read a recipe.

    Args:
        path: the TOML file.
        settings: e.g. "trainer.max_steps=4": keys to set or replace; values as in TOML, or else text.

    Raises:
        ConfigError: a key is unknown, missing, or has an unfit value.
        HubError: a reward is unknown or unfit (see `Mix.load`).
    """
    written = Written.read(path, settings)
    tables = written.tables
    for key in tables:
        if key not in TABLES:
            raise written.error((key,), f"unknown key{nearest(key, TABLES)}")
    for key in ("model", "data", "trainer"):
        if not isinstance(tables.setdefault(key, {}), dict):
            raise written.error((key,), "should be a table")
    trainer = dict(tables["trainer"])
    algorithm, output = trainer.pop("algorithm", None), trainer.pop("output", None)
    if algorithm not in ALGORITHMS:
        what = "is missing" if algorithm is None else f"should not be {algorithm!r}"
        raise written.error(("trainer", "algorithm"), f"{what}: write one of {', '.join(ALGORITHMS)}")
    if not isinstance(output, str) or not output:
        raise written.error(("trainer", "output"), "should be the folder to write to")
    for key, advice in NOT_SETTABLE.items():
        if key in trainer:
            raise written.error(("trainer", key), f"cannot be set: {advice}")
    model = _table(ModelTable, "model", written)
    if not model.path:
        raise written.error(("model",), "has no `path`: a folder, or a model id")
    data = _table(DataTable, "data", written)
    _check_data(data, algorithm, written)
    mix = None if algorithm == "sft" else _mix(data, written)
    if mix is None:
        _check_no_rewards(written)
    evaluate = _evaluate(written) if "evaluate" in tables else None
    return Recipe(written, model, data, mix, algorithm, written.folder / output, trainer, evaluate)


def template_columns(template: str) -> list[str]:
    """Return the names in braces.

    Raises:
        ValueError: its braces do not match, or hold no name.
    """
    names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    for name in names:
        if not name.isidentifier():
            raise ValueError(f"{{{name}}} names no column")
    return names


def _check_data(data: DataTable, algorithm: str, written: Written) -> None:
    given = [key for key in ("file", "dataset", "benchmark") if getattr(data, key) is not None]
    if len(given) != 1:
        has = " and ".join(given) or "none"
        raise written.error(("data",), f"needs one of file, dataset, benchmark; it has {has}")
    if data.benchmark is not None:
        _check_benchmark(data.benchmark, data.split, written)
    if data.limit is not None and data.limit < 1:
        raise written.error(("data", "limit"), "should be at least 1")
    for key in ("prompt", "completion"):
        try:
            template_columns(getattr(data, key) or "")
        except ValueError as error:
            message = f"{error}; for braces themselves write {{{{ and }}}}"
            raise written.error(("data", key), message) from None
    for key, other in data.map.items():
        if not isinstance(other, str):
            raise written.error(("data", "map", key), f"should be the name of a column, not {other!r}")
    if data.completion is not None and algorithm != "sft":
        raise written.error(("data", "completion"), f"is for SFT; in {algorithm} the model writes them")
    if data.options and data.benchmark is None:
        raise written.error(("data", "options"), "only a benchmark has options")
    if data.config is not None and data.dataset is None:
        raise written.error(("data", "config"), "only a dataset has configurations")


def _check_benchmark(name: str, split: str, written: Written) -> None:
    try:
        splits = load().benchmarks[name].splits
    except UnknownName as error:
        raise written.error(("data", "benchmark"), str(error)) from None
    if split != "train" or "train" not in splits:
        has = ", ".join(splits)
        message = f'only a split "train" can be trained on; the benchmark {name!r} has: {has}'
        raise written.error(("data", "split" if "split" in written.tables["data"] else "benchmark"), message)


def _evaluate(written: Written) -> EvaluateTable:
    if not isinstance(written.tables["evaluate"], dict):
        raise written.error(("evaluate",), "should be a table")
    table = _table(EvaluateTable, "evaluate", written)
    if not table.on or len(set(map(str, table.on))) < len(table.on):
        raise written.error(("evaluate",), "needs `on`, a list that names each benchmark once")
    for key in ("every_steps", "limit", "samples_per_prompt", "batch_size"):
        value = getattr(table, key)
        if value is not None and value < 1:
            raise written.error(("evaluate", key), "should be at least 1")
    for key, value in table.decoding.items():
        try:
            check_options(Decoding, {key: value}, "[evaluate.decoding]")
        except OptionError as error:
            raise written.error(("evaluate", "decoding", key), str(error)) from None
    for name, options in table.options.items():
        if name not in table.on or not isinstance(options, dict):
            raise written.error(
                ("evaluate", "options"),
                f"are tables by benchmark, like arithmetic = {{ rows = 64 }}: not {name!r}",
            )
    return table


def _check_no_rewards(written: Written) -> None:
    for key in ("mix", *MIX_KEYS):
        if key in written.tables:
            raise written.error((key,), 'algorithm = "sft" takes no rewards')


def _mix(data: DataTable, written: Written) -> Mix:
    own = {key: written.tables[key] for key in MIX_KEYS if key in written.tables}
    if "mix" in written.tables:
        path = written.tables["mix"]
        if not isinstance(path, str):
            raise written.error(("mix",), "should be the path of a mix file")
        for key in own:
            raise written.error((key,), f"belongs into {path}, as there is a `mix`")
        return Mix.load(written.folder / path)
    if "reward" in own:
        return Mix.from_tables(own, written.source)
    for key in own:
        raise written.error((key,), "there are no [[reward]] tables that it could be about")
    if data.benchmark is None:
        raise written.error((), "there is no [[reward]] and no mix: what should be rewarded?")
    return Mix.from_tables(load().benchmarks[data.benchmark].rewards)


def _table(kind: type[Table], name: str, written: Written) -> Table:
    table = written.tables[name]
    tables = {f.name for f in fields(kind) if "dict" in str(f.type)}
    for key, value in table.items():
        try:
            check_options(kind, {key: value}, f"[{name}]")
        except OptionError as error:
            raise written.error((name, key), str(error)) from None
        if key in tables and not isinstance(value, dict):
            raise written.error((name, key), f"should be a table, not {value!r}")
    return kind(**table)
