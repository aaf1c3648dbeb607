"""Data files: every format gives the same rows, and every mistake is named with its line."""

import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.data import DataFile, Row
from hub.errors import DataError, MissingDependency

ROWS = [
    {"prompt": "2+2?", "completion": "4", "answer": "4"},
    {"prompt": 'say "a, b"', "completion": "line one\nline two", "answer": "Übung\u2028 数"},
    {"prompt": "", "completion": "x" * 200_000, "answer": ""},
]


def write_jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")


def write_jsonl_gz(path: Path) -> None:
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in ROWS).encode()))


def write_json(path: Path) -> None:
    path.write_text(json.dumps(ROWS, indent=2))


def write_csv(path: Path, delimiter: str = ",") -> None:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(ROWS[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)


def write_parquet(path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("rows.jsonl", write_jsonl),
        ("rows.JSONL", write_jsonl),
        ("rows.ndjson", write_jsonl),
        ("rows.jsonl.gz", write_jsonl_gz),
        ("rows.json", write_json),
        ("lines-with-another-name.json", write_jsonl),
        ("rows.csv", write_csv),
        ("rows.tsv", lambda path: write_csv(path, "\t")),
        ("rows.parquet", write_parquet),
    ],
)
def test_every_format_gives_the_same_rows_each_time(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    file = DataFile(str(tmp_path / name))
    assert [row.columns for row in file] == ROWS
    assert [row.columns for row in file] == ROWS


@pytest.mark.parametrize(
    ("name", "content", "numbers"),
    [
        pytest.param("a.jsonl", '{"a": 1}\n\n  \n{"a": 2}\n', [1, 4], id="blank lines count"),
        pytest.param("a.jsonl", '\ufeff{"a": 1}\r\n{"a": 2}', [1, 2], id="byte order mark, CRLF, no newline"),
        pytest.param("a.jsonl", "", [], id="empty"),
        pytest.param("a.csv", 'a,b\n"1\n2\n3",4\n5,6\n', [2, 5], id="a row of three lines"),
        pytest.param("a.csv", "a,b\n\n1,2\n", [3], id="blank line in CSV"),
        pytest.param("a.json", "[{}, {}]", [1, 2], id="rows of an array"),
        pytest.param("a.json", " []", [], id="an empty array"),
    ],
)
def test_rows_know_where_they_stand(tmp_path: Path, name: str, content: str, numbers: list[int]) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    assert [row.number for row in DataFile(str(tmp_path / name))] == numbers


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "a.jsonl", b'{"a": 1}\n{"a": \n', ":2: not JSON: Expecting value at column", id="torn line"
        ),
        pytest.param(
            "a.jsonl", b'{"a": 1}\n[1]\n', ":2: a row is a JSON object, not list: [1]", id="not an object"
        ),
        pytest.param(
            "a.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', ":2: not UTF-8: invalid start byte", id="not UTF-8"
        ),
        pytest.param(
            "a.jsonl", b'{"a": ' + b"9" * 5000 + b"}", ":1: cannot be read as JSON", id="huge number"
        ),
        pytest.param("a.jsonl", b"\n" + b"[" * 200_000, ":2: cannot be read as JSON", id="deep nesting"),
        pytest.param("a.json", b'[{"a": 1},\n {"a": x}]', ":2: not JSON", id="inside an array"),
        pytest.param(
            "a.json", b'[{"a": 1}, 3]', ":2: a row is a JSON object, not int: 3", id="a number in an array"
        ),
        pytest.param("a.json", b'{\n "a": 1\n}', ":1: not JSON", id="a lone object over several lines"),
        pytest.param(
            "a.csv", b"a,b\n1,2\n1\n", ":3: has 1 values, but the header has 2 columns", id="too few"
        ),
        pytest.param(
            "a.csv", b"a,b\n1,2,3\n", ":2: has 3 values, but the header has 2 columns", id="too many"
        ),
        pytest.param("a.csv", b'a,b\n1,2\n"1,2\n3,4\n', ":3: not CSV", id="a quote that never ends"),
        pytest.param(
            "a.csv", b"a,b,a\n1,2,3\n", ":1: the header has 'a' more than once", id="a column twice"
        ),
        pytest.param("a.csv", b"a,b\n1,\xff\n", ":2: not UTF-8", id="CSV not UTF-8"),
        pytest.param("a.jsonl.gz", b"not gzip", ": cannot be read: Not a gzipped file", id="not gzip"),
        pytest.param("a.jsonl.gz", gzip.compress(b'{"a": 1}\n')[:-9], ": ends in the middle", id="torn gzip"),
        pytest.param(
            "a.parquet", b"not parquet", ": cannot be read as Parquet after row 0", id="not Parquet"
        ),
        pytest.param(
            "a.xlsx", b"", ": no known format; the file's name should end in one of .jsonl", id="format"
        ),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        list(DataFile(str(path)))
    assert str(error.value).startswith(f"{path}{message}")


def test_a_file_that_is_not_there_and_one_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file '.*absent\.jsonl'"):
        list(DataFile(str(tmp_path / "absent.jsonl")))
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(DataError, match=r"folder\.jsonl: cannot be read: .*directory"):
        list(DataFile(str(tmp_path / "folder.jsonl")))


@pytest.mark.parametrize(
    ("rename", "expected"),
    [
        ({"answer": "solution"}, {"prompt": "p", "answer": "s"}),
        ({"prompt": "solution", "solution": "prompt"}, {"prompt": "s", "solution": "p"}),
        ({"answer": "solution", "gold": "solution"}, {"prompt": "p", "answer": "s", "gold": "s"}),
        ({"prompt": "solution"}, {"prompt": "s"}),
    ],
    ids=["one", "exchanged", "one under two names", "in place of another"],
)
def test_columns_are_renamed(tmp_path: Path, rename: dict[str, str], expected: dict[str, Any]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "p", "solution": "s"}\n')
    assert list(DataFile(str(path), rename)) == [Row(1, expected)]


def test_a_column_to_rename_that_is_not_there_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"b": 1, "c": 2}\n{"c": 2}\n')
    with pytest.raises(DataError, match=r"a\.jsonl:2: has no column 'b' to rename \(it has: c\)"):
        list(DataFile(str(path), {"a": "b"}))


def test_a_stream_is_read_more_than_once() -> None:
    file = DataFile.from_stream(io.BytesIO(b'{"a": 1}\n{"a": 2}\n[]\n'), {"b": "a"})
    try:
        for _ in range(2):
            with pytest.raises(DataError, match=r"<stdin>:3: a row is a JSON object, not list"):
                list(file)
        first = next(iter(file))
    finally:
        file.close()
    assert first == Row(1, {"b": 1})


def test_reading_lines_does_not_import_pyarrow_and_its_absence_has_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n")
    (tmp_path / "a.parquet").write_bytes(b"")
    program = f"""
import sys
from hub.data import DataFile
assert len(list(DataFile({str(tmp_path / "a.jsonl")!r}))) == 1
assert "pyarrow" not in sys.modules
sys.modules["pyarrow"] = None
list(DataFile({str(tmp_path / "a.parquet")!r}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"{MissingDependency.__name__}: {tmp_path}/a.parquet" in done.stderr
    assert "pip install 'posttrain-hub[parquet]'" in done.stderr


def test_published_files_are_read(shared_data: Path) -> None:
    folder = shared_data / "benchmarks"
    counts = {
        "gsm8k/test.jsonl": 1319,
        "humaneval/HumanEval.jsonl.gz": 164,
        "truthfulqa/TruthfulQA.csv": 790,
        "alpaca_eval/model_outputs.alpaca-7b.json": 805,
    }
    assert {name: sum(1 for _ in DataFile(str(folder / name))) for name in counts} == counts
