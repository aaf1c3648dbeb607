"""The benchmark `svamp`."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DataError, OptionError
from hub.testing import BenchmarkSuite
from hub_benchmarks.svamp import join, rows

ROW = {"ID": "chal-7", "Body": "Jan has 3 pens", "Question": "How many?", "Answer": "3.0", "Type": "Addition"}


class TestSvamp(BenchmarkSuite):
    benchmark = "svamp"
    options = {"train_share": 0.5}

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def folder(cls, shared_data: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
            yield

    def solve(self, row: dict[str, Any]) -> str | None:
        return f"So it is $\\boxed{{{row['answer']}}}$."


def test_all_rows_are_there(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    found = list(rows("test", prompt="{question}"))
    assert [row["id"] for row in found] == [f"chal-{number}" for number in range(1, 1001)]
    assert all(re.fullmatch(r"\d+", row["answer"]) for row in found)
    assert not [row["prompt"] for row in found if not re.search(r"[.!?] \S.*[?\d]$", row["prompt"])]
    types = Counter(row["type"] for row in found)
    assert types == {"Subtraction": 531, "Addition": 195, "Common-Division": 166, "Multiplication": 108}
    [row] = [row for row in found if row["id"] == "chal-777"]
    assert row["prompt"].endswith("into 93 groups. How big is each group of bananas?")
    assert (row["answer"], row["equation"]) == ("145", "( 290.0 / 2.0 )")


def test_the_official_file_gives_the_same_rows(tmp_path: Path) -> None:
    listed = [{**ROW, "ID": f"chal-{number}", "Answer": number} for number in (10, 9, 100)]
    (tmp_path / "SVAMP.json").write_text(json.dumps(listed, indent=1))
    (tmp_path / "svamp.jsonl").write_text("\n".join(map(json.dumps, reversed(listed))))
    one, other = (list(rows("test", path=str(path))) for path in (tmp_path / "SVAMP.json", tmp_path))
    assert one == other
    assert [(row["id"], row["answer"]) for row in one] == [
        ("chal-9", "9"),
        ("chal-10", "10"),
        ("chal-100", "100"),
    ]


JOINED = [
    ("no full stop", "Jan has 3 pens", "Jan has 3 pens. How many?"),
    ("a full stop", "Jan has 3 pens.", "Jan has 3 pens. How many?"),
    ("a question", "Has Jan 3 pens? ", "Has Jan 3 pens? How many?"),
]


@pytest.mark.parametrize(("body", "text"), [case[1:] for case in JOINED], ids=[case[0] for case in JOINED])
def test_the_situation_ends_in_a_full_stop(body: str, text: str) -> None:
    assert join(body, "How many?") == text


BAD: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("no data anywhere", {}, DataError, "'ChilleD/SVAMP' cannot be fetched.*svamp.path=FILE"),
    (
        "other columns",
        {"content": {"Body": "x"}},
        DataError,
        "row 0 has the columns Body, and not all of ID, ",
    ),
    (
        "no number",
        {"content": {**ROW, "Answer": "three"}},
        DataError,
        "the answer of chal-7: could not convert",
    ),
    ("a prompt without a question", {"prompt": "Solve."}, OptionError, "svamp: the prompt has no {question}"),
]


@pytest.mark.parametrize(
    ("keys", "error", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_data_is_one_clear_error(
    keys: dict[str, Any], error: type[Exception], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUB_DATA", raising=False)
    options = {name: value for name, value in keys.items() if name != "content"}
    if "content" in keys:
        options["path"] = str(tmp_path / "data.jsonl")
        (tmp_path / "data.jsonl").write_text(json.dumps(keys["content"]))
    with pytest.raises(error, match=words):
        list(rows("test", **options))
