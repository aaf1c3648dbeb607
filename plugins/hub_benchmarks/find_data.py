"""Where a benchmark's data is: a path that the user gives, the folder HUB_DATA, or the dataset hub."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hub.data import DataFile
from hub.errors import DataError
from hub.sources import tell_file, tell_source


def find_rows(
    name: str, file: str, path: str | None, dataset: str, config: str | None, split: str
) -> Iterable[Mapping[str, Any]]:
    """Return the raw rows of a benchmark.

    Args:
        name: the benchmark's.
        file: the data file's name in the benchmark's folder.
        path: the user's own: a file, or a folder with `file` in it; None: not given.
        dataset: the dataset hub's id.
        config: which part of that dataset.
        split: which split of it; two are joined with "+".

    Raises:
        DataError: it is in none of these places.
    """
    if path is not None:
        return _read(Path(path) / file if Path(path).is_dir() else Path(path))
    local = folder_of(name)
    if local is not None and (local / file).is_file():
        return _read(local / file)
    reason = f"there is no {local / file}" if local else "HUB_DATA is not set"
    try:
        from datasets import load_dataset

        rows: Iterable[Mapping[str, Any]] = load_dataset(dataset, config, split=split)
        tell_source(dataset=dataset, config=config or "", revision=revision_of(rows))
    except Exception as error:
        raise _missing(name, file, reason, describe(dataset, error)) from error
    return rows


def folder_of(name: str) -> Path | None:
    """Return where HUB_DATA has a benchmark's data, be it there or not; None where HUB_DATA is not set.

    The folder has the benchmark's name with "_" for "-".
    """
    folder = os.environ.get("HUB_DATA")
    return Path(folder) / name.replace("-", "_") if folder else None


def revision_of(rows: Any) -> str:
    """Return the dataset hub's commit that rows were fetched at; "" where the library does not tell it."""
    fetched = getattr(getattr(rows, "info", None), "download_checksums", None) or {}
    found = re.search(r"@([0-9a-f]{40})/", " ".join(map(str, fetched)))
    return found[1] if found else ""


def describe(dataset: str, error: Exception) -> str:
    """Say in a line why a dataset of the dataset hub is not to be had."""
    if isinstance(error, ModuleNotFoundError):
        return f"the library {error.name!r} is not installed"
    told = (str(error).splitlines() or [""])[0]
    return f"{dataset!r} cannot be fetched: {type(error).__name__}: {told}"


def _read(file: Path) -> Iterable[Mapping[str, Any]]:
    tell_file(file)
    return (row.columns for row in DataFile(str(file)))


def _missing(name: str, file: str, first: str, second: str) -> DataError:
    folder = name.replace("-", "_")
    return DataError(
        f"the data of {name!r} is not here: {first}, and {second}. Set HUB_DATA to a folder with "
        f"{folder}/{file} in it, give --benchmark-option {name}.path=FILE, or pip install datasets and go "
        "online"
    )
