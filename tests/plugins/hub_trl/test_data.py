"""The rows that a recipe trains on, from every kind of source."""

import json
from pathlib import Path
from typing import Any

import pytest

from hub.errors import ConfigError, DataError
from hub_trl.batch import ABSENT
from hub_trl.data import digest, read_rows, training_data, written_for
from hub_trl.recipe import read_recipe

ROWS = [{"question": "1+1", "answer": "2"}, {"question": "2+2", "answer": "4"}]
SOLVED = [{**row, "prompt": f"Q: {row['question']}"} for row in ROWS]


def rows_of(folder: Path, data: str, algorithm: str = "grpo") -> list[dict[str, Any]]:
    reward = f'[[reward]]\nuse = "{Path(__file__).with_name("rewards.py")}:raises"\n'
    (folder / "recipe.toml").write_text(
        f'[model]\npath = "x"\n[data]\n{data}\n{"" if algorithm == "sft" else reward}'
        f'[trainer]\nalgorithm = "{algorithm}"\noutput = "out"\n'
    )
    return read_rows(read_recipe(folder / "recipe.toml"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    from pyarrow import Table, parquet

    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    (tmp_path / "rows.csv").write_text("question,answer\n1+1,2\n2+2,4\n")
    parquet.write_table(Table.from_pylist(ROWS), tmp_path / "rows.parquet")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "train.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    return tmp_path


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv", "rows.parquet"])
def test_files(files: Path, name: str) -> None:
    assert rows_of(files, f'file = "{name}"\nprompt = "Q: {{question}}"') == SOLVED


def test_data_sets(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(files / "cache"))
    data = 'dataset = "folder"\nprompt = "Q: {question}"\nlimit = 1'
    assert rows_of(files, data) == SOLVED[:1]
    with pytest.raises(DataError, match="data set 'nobody/nothing' cannot be loaded"):
        rows_of(files, 'dataset = "nobody/nothing"')


def test_benchmarks(tmp_path: Path) -> None:
    data = 'benchmark = "arithmetic"\noptions = { operations = "+", rows = 5, examples = 0 }\nlimit = 3'
    rows = rows_of(tmp_path, data)
    assert len(rows) == 3
    assert all("Put the answer in" in row["prompt"] for row in rows)
    for wrong, message in (
        (
            'options = { colour = "red" }',
            r"recipe.toml:5: data.options: arithmetic: got an unexpected keyword",
        ),
        ("options = { rows = 100000 }", r"recipe.toml:5: data.options: .*only"),
        ('split = "test"', r'recipe.toml:5: data.split: only a split "train" can be trained on'),
    ):
        with pytest.raises(ConfigError, match=message):
            rows_of(tmp_path, f'benchmark = "arithmetic"\n{wrong}')


USER = {"role": "user", "content": "1+1"}
SYSTEM = {"role": "system", "content": "Be brief."}
FORMS: list[tuple[Any, bool, str | None, Any]] = [
    # a prompt, whether the model takes messages, a system message, what it is given
    ("1+1", False, None, "1+1"),
    ("1+1", True, None, [USER]),
    ([USER], True, None, [USER]),
    ([USER], False, None, "1+1"),
    ("1+1", True, "Be brief.", [SYSTEM, USER]),
    ("1+1", False, "Be brief.", "Be brief.\n\n1+1"),
    ([SYSTEM, USER], True, "Another.", [SYSTEM, USER]),
    ([SYSTEM, USER], False, None, "Be brief.\n\n1+1"),
]


@pytest.mark.parametrize(("prompt", "chat", "system", "given"), FORMS)
def test_forms_of_prompts(prompt: Any, chat: bool, system: str | None, given: Any) -> None:
    row = {"prompt": prompt, "completion": "2", "answer": "2"}
    (converted,) = written_for([row], chat, system)
    completion = [{"role": "assistant", "content": "2"}] if chat else "2"
    assert converted == {"prompt": given, "completion": completion, "answer": "2"}
    assert written_for([{"text": "a"}, {"messages": [USER]}], chat, system) == [
        {"text": "a"},
        {"messages": [USER]},
    ]


def test_braces_in_templates(files: Path) -> None:
    data = "file = \"rows.jsonl\"\nprompt = '{question} \\boxed{{}}'"
    assert rows_of(files, data)[0]["prompt"] == "1+1 \\boxed{}"


def test_rewards_are_given_the_objects_of_the_rows(tmp_path: Path) -> None:
    """A table would make every cell of a column the same type, and fill in what is missing."""
    rows: list[dict[str, Any]] = [
        {"prompt": "a", "answer": 2, "arguments": {"n": 1}},
        {"prompt": "b", "answer": "2", "arguments": {"words": ["x", 1]}, "more": None},
    ]
    data = training_data(rows, "grpo")
    assert len(data) == 2
    assert data[0] == {**rows[0], "more": ABSENT}
    assert data[1] == rows[1]
    assert data[0]["more"] is ABSENT


def test_examples_keep_only_their_columns() -> None:
    rows: list[dict[str, Any]] = [
        {"prompt": "a", "completion": "b", "extra": 1},
        {"prompt": "c", "completion": "d", "extra": "two"},
    ]
    assert training_data(rows, "sft").to_list() == [
        {"prompt": "a", "completion": "b"},
        {"prompt": "c", "completion": "d"},
    ]


WRONG_ROWS = [
    # algorithm, rows, message
    (
        "grpo",
        [{"prompt": "a"}, {"prompt": [{"role": "user", "content": "b"}]}],
        "row 2 is a list of messages",
    ),
    ("grpo", [{"prompt": 3}], "the prompt of row 1 is int"),
    ("grpo", [{"prompt": "a"}, {"question": "b"}], "row 2 has no column 'prompt'"),
    (
        "sft",
        [{"prompt": "a"}],
        "row 1 is no example for SFT: it needs prompt and completion, or messages, or",
    ),
    (
        "sft",
        [{"text": "a"}, {"prompt": "a", "completion": "b"}],
        "row 2 is no example for SFT: it needs text",
    ),
    (
        "sft",
        [{"prompt": "a", "completion": None}],
        "row 1 is no example for SFT: it needs prompt and completion",
    ),
]


@pytest.mark.parametrize(("algorithm", "rows", "message"), WRONG_ROWS)
def test_unusable_rows(tmp_path: Path, algorithm: str, rows: list[dict[str, Any]], message: str) -> None:
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    with pytest.raises(DataError, match=r"rows\.json: ") as found:
        rows_of(tmp_path, 'file = "rows.json"', algorithm)
    assert message in str(found.value)


def test_the_digest_is_of_the_content() -> None:
    assert digest([{"a": 1, "b": 2}]) == digest([{"b": 2, "a": 1}])
    assert digest([{"a": 1}]) != digest([{"a": "1"}])
    assert digest([{"a": 1}, {"b": 2}]) != digest([{"b": 2}, {"a": 1}])
