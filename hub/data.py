"""Reads rows from data files: JSONL, JSON, CSV and Parquet, each row with where it stands in its file.

Every row is a dict. What cannot be read is a `DataError` that names the file and the line (the row, for
Parquet and JSON arrays). Not here: benchmarks' own loaders, which know what their data means.
"""

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from hub.errors import DataError, MissingDependency

FORMATS = ".jsonl, .json, .csv, .tsv (each also with .gz), .parquet"
PARQUET_ROWS = 1024
"""Rows of a Parquet file that are read at once."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a data file.

    Args:
        number: its line, from 1 (of a CSV row that spans lines, the first); its row, from 1, in a
            Parquet file and in a JSON array.
        columns: its values by column.
    """

    number: int
    columns: dict[str, Any]


@dataclass(frozen=True)
class DataFile:
    """A file of rows; iterating reads it from its start, each time anew (one reader at a time).

    Args:
        path: the file; its ending tells the format.
        rename: the file's column by the name that it is to have, e.g. {"answer": "solution"}.
        content: what to read in place of the path, which then only names it: JSONL that can be read
            from its start (see `from_stream`).

    Raises:
        DataError: there is no such file, it is of no known format, or a row of it cannot be used.
        MissingDependency: it is Parquet and pyarrow is not installed.
    """

    path: str
    rename: Mapping[str, str] = field(default_factory=dict)
    content: IO[bytes] | None = None

    @classmethod
    def from_stream(cls, stream: IO[bytes], rename: Mapping[str, str], name: str = "<stdin>") -> "DataFile":
        """Take JSONL from a stream that can be read once, by way of a temporary file."""
        import shutil
        import tempfile

        copy = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the DataFile
        try:
            shutil.copyfileobj(stream, copy)
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error}") from error
        return cls(name, rename, copy)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows in their order."""
        with _named(self.path):
            for row in self._read():
                yield Row(row.number, self._renamed(row)) if self.rename else row

    def close(self) -> None:
        """Let go of a stream's temporary file."""
        if self.content is not None:
            self.content.close()

    def error(self, number: int, message: str) -> DataError:
        """Make the error for a row."""
        return DataError(f"{self.path}:{number}: {message}")

    def _read(self) -> Iterator[Row]:
        if self.content is not None:
            self.content.seek(0)
            yield from self._json_lines(self.content)
            return
        name = Path(self.path).name.lower()
        kind = Path(name.removesuffix(".gz")).suffix
        readers = {".jsonl": self._json_lines, ".ndjson": self._json_lines, ".json": self._json}
        readers |= {".csv": self._commas, ".tsv": self._tabs}
        if kind in readers:
            with self._open(name) as file:
                yield from readers[kind](file)
        elif name.endswith(".parquet"):
            yield from self._parquet()
        else:
            raise DataError(f"{self.path}: no known format; the file's name should end in one of {FORMATS}")

    def _open(self, name: str) -> IO[bytes]:
        return gzip.open(self.path, "rb") if name.endswith(".gz") else open(self.path, "rb")  # type: ignore[return-value]

    def _json_lines(self, file: IO[bytes]) -> Iterator[Row]:
        for number, line in enumerate(file, 1):
            text = self._text(line, number)
            if text.strip():
                yield self._object(self._parse(text.rstrip(), number), number)

    def _json(self, file: IO[bytes]) -> Iterator[Row]:
        """An array of objects; what begins otherwise is read as JSON lines, which often have this name."""
        content = file.read()
        if not content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
            yield from self._json_lines(io.BytesIO(content))
            return
        for number, value in enumerate(self._parse(self._text(content, 1), 1), 1):
            yield self._object(value, number)

    def _commas(self, file: IO[bytes]) -> Iterator[Row]:
        return self._table(file, ",")

    def _tabs(self, file: IO[bytes]) -> Iterator[Row]:
        return self._table(file, "\t")

    def _table(self, file: IO[bytes], delimiter: str) -> Iterator[Row]:
        csv.field_size_limit(sys.maxsize)  # completions are longer than csv's 128 KiB
        lines = (self._text(line, number) for number, line in enumerate(file, 1))
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        names: list[str] = []
        start = 1
        try:
            for values in reader:
                if not names:
                    names = self._header(values, start)
                elif values:
                    if len(values) != len(names):
                        message = f"has {len(values)} values, but the header has {len(names)} columns"
                        raise self.error(start, message)
                    yield Row(start, dict(zip(names, values, strict=True)))
                start = reader.line_num + 1
        except csv.Error as error:
            raise self.error(start, f"not CSV: {error}") from error

    def _header(self, names: list[str], number: int) -> list[str]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise self.error(number, f"the header has {', '.join(map(repr, twice))} more than once")
        return names

    def _parquet(self) -> Iterator[Row]:
        try:
            import pyarrow
            import pyarrow.parquet
        except ModuleNotFoundError as error:
            raise MissingDependency(
                f"{self.path}: reading Parquet needs 'pyarrow', which is not installed: "
                "pip install 'posttrain-hub[parquet]'"
            ) from error
        number = 0
        try:
            with pyarrow.parquet.ParquetFile(self.path) as file:
                for batch in file.iter_batches(PARQUET_ROWS):
                    for columns in batch.to_pylist():
                        number += 1
                        yield Row(number, columns)
        except pyarrow.ArrowException as error:
            raise DataError(f"{self.path}: cannot be read as Parquet after row {number}: {error}") from error

    def _text(self, line: bytes, number: int) -> str:
        try:
            return line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise self.error(number, f"not UTF-8: {error.reason} at byte {error.start}") from error

    def _parse(self, text: str, number: int) -> Any:
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            line = number + error.lineno - 1
            raise self.error(line, f"not JSON: {error.msg} at column {error.colno}") from error
        except (ValueError, RecursionError) as error:
            raise self.error(number, f"cannot be read as JSON: {error}") from error

    def _object(self, value: object, number: int) -> Row:
        if not isinstance(value, dict):
            raise self.error(number, f"a row is a JSON object, not {type(value).__name__}: {value!r:.60}")
        return Row(number, value)

    def _renamed(self, row: Row) -> dict[str, Any]:
        missing = [name for name in self.rename.values() if name not in row.columns]
        if missing:
            known = ", ".join(row.columns) or "none"
            raise self.error(row.number, f"has no column {missing[0]!r} to rename (it has: {known})")
        old = set(self.rename.values())
        kept = {name: value for name, value in row.columns.items() if name not in old}
        return kept | {name: row.columns[of] for name, of in self.rename.items()}


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Give what the system says about a file its name."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path!r}") from error
    except EOFError as error:
        raise DataError(f"{path}: ends in the middle of its gzip data: {error}") from error
    except (OSError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
