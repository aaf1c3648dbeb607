"""Tasks that are read in a process of their own have the same rows, numbers and errors."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.errors import DataError, HubError, OptionError
from hub.generator import Decoding
from hub_lm_eval import tasks
from hub_lm_eval.task_process import TaskProcess

TASK = """
task: own_process
dataset_path: json
dataset_kwargs: {data_files: {test: DOCS, train: DOCS}}
test_split: test
training_split: train
fewshot_split: train
num_fewshot: 1
output_type: generate_until
doc_to_text: !function own.prompt
doc_to_target: "{{a}}"
generation_kwargs: {until: ["."], max_gen_toks: 9, do_sample: false}
metric_list:
  - {metric: exact_match, aggregation: !function own.largest, higher_is_better: true}
"""
OWN = """
import random

def prompt(doc):
    print("not an answer")
    return doc["q"] + str(random.random())

def largest(items):
    return max(items)
"""
DECODING = Decoding(9, stop=(".",), chat_template=False)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own process")
    docs = [{"q": f"{number} + 1?", "a": str(number + 1)} for number in range(4)]
    (folder / "docs.jsonl").write_text("".join(json.dumps(doc) + "\n" for doc in docs))
    (folder / "own.py").write_text(OWN)
    (folder / "task.yaml").write_text(TASK.replace("DOCS", str(folder / "docs.jsonl")))
    return folder / "task.yaml"


@pytest.fixture(scope="module")
def process() -> Iterator[TaskProcess]:
    made = TaskProcess()
    yield made
    if made._process is not None:
        made._process.communicate()
        assert made._process.returncode == 0, "it ends with who asks"


def test_it_gives_the_same(path: Path, process: TaskProcess) -> None:
    options = (path, DECODING, 1, False, "Answer.")
    assert process.rows(*options) == list(tasks.rows_of(*options))
    values = {"exact_match,none": [0.0, 1.0, 0.5], "other": [1.0, 3.0]}
    assert process.aggregate(path, values) == {"exact_match,none": 1.0, "other": 2.0}


def test_its_errors_are_raised_here(path: Path, process: TaskProcess, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="num_fewshot is at least 0, not -1"):
        process.rows(path, DECODING, -1, False, None)
    (tmp_path / "task.yaml").write_text(TASK.replace("DOCS", str(tmp_path / "none.jsonl")))
    (tmp_path / "own.py").write_text(OWN)
    with pytest.raises(Exception, match=r"none\.jsonl") as raised:
        process.rows(tmp_path / "task.yaml", DECODING, None, False, None)
    assert not isinstance(raised.value, HubError)


def test_one_that_ended_is_told_and_begun_again(path: Path, process: TaskProcess, tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(path.read_text())
    (tmp_path / "own.py").write_text(OWN.replace("import random", "import os, random\nos._exit(3)"))
    with pytest.raises(DataError, match=r"ended \(exit code 3\)"):
        process.rows(tmp_path / "task.yaml", DECODING, None, False, None)
    assert process.aggregate(path, {"exact_match,none": [0.5]}) == {"exact_match,none": 0.5}
