"""Training on what is tested on is refused."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import hub
from hub.errors import DataError
from hub.evaluation.overlap import check_overlap
from hub.evaluation.plan import find_benchmark, read_rows

BENCHMARK = """
import hub
from hub.errors import DataError

SPLITS = {splits!r}


def rows(split, path="usual", shift=0):
    if path == "nothing" or (path == "usual" and split not in SPLITS):
        raise DataError("there is no data")
    listed = ["A b?", "c?", "d?"] if path.endswith(".jsonl") else SPLITS[split]
    for number, question in enumerate(listed):
        yield {{"id": f"{{split}}-{{number}}", "prompt": question, "answer": ""}}


bench = hub.Benchmark("bench", {module!r} + ":rows", {{"math": 1.0}}, "A benchmark.", splits=("test", "train"))
"""

CHAT = [{"role": "user", "content": "an example"}, {"role": "user", "content": "x?"}]

CASES: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    ("nothing in common", {"train": ["a?"], "test": ["b?"]}, {}, None),
    ("a question in common", {"train": ["a?", "b?"], "test": ["b?", "c?"]}, {}, "'train-1' is 'test-0'"),
    ("other spaces and case", {"train": ["What  is\nA?"], "test": ["what is a?"]}, {}, "1 rows"),
    ("the last message of a chat", {"train": [CHAT], "test": ["x?"]}, {}, "1 rows"),
    ("the same examples, other questions", {"train": [CHAT], "test": [[CHAT[0]]]}, {}, None),
    ("all of it", {"train": ["a?", "b?"], "test": ["b?", "a?"]}, {}, "2 rows"),
    ("one file for every split, new", {"test": ["z?"]}, {"path": "mine.jsonl"}, None),
    ("one file for every split, with a test row", {"test": ["a b?"]}, {"path": "mine.jsonl"}, "1 rows"),
    ("an option that says nothing of where", {"train": ["a?"], "test": ["a?"]}, {"shift": 1}, "1 rows"),
]


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    def make(splits: dict[str, Any]) -> hub.Benchmark:
        module = f"bench_{uuid4().hex}"
        (tmp_path / f"{module}.py").write_text(BENCHMARK.format(splits=splits, module=module))
        return find_benchmark(f"{tmp_path / module}.py:bench")

    return make


@pytest.mark.parametrize(("splits", "options", "words"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_questions_in_common_are_refused(
    splits: dict[str, Any],
    options: dict[str, Any],
    words: str | None,
    bench: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    benchmark = bench(splits)
    rows = read_rows(benchmark, "train", options)
    if words is None:
        check_overlap(benchmark, options, rows)
    else:
        with pytest.raises(DataError, match=f"{words}.*cannot be evaluated on 'test'"):
            check_overlap(benchmark, options, rows)
    assert not caplog.records


def test_a_split_that_is_not_here_is_a_warning(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    benchmark = bench({"train": ["a?"]})
    with caplog.at_level(logging.WARNING, "hub"):
        check_overlap(benchmark, {}, read_rows(benchmark, "train", {}))
    assert ["its split 'test' is not here" in record.message for record in caplog.records] == [True]


@pytest.fixture
def folder(shared_data: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
        yield


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["arithmetic", "gsm8k", "mbpp"])
def test_the_benchmarks_that_can_be_trained_on_have_nothing_in_common(name: str) -> None:
    benchmark = find_benchmark(name)
    check_overlap(benchmark, {}, read_rows(benchmark, "train", {}))


@pytest.mark.usefixtures("folder")
def test_a_test_row_among_those_to_train_on_is_found() -> None:
    benchmark = find_benchmark("gsm8k")
    rows = [*read_rows(benchmark, "train", {})[:5], read_rows(benchmark, "test", {})[7]]
    with pytest.raises(DataError, match="'test-7' is 'test-7'"):
        check_overlap(benchmark, {}, rows)
