"""Answers from a file: which forms are read, and what is said of those that cannot be used."""

import json
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import DataError
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import read_run
from hub.open import open_generator
from hub_chat_evals.answers import StoredAnswers

TALK = [
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "whatever"},
    {"role": "user", "content": "two"},
]
ROWS: list[dict[str, Any]] = [
    {"prompt": "Hi", "completion": "Hello."},
    {"prompt": TALK, "completion": [{"role": "assistant", "content": "Two."}]},
    {"prompt": [{"role": "user", "content": "one"}], "completion": "One."},
]


def write(file: Path, rows: list[dict[str, Any]]) -> str:
    file.write_text("\n".join(map(json.dumps, rows)) if file.suffix == ".jsonl" else json.dumps(rows))
    return str(file)


def test_prompts_are_known_by_what_the_user_says(tmp_path: Path) -> None:
    given = open_generator(write(tmp_path / "x.jsonl", ROWS))
    assert isinstance(given, StoredAnswers)
    system = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    asked: list[Any] = [TALK, "one", system]
    found = {one.index: one.text for one in given.generate(asked, hub.Decoding())}
    assert found == {0: "Two.", 1: "One.", 2: "Hello."}
    assert given.describe()["model"] == "x.jsonl"


def test_one_prompt_without_an_answer_costs_no_other(tmp_path: Path) -> None:
    given = StoredAnswers(write(tmp_path / "x.json", [{"instruction": "a", "output": "b", "generator": "g"}]))
    assert given.describe()["model"] == "g"
    missing, found = given.generate(["?", "a"], hub.Decoding())
    assert found == hub.Completion(1, "b")
    assert (missing.index, missing.refused) == (0, f"{tmp_path / 'x.json'} has no answer to '?'")


def test_what_a_run_has_no_completion_of_has_no_answer(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"prompt": "a", "completion": None}, {"prompt": "b", "completion": "x"}]
    given = StoredAnswers(write(tmp_path / "samples.jsonl", rows))
    assert [one.text for one in given.generate(["a", "b"], hub.Decoding())] == ["", "x"]


def test_fastchats_answers_and_an_earlier_run(
    data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    """GPT-4's own answers, where it has any, and then the samples of that run, give the same scores."""
    judge()
    rows = [json.loads(line) for line in (data / "mt_bench" / "gpt-4.jsonl").read_text().splitlines()]
    ids = {f"{row['question_id']}/{turn}" for row in rows for turn in (1, 2)}
    full = make_plan("mt-bench", options={"controls": 0})
    bench = hub.Benchmark(
        "some", lambda split: [row for row in full.rows if row["id"] in ids], full.benchmark.rewards, ""
    )
    first = open_generator(str(data / "mt_bench" / "gpt-4.jsonl"))
    assert first.describe()["model"] == "gpt-4"
    evaluate(make_plan(bench), first, tmp_path / "first", engine=engine)
    answers = {line["id"]: line["completion"] for line in read_run(tmp_path / "first").samples.values()}
    assert answers == {
        f"{row['question_id']}/{t + 1}": row["choices"][0]["turns"][t] for row in rows for t in (0, 1)
    }
    again = open_generator(str(tmp_path / "first" / "samples.jsonl"))
    evaluate(make_plan(bench), again, tmp_path / "again", engine=engine)
    assert (tmp_path / "again" / "samples.jsonl").read_text() == (
        tmp_path / "first" / "samples.jsonl"
    ).read_text()


BAD = {
    "nothing of use": ([{"question": "a"}], "row 1 has neither instruction and output nor prompt and completion"),
    "two answers": ([{"prompt": "a", "completion": "b"}, {"prompt": "a", "completion": "c"}], "has two answers to 'a'"),
    "no rows": ([], "has no rows"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_used_is_refused(case: str, tmp_path: Path) -> None:
    rows, message = BAD[case]
    with pytest.raises(DataError, match=message):
        StoredAnswers(write(tmp_path / "x.jsonl", rows))
