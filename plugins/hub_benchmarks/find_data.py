"""Where a benchmark's data is: a path that the user gives, the folder HUB_DATA, or the dataset hub."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hub.data import DataFile
from hub.errors import DataError


def find_rows(
    name: str, file: str, path: str | None, dataset: str, config: str | None, split: str
) -> Iterable[Mapping[str, Any]]:
    """Return the raw rows of a benchmark.

    Args:
        name: the benchmark's, and of its folder in HUB_DATA.
        file: the data file's name in that folder.
        path: the user's own: a file, or a folder with `file` in it; None: not given.
        dataset: the dataset hub's id.
        config: which part of that dataset.
        split: which split of it.

    Raises:
        DataError: it is in none of these places.
    """
    if path is not None:
        return _read(Path(path) / file if Path(path).is_dir() else Path(path))
    folder = os.environ.get("HUB_DATA")
    local = Path(folder) / name / file if folder else None
    if local is not None and local.is_file():
        return _read(local)
    reason = f"there is no {local}" if local else "HUB_DATA is not set"
    try:
        from datasets import load_dataset

        rows: Iterable[Mapping[str, Any]] = load_dataset(dataset, config, split=split)
    except ModuleNotFoundError as error:
        raise _missing(name, file, reason, f"the library {error.name!r} is not installed") from error
    except Exception as error:
        told = f"{dataset!r} cannot be fetched: {type(error).__name__}: {str(error).splitlines()[0]}"
        raise _missing(name, file, reason, told) from error
    return rows


def _read(file: Path) -> Iterable[Mapping[str, Any]]:
    return (row.columns for row in DataFile(str(file)))


def _missing(name: str, file: str, first: str, second: str) -> DataError:
    return DataError(
        f"the data of {name!r} is not here: {first}, and {second}. Set HUB_DATA to a folder with "
        f"{name}/{file} in it, give --benchmark-option {name}.path=FILE, or pip install datasets and go "
        "online"
    )
