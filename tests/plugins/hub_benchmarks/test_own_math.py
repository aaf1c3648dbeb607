"""The benchmarks `math`, `math-500` and `aime`, with problems made up here, in the shapes that people have."""

import csv
import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DataError, OptionError
from hub.testing import BenchmarkSuite
from hub_benchmarks.own_data import RawRow
from hub_benchmarks.own_math import aime, find_boxed, find_year, math, math_500

Rows = list[dict[str, Any]]

HALF = {
    "problem": "What is $2 \\cdot \\frac{1}{4}$?",
    "level": "Level 1",
    "type": "Prealgebra",
    "solution": "Twice a quarter is $\\boxed{\\frac{1}{2}}$.",
}
ROOTS = {
    "problem": "Find the positive root of $x^2 = 49$.",
    "level": "Level 2",
    "type": "Algebra",
    "solution": "Not \\boxed{-7}, so $\\boxed{7}$.",
}
COUNT = {
    "problem": "In how many orders can three books stand?",
    "level": "Level ?",
    "type": "Counting & Probability",
    "solution": "$3! = \\boxed{6}$.",
}
SUM = {
    "problem": "What is $1+2$?",
    "level": "Level 1",
    "type": "Prealgebra",
    "solution": "It is \\boxed{3}.",
}
FIVE = {
    "problem": "What is $40\\%$ of $5$?",
    "solution": "Two fifths of five, that is $\\boxed{2}$.",
    "answer": "2",
    "subject": "Prealgebra",
    "level": 3,
    "unique_id": "test/prealgebra/9.json",
}


def write_jsonl(file: Path, rows: Rows) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_json(file: Path, rows: Rows) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows, indent=4))


def write_gzip(file: Path, rows: Rows) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))


def write_csv(file: Path, rows: Rows) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(file: Path, rows: Rows) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)


WRITERS: dict[str, Callable[[Path, Rows], None]] = {
    ".jsonl": write_jsonl,
    ".json": write_json,
    ".gz": write_gzip,
    ".csv": write_csv,
    ".parquet": write_parquet,
}


def write(folder: Path, files: Mapping[str, Rows | dict[str, Any] | str]) -> Path:
    """Write files in the format that their names say; a dict as one JSON object, as the official MATH has."""
    for name, content in files.items():
        file = folder / name
        if isinstance(content, list):
            WRITERS[file.suffix](file, content)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content if isinstance(content, str) else json.dumps(content, indent=4))
    return folder


TREE: dict[str, Rows | dict[str, Any] | str] = {
    "test/prealgebra/10.json": HALF,
    "test/prealgebra/9.json": SUM,
    "test/algebra/3.json": ROOTS,
    "train/counting_and_probability/1.json": COUNT,
    "README.md": "Not data.",
}


class OwnSuite(BenchmarkSuite):
    """A suite whose data is written to HUB_DATA."""

    files: Mapping[str, Rows | dict[str, Any] | str]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(write(tmp_path_factory.mktemp("data"), cls.files)))
            yield

    def solve(self, row: dict[str, Any]) -> str | None:
        return f"So it is $\\boxed{{{row['answer']}}}$."


class TestMath(OwnSuite):
    benchmark = "math"
    files = {f"math/{name}": content for name, content in TREE.items()}


class TestMath500(OwnSuite):
    benchmark = "math-500"
    files = {"math_500/test.jsonl": [FIVE]}


class TestAime(OwnSuite):
    benchmark = "aime"
    files = {"aime/2031.csv": [{"Question": "What is $20 \\cdot 3$?", "Answer": "060"}]}


def test_the_official_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    write(tmp_path / "MATH", TREE)
    found = list(math("test", path=str(tmp_path / "MATH"), prompt="{question}"))
    assert [row["id"] for row in found] == [
        "test/algebra/3.json",
        "test/prealgebra/9.json",
        "test/prealgebra/10.json",
    ]
    assert found[0] == {
        "id": "test/algebra/3.json",
        "prompt": ROOTS["problem"],
        "answer": "7",
        "solution": ROOTS["solution"],
        "subject": "Algebra",
        "level": "2",
    }
    [train] = math("train", path=str(tmp_path / "MATH"))
    assert (train["answer"], train["subject"], train["level"]) == ("6", "Counting & Probability", "?")
    assert [row["answer"] for row in math("test", path=str(tmp_path / "MATH/test"))] == [
        "7",
        "3",
        "\\frac{1}{2}",
    ]


BOTH = [HALF, ROOTS]
MATH_SHAPES: list[tuple[str, str, dict[str, Rows | dict[str, Any] | str]]] = [
    ("one file", "test.jsonl", {"test.jsonl": BOTH}),
    ("one file of any name", "mine.jsonl", {"mine.jsonl": BOTH}),
    ("an array", "mine.json", {"mine.json": BOTH}),
    ("JSON lines called JSON", "mine.json", {"mine.json": "\n".join(map(json.dumps, BOTH))}),
    ("CSV", "mine.csv", {"mine.csv": BOTH}),
    ("Parquet", "mine.parquet", {"mine.parquet": BOTH}),
    ("a file of each split", "", {"train.jsonl": [COUNT], "test.jsonl": BOTH}),
    ("compressed", "", {"train.jsonl.gz": [COUNT], "test.jsonl.gz": BOTH}),
    ("shards", "", {"test-00000-of-00002.parquet": [HALF], "test-00001-of-00002.parquet": [ROOTS]}),
    ("a folder of each subject", "", {"a/test-0.parquet": [HALF], "b/test-0.parquet": [ROOTS]}),
    (
        "a file of each subject and split",
        "",
        {"data/a_test.jsonl": [HALF], "data/b_test.jsonl": [ROOTS], "data/a_train.jsonl": [COUNT]},
    ),
    ("a train file in a folder of tests", "", {"test/train.jsonl": [COUNT], "test/all.jsonl": BOTH}),
    (
        "with what tools leave behind",
        "",
        {
            "test.jsonl": BOTH,
            ".cache/test.jsonl": [COUNT],
            "dataset_infos.json": {"test": 1},
            "latest.csv": [SUM],
        },
    ),
]


@pytest.mark.parametrize(
    ("inside", "files"), [case[1:] for case in MATH_SHAPES], ids=[case[0] for case in MATH_SHAPES]
)
def test_math_is_read_in_the_shapes_that_people_have(
    inside: str, files: dict[str, Rows | dict[str, Any] | str], tmp_path: Path
) -> None:
    found = list(math("test", path=str(write(tmp_path / "MATH", files) / inside)))
    assert [(row["id"], row["answer"], row["subject"], row["level"]) for row in found] == [
        ("test-0", "\\frac{1}{2}", "Prealgebra", "1"),
        ("test-1", "7", "Algebra", "2"),
    ]
    assert found[0]["prompt"].startswith(f"{HALF['problem']}\n\n")


@pytest.mark.parametrize("file", ["MATH-500/test.jsonl", "math500.parquet", "500/data.csv", "m.json"])
def test_math_500_is_read_in_the_shapes_that_people_have(file: str, tmp_path: Path) -> None:
    write(tmp_path, {file: [FIVE]})
    for path in (tmp_path, tmp_path / file):
        [row] = math_500("test", path=str(path), prompt="{question}")
        assert row == {
            "id": "test/prealgebra/9.json",
            "prompt": FIVE["problem"],
            "answer": "2",
            "solution": FIVE["solution"],
            "subject": "Prealgebra",
            "level": "3",
        }


def test_what_math_500_lacks_is_unknown_and_a_question_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, {"m.jsonl": [{"Question": "1+1?", "answer": 2, "level": None, "solution": None}]})
    [row] = math_500("test", path=str(tmp_path / "m.jsonl"), prompt="{question}")
    assert row == {
        "id": "test-0",
        "prompt": "1+1?",
        "answer": "2",
        "solution": "",
        "subject": "unknown",
        "level": "unknown",
    }


AIME_SHAPES: list[tuple[str, dict[str, Rows | dict[str, Any] | str], str]] = [
    ("lower case, a year", {"x.jsonl": [{"id": 60, "problem": "p", "answer": "7", "year": "2024"}]}, "2024"),
    ("capitals, an id", {"x.parquet": [{"ID": "2024-II-4", "Problem": "p", "Answer": 7}]}, "2024"),
    (
        "a table of years",
        {"x.csv": [{"ID": "1983-1", "Year": 1983, "Question": "p", "Answer": "007"}]},
        "1983",
    ),
    ("a float", {"x.json": [{"problem": "p", "answer": 7.0, "year": 1999.0}]}, "1999"),
    ("an address", {"x.jsonl": [{"problem": "p", "answer": 7, "url": "https://x.y/2022_AIME_I/1"}]}, "2022"),
    ("the file's name", {"aime2025-I.jsonl": [{"question": "p", "answer": "7"}]}, "2025"),
    ("the file's short name", {"aime24.jsonl": [{"question": "p", "answer": "7"}]}, "2024"),
    ("a year for a name", {"2023.jsonl": [{"question": "p", "answer": "7"}]}, "2023"),
    ("a folder's name", {"AIME_2021/test.jsonl": [{"question": "p", "answer": "7"}]}, "2021"),
    ("a range of years", {"aime_1983_2024.jsonl": [{"question": "p", "answer": "7"}]}, "unknown"),
    ("an id that is a number", {"x.jsonl": [{"id": 2024, "problem": "p", "answer": 7}]}, "unknown"),
    ("only a train split", {"data/train-0.parquet": [{"problem": "p", "answer": 7}]}, "unknown"),
    ("an answer in the solution", {"x.jsonl": [{"problem": "p", "solution": "\\boxed{007}"}]}, "unknown"),
]


@pytest.mark.parametrize(
    ("files", "year"), [case[1:] for case in AIME_SHAPES], ids=[case[0] for case in AIME_SHAPES]
)
def test_aime_is_read_in_the_shapes_that_people_have(
    files: dict[str, Rows | dict[str, Any] | str], year: str, tmp_path: Path
) -> None:
    [row] = aime("test", path=str(write(tmp_path / "mine", files)), prompt="{question}")
    assert row == {"id": "test-0", "prompt": "p", "answer": "7", "year": year}


def test_aime_takes_all_files_of_a_folder_or_those_named_test(tmp_path: Path) -> None:
    files = {f"aime_{year}.jsonl": [{"problem": f"p{year}", "answer": year % 1000}] for year in (2024, 2025)}
    write(tmp_path, files)
    found = list(aime("test", path=str(tmp_path)))
    assert [(row["id"], row["answer"], row["year"]) for row in found] == [
        ("test-0", "24", "2024"),
        ("test-1", "25", "2025"),
    ]
    write(tmp_path, {"test.jsonl": [{"problem": "p", "answer": "336^\\circ"}]})
    [row] = aime("test", path=str(tmp_path))
    assert row["answer"] == "336^\\circ"


def test_the_year_may_be_in_the_path_of_the_file() -> None:
    row = RawRow("test.jsonl", 1, {"problem": "p"})
    assert find_year(row, "data/aime24/test.jsonl") == find_year(row, "HuggingFaceH4/aime_2024") == "2024"
    assert find_year(row, "work/2019/test.jsonl") == "unknown"


BOXES: list[tuple[str, str, str | None]] = [
    ("nested", "$\\boxed{\\frac{1}{\\sqrt{2}}}$", "\\frac{1}{\\sqrt{2}}"),
    ("the last", "\\boxed{1} and \\boxed{2}", "2"),
    ("escaped braces", "\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"),
    ("an escaped closing brace alone", "\\boxed{x \\} y}", "x \\} y"),
    ("a line break in it", "\\boxed{1 \\\\ 2}", "1 \\\\ 2"),
    ("a space before the brace", "\\boxed {3}", "3"),
    ("no braces", "so $\\boxed 4$ is it, and $5$ not", "4"),
    ("a frame", "\\fbox{6}", "6"),
    ("not a box", "\\boxedness{7}", None),
    ("not closed", "\\boxed{8", None),
    ("empty", "\\boxed{ }", None),
    ("none", "9", None),
]


@pytest.mark.parametrize(
    ("solution", "answer"), [case[1:] for case in BOXES], ids=[case[0] for case in BOXES]
)
def test_the_answer_is_what_the_last_box_holds(solution: str, answer: str | None) -> None:
    assert find_boxed(solution) == answer


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes a dataset as the dataset hub has them, with the files of each split by configuration."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))

    def make(name: str, configs: dict[str, dict[str, Rows]]) -> str:
        lines = ["---", "configs:"]
        for config, splits in configs.items():
            lines += [f"- config_name: {config}", "  data_files:"]
            for split, rows in splits.items():
                write_jsonl(tmp_path / name / config / f"{split}.jsonl", rows)
                lines += [f"  - split: {split}", f"    path: {config}/{split}.jsonl"]
        (tmp_path / name / "README.md").write_text("\n".join([*lines, "---"]))
        return str(tmp_path / name)

    return make


def test_of_a_dataset_all_parts_are_read_or_the_one_asked_for(dataset: Callable[..., str]) -> None:
    parts = {"algebra": {"train": [COUNT], "test": [ROOTS]}, "prealgebra": {"train": [SUM], "test": [HALF]}}
    where = dataset("hendrycks", parts)
    found = list(math("test", dataset=where))
    assert [(row["id"], row["subject"]) for row in found] == [("test-0", "Algebra"), ("test-1", "Prealgebra")]
    assert [row["answer"] for row in math("train", dataset=where)] == ["6", "3"]
    [row] = math("test", dataset=where, config="prealgebra")
    assert row["answer"] == "\\frac{1}{2}"
    with pytest.raises(DataError, match=r"prealgebra'?.*geometry|geometry.*prealgebra"):
        list(math("test", dataset=where, config="geometry"))
    whole = dataset("whole", {"default": {"train": [COUNT], "test": [ROOTS, HALF]}, **parts})
    assert [row["answer"] for row in math("test", dataset=whole)] == ["7", "\\frac{1}{2}"]


def test_a_dataset_with_one_split_is_read_whatever_its_name(dataset: Callable[..., str]) -> None:
    where = dataset("aime_2024", {"default": {"train": [{"problem": "p", "answer": "7"}]}})
    [row] = aime("test", dataset=where)
    assert (row["id"], row["answer"], row["year"]) == ("test-0", "7", "2024")
    with pytest.raises(DataError, match=r"has no split 'test' \(it has: train\)"):
        list(math("test", dataset=where))


Read = Callable[..., Iterator[dict[str, Any]]]
P: dict[str, Any] = {"problem": "p", "answer": "7"}
BAD: list[tuple[str, Read, dict[str, Any], dict[str, Any], type[Exception], str]] = [
    (
        "no data",
        math,
        {},
        {},
        DataError,
        r"HUB_DATA is not set.*math\.path=FILE_OR_FOLDER.*test\.jsonl and train\.jsonl.*math of HUB_DATA.*"
        r"math\.dataset=ID.*EleutherAI/hendrycks_math",
    ),
    ("no path", aime, {}, {"path": "nowhere"}, DataError, r"there is no .*nowhere\. .*aime\.path="),
    ("a folder of nothing", math_500, {"a.txt": "x"}, {"path": ""}, DataError, "found: no file that ends in"),
    (
        "no file of the split",
        math,
        {"train.jsonl": [COUNT], "latest.jsonl": [HALF]},
        {"path": ""},
        DataError,
        r"no data file in .* has 'test' in its name \(found: .*latest\.jsonl, .*train\.jsonl\)",
    ),
    (
        "no dataset",
        math_500,
        {},
        {"dataset": "no-such/dataset"},
        DataError,
        r"'no-such/dataset' cannot be fetched.*math-500\.path=",
    ),
    ("path and dataset", math, {}, {"path": "a", "dataset": "b/c"}, OptionError, "path or dataset, not both"),
    ("a part of nothing", aime, {}, {"config": "I"}, OptionError, "give dataset as well"),
    ("a prompt without a question", aime, {}, {"prompt": "p"}, OptionError, r"aime: .* no {question} in it"),
    (
        "no problem",
        aime,
        {"a.jsonl": [P, {"text": "p", "answer": "7"}]},
        {"path": "a.jsonl"},
        DataError,
        r"a\.jsonl:2 has no problem \(or question\); its columns are text, answer",
    ),
    (
        "no box",
        math,
        {"test/algebra/1.json": {**HALF, "solution": "A half."}},
        {"path": ""},
        DataError,
        r"test/algebra/1\.json has no answer, nor a \\boxed{} in a solution",
    ),
    (
        "an answer of nothing",
        aime,
        {"a.jsonl": [{**P, "answer": float("nan")}]},
        {"path": ""},
        DataError,
        "no answer",
    ),
    ("a list of answers", aime, {"a.jsonl": [{**P, "answer": ["7"]}]}, {"path": ""}, DataError, "no answer"),
    (
        "a damaged file of the tree",
        math,
        {"test/algebra/1.json": '{\n"problem": '},
        {"path": ""},
        DataError,
        r"test/algebra/1\.json:1: not JSON",
    ),
    (
        "the same in two formats",
        math,
        {"test.jsonl": [HALF], "test.csv": [HALF]},
        {"path": ""},
        DataError,
        r"test\.csv and test\.jsonl have a problem in common.*math\.path=FILE",
    ),
    (
        "the same in two files",
        aime,
        {"aime_2024.jsonl": [P], "aime_1983_2024.jsonl": [P]},
        {"path": ""},
        DataError,
        r"aime_1983_2024\.jsonl and aime_2024\.jsonl have a problem in common",
    ),
]


@pytest.mark.parametrize(
    ("read", "files", "options", "error", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_data_is_one_clear_error(
    read: Read,
    files: dict[str, Any],
    options: dict[str, Any],
    error: type[Exception],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HUB_DATA", raising=False)
    write(tmp_path, files)
    if "path" in options:
        options = {**options, "path": str(tmp_path / options["path"])}
    with pytest.raises(error) as raised:
        list(read("test", **options))
    assert re.search(words, str(raised.value)), str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_of_hub_data_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"there is no .*/math_500\. .*in the folder math_500 of HUB_DATA"):
        list(math_500("test"))
