"""The rows to train on: from a file, a data set or a benchmark, with the recipe's columns and prompts."""

import hashlib
import inspect
import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub import Mix, Sample, load
from hub.data import DataFile
from hub.errors import ConfigError, DataError, OptionError
from hub.evaluation.overlap import check_overlap
from hub.evaluation.turns import refuse_turns
from hub.plugins import open_target
from hub_trl.batch import ABSENT
from hub_trl.functions import check_columns
from hub_trl.recipe import DataTable, Recipe, template_columns

if TYPE_CHECKING:
    from datasets import Dataset

Row = dict[str, Any]
GENERATED = ("prompt", "completion")
"""Columns of a row that TRL does not pass to reward functions as columns."""


def read_rows(recipe: Recipe) -> list[Row]:
    """Read, map and fill in the rows of a recipe, and check them.

    Raises:
        ConfigError: something in `[data]` does not fit the rows, or a row does not fit the rewards.
        DataError: the data cannot be read, or a row is unusable.
    """
    data = recipe.data
    rows = list(_source(recipe))
    if not rows:
        raise DataError(f"{_name(data)}: there are no rows")
    rows = [_complete(row, number, recipe) for number, row in enumerate(rows, 1)]
    if recipe.algorithm == "sft":
        _check_examples(rows, data)
    else:
        _check_prompts(rows, data)
        try:
            check_columns(name for row in rows for name in row)
            if recipe.mix is not None:
                _check_rewards(recipe.mix, rows)
        except ConfigError as error:
            raise ConfigError(f"{_name(data)}: {error}") from None
    return rows


def digest(rows: list[Row]) -> str:
    """Return the SHA-256 of the rows, to know the data again."""
    found = hashlib.sha256()
    for row in rows:
        found.update(json.dumps(row, sort_keys=True, default=repr).encode())
        found.update(b"\n")
    return found.hexdigest()


def written_for(rows: list[Row], chat: bool, system: str | None) -> list[Row]:
    """Return the rows with prompts, and completions of SFT, in the form that a model takes.

    Args:
        rows: checked rows.
        chat: as messages, for a chat template; else as plain text, with a blank line between messages.
        system: what to tell the model before the prompt, where the prompt has no such message.
    """
    roles = (("prompt", "user"), ("completion", "assistant"))
    converted = []
    for row in rows:
        row = dict(row)
        if system and "prompt" in row:
            messages = _messages(row["prompt"], "user")
            if messages[0]["role"] != "system":
                row["prompt"] = [{"role": "system", "content": system}, *messages]
        for name, role in roles:
            if _kind(row.get(name)) is not None:
                row[name] = _messages(row[name], role) if chat else _joined(row[name])
        converted.append(row)
    return converted


def _messages(text: Any, role: str) -> list[Any]:
    return [{"role": role, "content": text}] if isinstance(text, str) else text


def _joined(text: Any) -> str:
    if isinstance(text, str):
        return text
    return "\n\n".join(Sample(prompt=[{**message, "role": "user"}]).prompt_text for message in text)


def training_data(rows: list[Row], algorithm: str) -> "Dataset":
    """Return the rows as the data set that a TRL trainer takes.

    For GRPO and RLOO it hands out the very objects of the rows: a table would give every cell of a
    column one type, and fill nested tables up with None.
    """
    from datasets import Dataset

    if algorithm == "sft":
        kept = _example_columns(rows[0])
        return Dataset.from_list([{name: row[name] for name in kept} for row in rows])
    names = list(dict.fromkeys(name for row in rows for name in row))

    def look_up(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        return {name: [rows[index].get(name, ABSENT) for index in batch["row"]] for name in names}

    return Dataset.from_dict({"row": list(range(len(rows)))}).with_transform(look_up)


EXAMPLES = (("prompt", "completion"), ("messages",), ("text",))
"""Columns of an example for SFT: one of these sets."""


def _source(recipe: Recipe) -> Iterable[Row]:
    data, written = recipe.data, recipe.written
    if data.file is not None:
        path = written.folder / data.file
        if not path.is_file():
            raise written.error(("data", "file"), f"there is no file {path}")
        return [row.columns for row in islice(DataFile(str(path)), data.limit)]
    if data.dataset is not None:
        return _read_dataset(data, written.folder)
    return _read_benchmark(recipe)


def _read_dataset(data: DataTable, folder: Path) -> Iterable[Row]:
    import datasets

    assert data.dataset is not None
    name = str(folder / data.dataset) if (folder / data.dataset).is_dir() else data.dataset
    try:
        found = datasets.load_dataset(name, data.config, split=data.split)
    except Exception as error:
        raise DataError(
            f"data set {data.dataset!r} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if data.limit is not None:
        found = found.select(range(min(data.limit, len(found))))
    rows: list[Row] = found.to_list()
    return rows


def _read_benchmark(recipe: Recipe) -> Iterable[Row]:
    data = recipe.data
    benchmark = load().benchmarks[data.benchmark or ""]
    rows = open_target(benchmark.rows, benchmark.origin)
    try:
        inspect.signature(rows).bind(data.split, **data.options)
    except TypeError as error:
        raise recipe.written.error(("data", "options"), f"{benchmark.name}: {error}") from error
    try:
        found = [dict(row) for row in islice(rows(data.split, **data.options), data.limit)]
    except OptionError as error:
        raise recipe.written.error(("data", "options"), str(error)) from error
    refuse_turns(found, benchmark.name, "training")
    check_overlap(benchmark, data.options, found, data.split)
    return found


def _complete(row: Row, number: int, recipe: Recipe) -> Row:
    """The row with mapped columns and filled-in templates."""
    data, written = recipe.data, recipe.written
    row = dict(row)
    for name, other in data.map.items():
        if other not in row:
            raise written.error(
                ("data", "map", name), f"row {number} has no column {other!r} ({_names(row)})"
            )
    row.update({name: row[other] for name, other in data.map.items()})
    filled = {}
    for key in ("prompt", "completion"):
        template = getattr(data, key)
        if template is not None:
            for name in template_columns(template):
                if name not in row:
                    raise written.error(("data", key), f"row {number} has no column {name!r} ({_names(row)})")
            filled[key] = template.format(**row)
    return row | filled


def _check_rewards(mix: Mix, rows: Iterable[Row]) -> None:
    """Check that every row has the columns that the rewards will need, of those that TRL passes on."""
    mix.check(
        {"completion_ids": None, **{name: row[name] for name in row if name not in GENERATED}} for row in rows
    )


def _check_prompts(rows: list[Row], data: DataTable) -> None:
    """Every prompt is text, or every one is a list of messages: TRL looks at the first only."""
    first = None
    for number, row in enumerate(rows, 1):
        if "prompt" not in row:
            raise DataError(
                f"{_name(data)}: row {number} has no column 'prompt' ({_names(row)}): "
                "make it with map or a prompt template in [data]"
            )
        kind = _kind(row["prompt"])
        first = first or kind
        if kind is None or kind != first:
            raise DataError(
                f"{_name(data)}: the prompt of row {number} is {kind or type(row['prompt']).__name__}, but "
                f"should be {first or 'text or a list of messages'} like the others"
            )


def _check_examples(rows: list[Row], data: DataTable) -> None:
    """Every row has the columns of an example that the first has."""
    expected = _example_columns(rows[0])
    for number, row in enumerate(rows, 1):
        if not expected or any(_kind(row.get(name)) is None for name in expected):
            wanted = " and ".join(expected) or "prompt and completion, or messages, or text"
            raise DataError(
                f"{_name(data)}: row {number} is no example for SFT: it needs {wanted}, as text or messages "
                f"({_names(row)}); make them with map or templates in [data]"
            )


def _example_columns(row: Row) -> tuple[str, ...]:
    return next((names for names in EXAMPLES if all(name in row for name in names)), ())


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        return "text"
    messages = isinstance(value, list) and value and all(isinstance(m, dict) and "role" in m for m in value)
    return "a list of messages" if messages else None


def _name(data: DataTable) -> str:
    return data.file or data.dataset or f"benchmark {data.benchmark}"


def _names(row: Row) -> str:
    return f"it has: {', '.join(sorted(row)) or 'none'}"
