"""The benchmark `gsm8k`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DataError, OptionError
from hub.testing import BenchmarkSuite
from hub_benchmarks.gsm8k import find_answer, rows

ROW = {"question": "2+2?", "answer": "It is 2+2 = <<2+2=4>>4.\n#### 1,004"}


class TestGsm8k(BenchmarkSuite):
    benchmark = "gsm8k"

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def folder(cls, shared_data: Path) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
            yield

    def solve(self, row: dict[str, Any]) -> str | None:
        return f"So it is $\\boxed{{{row['answer']}}}$."


def test_all_rows_are_there(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    found = {split: list(rows(split)) for split in ("train", "test")}
    assert {split: len(listed) for split, listed in found.items()} == {"train": 7473, "test": 1319}
    assert all(re.fullmatch(r"-?\d+(\.\d+)?", row["answer"]) for listed in found.values() for row in listed)
    assert found["test"][0]["answer"] == "18"
    assert found["test"][0]["prompt"].endswith(
        "\n\nReason step by step, and put your final answer in \\boxed{}."
    )
    assert found["test"][0]["solution"].endswith("#### 18")


def test_data_is_taken_from_the_path_then_from_hub_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, question in (("mine", "mine?"), ("data/gsm8k", "data?")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "test.jsonl").write_text(json.dumps({**ROW, "question": question}))
    monkeypatch.setenv("HUB_DATA", str(tmp_path / "data"))
    for path, question in (
        (None, "data?"),
        (str(tmp_path / "mine"), "mine?"),
        (str(tmp_path / "mine/test.jsonl"), "mine?"),
    ):
        [row] = rows("test", path=path, prompt="Q: {question}")
        assert row["prompt"] == f"Q: {question}"
        assert row["answer"] == "1004"


ANSWERS = [
    ("a number", "x\n#### 18", "18"),
    ("thousands", "x\n#### 1,234,567", "1234567"),
    ("spaces and a negative number", "x ####  -5 ", "-5"),
    ("a mark before", "#### 1\n#### 2", "2"),
]


@pytest.mark.parametrize(
    ("solution", "answer"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
def test_the_answer_is_the_number_after_the_mark(solution: str, answer: str) -> None:
    assert find_answer(solution) == answer


BAD: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    (
        "no data anywhere",
        {},
        DataError,
        "HUB_DATA is not set, and 'openai/gsm8k' cannot be fetched.*HUB_DATA.*gsm8k.path=FILE",
    ),
    (
        "a folder without it",
        {"env": "."},
        DataError,
        "there is no .*gsm8k/test.jsonl, and 'openai/gsm8k' cannot be fetched",
    ),
    ("no such path", {"path": "nowhere.jsonl"}, DataError, "no file 'nowhere.jsonl'"),
    (
        "other columns",
        {"content": {"q": "2+2?"}},
        DataError,
        "row 0 has the columns q, not question and answer",
    ),
    ("no mark", {"content": {**ROW, "answer": "4"}}, DataError, "no answer after '####': '4' .row 0."),
    (
        "no text",
        {"content": {"question": None, "answer": 5}},
        DataError,
        "row 0 should be texts, and are None and 5",
    ),
    ("nothing after the mark", {"content": {**ROW, "answer": "4 #### "}}, DataError, "no answer after"),
    ("a prompt without a question", {"prompt": "Solve."}, OptionError, "no {question} in it"),
]


@pytest.mark.parametrize(
    ("keys", "error", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_data_is_one_clear_error(
    keys: dict[str, Any], error: type[Exception], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = dict(keys)
    monkeypatch.delenv("HUB_DATA", raising=False)
    if "env" in keys:
        monkeypatch.setenv("HUB_DATA", str(tmp_path / keys.pop("env")))
    if "content" in keys:
        keys["path"] = str(tmp_path / "data.jsonl")
        (tmp_path / "data.jsonl").write_text(json.dumps(keys.pop("content")))
    with pytest.raises(error, match=words):
        list(rows("test", **keys))
