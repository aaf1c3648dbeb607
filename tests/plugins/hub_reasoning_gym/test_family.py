"""The benchmarks `reasoning-gym/NAME`."""

import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy
import pytest

import hub
from hub.errors import OptionError, UnknownName
from hub.evaluation.overlap import check_overlap
from hub.evaluation.plan import find_benchmark, make_plan, read_rows
from hub.evaluation.run import evaluate
from hub.generator import Completion
from hub.testing import BenchmarkSuite
from hub_reasoning_gym.dataset import apart
from hub_reasoning_gym.entry import read_entry
from hub_reasoning_gym.names import names
from hub_reasoning_gym.verify import ReasoningGym

pytest.importorskip("reasoning_gym", reason="needs reasoning-gym")

NO_REFERENCE = {"boxnet", "graph_color", "propositional_logic", "rubiks_cube", "rush_hour"}
"""The package gives no answer to these."""
SLOW = {"knight_swap": 1, "quantum_lock": 2, "sokoban": 2, "zebra_puzzles": 2, "puzzle24": 2, "sudoku": 2}
"""Tasks of which a row takes long to make, and how many are made here."""


class TestChainSum(BenchmarkSuite):
    benchmark = "reasoning-gym/chain_sum"

    def solve(self, row: dict[str, Any]) -> str | None:
        return f"We add.\n<answer>{row['answer']}</answer>"


class TestHarder(BenchmarkSuite):
    benchmark = "reasoning-gym/spell_backward"
    options = {"size": 8, "seed": 7, "level": 1, "config": {"min_word_len": 4}}

    def solve(self, row: dict[str, Any]) -> str | None:
        return f"<answer>{row['answer']}</answer>"


def test_the_names_are_the_packages() -> None:
    from reasoning_gym.factory import DATASETS

    assert names() == sorted(set(DATASETS) - {"composite"})


def test_listing_them_does_not_import_the_package() -> None:
    code = (
        "import sys, hub\n"
        "from hub_reasoning_gym.names import names\n"
        "[hub.load().benchmarks['reasoning-gym/' + name] for name in names()]\n"
        "assert not {'reasoning_gym', 'sympy', 'numpy'} & set(sys.modules), 'heavy'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def rows_of(task: str, split: str, **options: Any) -> list[dict[str, Any]]:
    size = SLOW.get(task, 3)
    return list(find_benchmark(f"reasoning-gym/{task}").rows(split, size=size, **options))  # type: ignore[operator]


@pytest.mark.parametrize("task", names())
def test_each_task(task: str) -> None:
    """The package's own rows, the same each time; its references earn the full score, other answers less."""
    import reasoning_gym

    before = random.getstate(), numpy.random.get_state()[1].tolist()  # type: ignore[index]
    test = rows_of(task, "test", seed=3)
    assert (random.getstate(), numpy.random.get_state()[1].tolist()) == before  # type: ignore[index]
    if task not in SLOW:
        assert rows_of(task, "test", seed=3) == test
    if task != "list_functions":  # which draws from the global random state
        with apart():
            theirs = reasoning_gym.create_dataset(task, seed=3, size=len(test))
        for number, row in enumerate(test):
            with apart():
                entry = theirs[number]
            assert entry["question"] in row["prompt"]
            assert (entry["answer"] or "") == row["answer"]
    reward = ReasoningGym()
    for row in test:
        assert read_entry(row["entry"])["metadata"]["source_dataset"] == task
        none, empty = (reward(hub.Sample("", text, row)) for text in ("It is 7.", "<answer></answer>"))
        assert (none.value, none.reason) == (0.0, "no_answer")
        assert empty.value is not None
        assert 0 <= empty.value < 1
        if row["answer"] and "Integral" not in row["answer"]:
            assert reward(hub.Sample("", f"<answer>{row['answer']}</answer>", row)).value == 1.0
    assert all(bool(row["answer"]) == (task not in NO_REFERENCE) for row in test)


@pytest.mark.parametrize("task", [name for name in names() if name not in SLOW])
def test_what_is_trained_on_is_not_tested_on(task: str) -> None:
    benchmark = find_benchmark(f"reasoning-gym/{task}")
    options = {"size": 10}
    train = read_rows(benchmark, "train", options)
    assert len(train) == 10
    check_overlap(benchmark, options, train)


def rows(name: str, split: str, options: dict[str, Any]) -> list[dict[str, Any]]:
    return read_rows(find_benchmark(name), split, options)


def test_a_task_with_too_few_questions_is_refused() -> None:
    config = {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1}
    with pytest.raises(OptionError, match=r"chain_sum has too few questions: of 20000 only .*: lower size"):
        rows("reasoning-gym/chain_sum", "train", {"size": 1000, "config": config})


def test_levels_are_harder() -> None:
    easy, hard = (rows("reasoning-gym/chain_sum", "test", {"size": 20, "level": level}) for level in (0, 4))
    assert sum(len(row["prompt"]) for row in easy) < sum(len(row["prompt"]) for row in hard)


def test_the_verifier_has_the_rows_configuration(engine: hub.Engine) -> None:
    """`decimal_arithmetic` takes what is as close as the configuration says."""
    name = "reasoning-gym/decimal_arithmetic"
    reward = hub.find_reward("reasoning-gym").bind()
    values = []
    for places in (1, 8):
        config = {"min_num_decimal_places": places, "max_num_decimal_places": places, "precision": 16}
        (row,) = islice(rows(name, "test", {"size": 1, "config": config}), 1)
        answer = f"<answer>{float(row['answer']) + 0.05}</answer>"
        values += [score.value for score in engine.score(reward, [hub.Sample("", answer, row)])]
    assert values == [1.0, 0.0]


BAD: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("no such task", {"name": "chain_sums"}, UnknownName, "task of reasoning-gym 'chain_sums'.*chain_sum"),
    ("composite is not one", {"name": "composite"}, UnknownName, "composite"),
    ("no such option", {"level_": 1}, OptionError, "no option 'level_'"),
    ("no rows", {"size": 0}, OptionError, "size is at least 1"),
    ("a seed below 0", {"seed": -1}, OptionError, "seed 0 to 4294967295, not 50 and -1"),
    ("a level too high", {"level": 99}, OptionError, "its levels are 0 to .*, not 99"),
    ("no curriculum", {"name": "acre", "level": 0}, OptionError, "acre has no curriculum"),
    ("no such field", {"config": {"max_term": 3}}, OptionError, "no 'max_term'.*max_terms"),
    ("seed twice", {"config": {"seed": 3}}, OptionError, "configuration has no 'seed'"),
    ("a field out of range", {"config": {"max_terms": 1}}, OptionError, "'max_terms': 1.* will not do"),
    ("a prompt without a question", {"prompt": "x"}, OptionError, "no {question} in it"),
]


@pytest.mark.parametrize(
    ("options", "error", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_options_are_one_clear_error(options: dict[str, Any], error: type[Exception], words: str) -> None:
    options = dict(options)
    name = options.pop("name", "chain_sum")
    with pytest.raises(error, match=words):
        rows(f"reasoning-gym/{name}", "test", options)


class Says:
    """A generator that says one thing."""

    def generate(self, prompts: Any, decoding: Any) -> Iterator[Completion]:
        for index, _ in enumerate(prompts):
            yield Completion(index, "<answer>Every one is 3</answer>" if index else "<answer>{}</answer>")

    def describe(self) -> dict[str, Any]:
        return {"generator": "says"}

    def close(self) -> None:
        pass


def test_the_full_scores_are_counted(tmp_path: Any) -> None:
    plan = make_plan("reasoning-gym/fraction_simplification", options={"size": 4})
    result = evaluate(plan, Says(), tmp_path / "run")
    assert result["benchmark"]["sources"] == [{"package": "reasoning-gym", "version": "0.1.25"}]
    scores = result["scores"]
    assert scores["total"]["mean"] == pytest.approx(0.01)
    assert scores["metrics"] == {"solved": 0.0}
