"""Finds before training what a mix lacks in a trainer's data."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.data import DataFile
from hub.errors import ConfigError
from hub.mix.mix import Mix
from hub.options import describe_options
from hub.plugins import open_target
from hub.training.needs import TOKENS
from hub.training.trainer import TrainerPlugin


def check_data(mix: Mix, trainer: TrainerPlugin, path: str | Path, options: Mapping[str, Any]) -> int:
    """Check a trainer's data file against a mix: columns and routes; return how many rows it has.

    Args:
        mix: what is to score.
        trainer: what is to read the file.
        path: JSONL, JSON, CSV or Parquet, in the form that the trainer wants.
        options: of the export; those are used that say what becomes of a row.

    Raises:
        ConfigError: a row lacks a column, no reward takes it, the file has no rows, or the trainer does not
            say what its rewards get of a row.
        DataError: the file cannot be read.
    """
    if trainer.columns is None:
        raise ConfigError(
            f"{trainer.name} makes its rows in Python, so no file tells what rewards get of them: leave "
            "--data out, and check rows with mix.check(rows)"
        )
    columns_of = open_target(trainer.columns, trainer.origin)
    taken = {name: options[name] for name in describe_options(columns_of) if name in options}

    hidden: list[str] = []

    def rows() -> Iterator[Mapping[str, Any]]:
        for number, row in enumerate(DataFile(str(path)), 1):
            try:
                columns = {TOKENS: (), **columns_of(row.columns, **taken)}
            except ConfigError as error:
                hidden.clear()
                raise ConfigError(f"row {number}: {error}") from error
            hidden[:] = sorted(row.columns.keys() - columns.keys())
            yield columns

    try:
        count = mix.check(rows())
    except ConfigError as error:
        raise ConfigError(
            f"{path}, as {trainer.name} gives it to rewards: {error}{_of_file(hidden)}"
        ) from error
    if not count:
        raise ConfigError(f"{path} has no rows")
    return count


def _of_file(hidden: Sequence[str]) -> str:
    return (
        f"; what else the file's row has, rewards do not get as such: {', '.join(hidden)}" if hidden else ""
    )
