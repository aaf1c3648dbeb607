"""Finds the user's own copy of a benchmark that this project may not hand on: a file, a folder, a dataset.

In a folder all data files count, however deep, whose path in it names the split: train/algebra/7.json,
algebra/test-00000-of-00001.parquet, math_test.jsonl. In a folder called test or train those count that name
no split. Where a benchmark has one split, and no file is named after it, all count.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.data import FORMATS, DataFile
from hub.errors import DataError, OptionError
from hub.sources import tell_file, tell_source
from hub_benchmarks.find_data import describe, folder_of, revision_of

_DATA_FILE = re.compile(r"(?!dataset_info|\.).+\.(?:(?:jsonl|ndjson|json|csv|tsv)(?:\.gz)?|parquet)")
_SPLIT = re.compile(r"(?<![a-z])(train|test)(?![a-z])")


@dataclass(frozen=True)
class Copy:
    """Which copy of a benchmark to read.

    Args:
        benchmark: its name.
        splits: all that it has.
        example: an id on the dataset hub, to name in messages.
        path: a file (whatever the split), or a folder; None: not given.
        dataset: an id on the dataset hub; None: not given.
        config: a part of that dataset; None: all of it.

    Raises:
        OptionError: both a path and a dataset are given, or a part of no dataset.
    """

    benchmark: str
    splits: tuple[str, ...]
    example: str
    path: str | None
    dataset: str | None
    config: str | None

    def __post_init__(self) -> None:
        if self.path is not None and self.dataset is not None:
            raise OptionError(f"{self.benchmark}: give path or dataset, not both")
        if self.config is not None and self.dataset is None:
            raise OptionError(f"{self.benchmark}: config is a part of a dataset: give dataset as well")

    def rows(self, split: str) -> Iterator["RawRow"]:
        """Yield the rows of a split, files in the order of their names, with numbers in them as numbers.

        Raises:
            DataError: there is no such data; the message says what was looked for and how to give it.
        """
        if self.dataset is not None:
            yield from self._fetch(self.dataset, split)
            return
        place = Path(self.path) if self.path is not None else folder_of(self.benchmark)
        if place is None:
            raise self._missing("HUB_DATA is not set")
        if not place.exists():
            raise self._missing(f"there is no {place}")
        if place.is_file():
            yield from _read(place, place.name)
            return
        for file in self._choose(place, split):
            yield from _read(file, file.relative_to(place).as_posix())

    def _choose(self, folder: Path, split: str) -> list[Path]:
        inside = {file.relative_to(folder): file for file in folder.rglob("*") if file.is_file()}
        data = {
            name.as_posix(): file
            for name, file in inside.items()
            if _DATA_FILE.fullmatch(name.name) and not any(part.startswith(".") for part in name.parts)
        }
        whole = folder.name.lower() if folder.name.lower() in self.splits else ""
        chosen = [name for name in data if (_named_split(name) or whole) == split]
        if not chosen and len(self.splits) == 1:
            chosen = list(data)
        if not chosen:
            found = ", ".join(sorted(data)[:3]) or f"no file that ends in one of {FORMATS}"
            raise self._missing(f"no data file in {folder} has {split!r} in its name (found: {found})")
        return [data[name] for name in sorted(chosen, key=_natural)]

    def _fetch(self, dataset: str, split: str) -> Iterator["RawRow"]:
        try:
            from datasets import get_dataset_config_names, load_dataset

            configs = [self.config] if self.config is not None else get_dataset_config_names(dataset)
            if "default" in configs:
                configs = ["default"]
            loaded = {config: load_dataset(dataset, config) for config in configs}
        except Exception as error:
            raise self._missing(describe(dataset, error)) from error
        for config, splits in loaded.items():
            if split not in splits and not (len(self.splits) == len(splits) == 1):
                raise self._missing(f"{dataset!r} has no split {split!r} (it has: {', '.join(splits)})")
            source = f"{dataset}/{config}"
            rows = splits[split] if split in splits else next(iter(splits.values()))
            tell_source(dataset=dataset, config=config, revision=revision_of(rows))
            for number, columns in enumerate(rows, 1):
                yield RawRow(source, number, columns)

    def _missing(self, reason: str) -> DataError:
        name = self.benchmark
        files = " and ".join(f"{split}.jsonl" for split in self.splits)
        return DataError(
            f"the data of {name!r} is not here: {reason}. It does not come with this project: give your own "
            f"copy with --benchmark-option {name}.path=FILE_OR_FOLDER, or as {files} in the folder "
            f"{name.replace('-', '_')} of HUB_DATA, or with {name}.dataset=ID from the dataset hub, e.g. "
            f"{self.example}"
        )


@dataclass(frozen=True)
class RawRow:
    """A row as it is in the data.

    Args:
        source: the file in its folder, or dataset and part.
        number: its line or row there, from 1; None where the file is this one row.
        columns: its values by column.
    """

    source: str
    number: int | None
    columns: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return self.source if self.number is None else f"{self.source}:{self.number}"

    def get(self, *names: str) -> str:
        """Return the first of these columns that holds text or a number, as text; "" if none does.

        Args:
            names: in lower case; the data's may be in any.
        """
        columns = {str(name).lower(): value for name, value in self.columns.items()}
        values = [columns.get(name) for name in names]
        texts = (str(value).strip() for value in values if isinstance(value, str | int | float))
        return next((text for text in texts if text not in ("", "nan")), "")


def _read(file: Path, source: str) -> Iterator[RawRow]:
    tell_file(file)
    whole = _read_object(file) if file.suffix == ".json" else None
    if whole is not None:
        yield RawRow(source, None, whole)
        return
    for row in DataFile(str(file)):
        yield RawRow(source, row.number, row.columns)


def _read_object(file: Path) -> dict[str, Any] | None:
    """Read a file that is one JSON object; None if it is not (then it may be an array, or JSON lines)."""
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _named_split(name: str) -> str:
    """Return the last of "train" and "test" in a path; "" if there is neither."""
    return next(reversed(_SPLIT.findall(name.lower())), "")


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
