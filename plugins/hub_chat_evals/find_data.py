"""The user's copy of a benchmark's files: a path that is given, or the folder HUB_DATA."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hub.data import DataFile
from hub.errors import DataError
from hub.sources import tell_file


def find_file(benchmark: str, names: Sequence[str], path: str | None, where: str) -> Path:
    """Return one of a benchmark's files.

    Args:
        benchmark: the benchmark's name.
        names: what the file is called below the folder, the usual name first.
        path: the folder that the user gives; None: HUB_DATA's, named after the benchmark with "_" for "-".
        where: where its authors publish it, for the message.

    Raises:
        DataError: it is not there.
    """
    usual = benchmark.replace("-", "_")
    root = os.environ.get("HUB_DATA")
    if path is None and not root:
        raise DataError(
            f"the data of {benchmark!r} is not here: HUB_DATA is not set. Set it to a folder with "
            f"{usual}/{names[0]} in it, or give --benchmark-option {benchmark}.path=FOLDER. It is published "
            f"as {where}"
        )
    folder = Path(path) if path is not None else Path(str(root)) / usual
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"the data of {benchmark!r} is not here: there is no {folder / names[0]}. It is published as "
        f"{where}; --benchmark-option {benchmark}.path=FOLDER says where your copy is"
    )


def read_rows(file: Path, columns: Iterable[str]) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON or JSON lines.

    Raises:
        DataError: it cannot be read, is empty, or a row lacks one of the columns.
    """
    tell_file(file)
    data = DataFile(str(file))
    found = []
    for row in data:
        missing = [name for name in columns if name not in row.columns]
        if missing:
            known = ", ".join(row.columns)
            raise data.error(row.number, f"has no {missing[0]!r} (it has: {known})")
        found.append(row.columns)
    if not found:
        raise DataError(f"{file}: has no rows")
    return found


def read_text(file: Path) -> str:
    """Return the text of a file.

    Raises:
        DataError: it cannot be read.
    """
    tell_file(file)
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from error
