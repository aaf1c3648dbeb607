"""The benchmark `bbh`."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DataError, OptionError, UnknownName
from hub.testing import BenchmarkSuite
from hub_benchmarks.bbh import TASKS, rows


class TestBbh(BenchmarkSuite):
    benchmark = "bbh"
    options = {"train_share": 0.5}

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def folder(cls, shared_data: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
            yield

    def solve(self, row: dict[str, Any]) -> str | None:
        return f"We look at it. So the answer is {row['answer']}."


@pytest.fixture
def task(tmp_path: Path) -> Path:
    listed = [{"input": f"Q{number}?", "target": f"({letter})"} for number, letter in enumerate("ABC")]
    (tmp_path / "navigate.json").write_text(json.dumps({"canary": "x", "examples": listed}, indent=2))
    return tmp_path


def test_all_rows_are_there(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    found = list(rows("test"))
    assert Counter(row["task"] for row in found) == dict.fromkeys(
        (file.stem for file in (shared_data / "benchmarks" / "bbh").glob("*.json")), 250
    )
    first = found[0]
    assert (first["id"], first["answer"], set(first)) == (
        "boolean_expressions-0",
        "False",
        {"id", "prompt", "answer", "task"},
    )
    assert first["prompt"].startswith("not ( True ) and ( True ) is\n\nThink step by step.")


def test_examples_are_earlier_turns_and_are_not_asked(task: Path) -> None:
    (row,) = rows("test", path=str(task), examples=2, prompt="{question}!")
    assert (row["id"], row["answer"]) == ("navigate-2", "(C)")
    assert [turn["content"] for turn in row["prompt"]] == [
        "Q0?!",
        "The answer is (A).",
        "Q1?!",
        "The answer is (B).",
        "Q2?!",
    ]


def test_tasks_are_chosen(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    assert {row["task"] for row in rows("test", tasks=["navigate", "web_of_lies"])} == {
        "navigate",
        "web_of_lies",
    }
    assert len(TASKS) == len(set(TASKS)) == 27


BAD: list[tuple[str, dict[str, Any], str | None, type[Exception], str]] = [
    ("no such task", {"tasks": ["navigation"]}, None, UnknownName, "task of bbh 'navigation'.*navigate"),
    (
        "a folder without it",
        {"path": "."},
        None,
        DataError,
        "no TASK.json in '.', such as boolean_expressions.json",
    ),
    ("a task that is not here", {"tasks": ["snarks"]}, "{}", DataError, "lukaemon/bbh"),
    ("other keys", {}, '{"rows": []}', DataError, "navigate.json: is no task of BIG-Bench Hard: KeyError"),
    ("no JSON", {}, "no", DataError, "navigate.json: is no task of BIG-Bench Hard"),
    (
        "other columns",
        {},
        '{"examples": [{"q": 1}]}',
        DataError,
        "row 0 of navigate has q, not input and target",
    ),
    ("examples below 0", {"examples": -1}, None, OptionError, "bbh: examples are at least 0, not -1"),
    ("a prompt without a question", {"prompt": "x"}, None, OptionError, "bbh: the prompt has no {question}"),
]


@pytest.mark.parametrize(
    ("options", "content", "error", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_data_is_one_clear_error(
    options: dict[str, Any],
    content: str | None,
    error: type[Exception],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUB_DATA", raising=False)
    if content is not None:
        (tmp_path / "bbh").mkdir()
        (tmp_path / "bbh" / "navigate.json").write_text(content)
        options = {"path": str(tmp_path / "bbh"), **options}
    with pytest.raises(error, match=words):
        list(rows("test", **options))
