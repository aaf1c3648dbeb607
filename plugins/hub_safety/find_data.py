"""Where a benchmark's data is: a path that the user gives, else the folder HUB_DATA."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hub.data import DataFile
from hub.errors import DataError
from hub.sources import tell_file


def find_file(name: str, file: str, path: str | None) -> Path | None:
    """Return a benchmark's data file; None where HUB_DATA does not have it and no path is given.

    Args:
        name: the benchmark's, which is its folder in HUB_DATA.
        file: the file's name there.
        path: the user's own: a file, or a folder with `file` in it.
    """
    if path is not None:
        return Path(path) / file if Path(path).is_dir() else Path(path)
    folder = os.environ.get("HUB_DATA")
    found = Path(folder) / name / file if folder else None
    return found if found is not None and found.is_file() else None


def read_rows(name: str, file: Path, needs: Sequence[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each row with where it stands, for messages.

    Args:
        name: the benchmark's.
        file: the data.
        needs: columns that each row must have.

    Raises:
        DataError: there is no such file, it cannot be read, or a row lacks a column.
    """
    tell_file(file)
    for row in DataFile(str(file)):
        place = f"{file}:{row.number}"
        missing = [column for column in needs if column not in row.columns]
        if missing:
            has = ", ".join(row.columns) or "none"
            raise DataError(f"{name}: {place}: has no column {missing[0]!r} (it has: {has})")
        yield place, {key: str(value if value is not None else "") for key, value in row.columns.items()}


def missing(name: str, file: str, source: str, more: str = "") -> DataError:
    """Make the error for data that is not there.

    Args:
        name: the benchmark's.
        file: the file's name in its folder.
        source: where its authors publish it.
        more: what was tried beside the usual places.
    """
    folder = os.environ.get("HUB_DATA")
    looked = f"there is no {Path(folder) / name / file}" if folder else "HUB_DATA is not set"
    return DataError(
        f"the data of {name!r} is not here: {looked}{more}. Fetch {file} from {source}, and give "
        f"--benchmark-option {name}.path=FILE, or put it at {name}/{file} in the folder that HUB_DATA names"
    )
