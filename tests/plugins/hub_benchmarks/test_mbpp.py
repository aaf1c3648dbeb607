"""The benchmark `mbpp`."""

import json
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import DataError, OptionError, SandboxUnavailable
from hub.testing import BenchmarkSuite
from hub_benchmarks.mbpp import SPLITS, find_entry_point, rows

ROW = {
    "task_id": 11,
    "text": "Say 1. ",
    "code": "def f():\r\n\treturn 1",
    "test_list": ["assert f() == 1"],
    "test_setup_code": "",
}


class TestMbpp(BenchmarkSuite):
    benchmark = "mbpp"

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def folder(cls, shared_data: Path) -> Any:
        try:
            hub.open_sandbox("local", slots=1).close()
        except SandboxUnavailable as error:
            pytest.skip(f"needs the sandbox local: {error}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
            yield

    def solve(self, row: dict[str, Any]) -> str | None:
        slow = row["id"] == "mbpp-123"
        return None if slow else f"```python\n{row['solution']}\n```"


def test_all_rows_are_there(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    found = {split: list(rows(split)) for split in SPLITS}
    assert {split: len(listed) for split, listed in found.items()} == {
        "test": 500,
        "train": 374,
        "validation": 90,
        "prompt": 10,
    }
    first = found["test"][0]
    assert first["id"] == "mbpp-11"
    assert first["entry_point"] == "remove_Occ"
    assert first["prompt"].startswith("Write a python function to remove first and last occurrence")
    assert all(test in first["prompt"] for test in first["test_list"])
    texts = [
        text for listed in found.values() for row in listed for text in (row["solution"], *row["test_list"])
    ]
    assert not any("\r" in text for text in texts)
    assert sum(bool(row["test_setup_code"]) for listed in found.values() for row in listed) == 2


def test_the_prompt_may_leave_out_the_tests(tmp_path: Path) -> None:
    (tmp_path / "mbpp.jsonl").write_text(json.dumps(ROW))
    (row,) = rows("test", path=str(tmp_path), prompt="Task: {question}")
    assert row["prompt"] == "Task: Say 1."
    assert row["solution"] == "def f():\n\treturn 1"
    assert list(rows("train", path=str(tmp_path))) == []


@pytest.mark.parametrize(
    ("code", "test", "name"),
    [
        ("def g(): ...\ndef f(x): ...", "assert f(1) == 2", "f"),
        ("def f(x): ...", "assert set(f(1)) == {2}", "f"),
        ("f = lambda x: x", "assert (f(1)) == 2", "f"),
        ("class Node: ...\ndef f(x): ...", "root = Node(1)\nassert f(root)", "Node"),
    ],
)
def test_the_function_that_is_asked_for(code: str, test: str, name: str) -> None:
    assert find_entry_point(code, [test]) == name


def test_tests_that_call_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="call nothing that the solution defines"):
        find_entry_point("def f(): ...", ["assert g()"])


@pytest.mark.parametrize(
    "change", [{"task_id": "11"}, {"text": None}, {"code": None}, {"test_list": []}], ids=str
)
def test_other_data_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "mbpp.jsonl").write_text(json.dumps({**ROW, **change}))
    with pytest.raises(DataError, match="mbpp: row 0 has the columns"):
        list(rows("test", path=str(tmp_path)))


def test_a_prompt_without_a_place_for_the_question_is_refused() -> None:
    with pytest.raises(OptionError, match=r"mbpp: the prompt has no \{question\}"):
        list(rows("test", prompt="Write it."))
