"""Runs made by models that answer as they are told, and boards to rank them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.mix.config import Source
from hub_leaderboard.board import Board, parse_board

MakeRun = Callable[..., Path]

BENCHMARK = """
import hub

def rows(split, count=40, first=0):
    for n in range(first, first + count):
        kind = "odd" if n % 2 else "even"
        yield {"id": f"q{n}", "prompt": f"{n}", "answer": str(n), "kind": kind}

@hub.reward(needs=["answer"], lane="inline")
def right(sample):
    if sample.text.startswith("break"):
        raise RuntimeError("the disk | is <full>")
    try:
        value = float(sample.text.startswith(sample["answer"] + "!"))
    except ValueError:
        value = 0.0
    return hub.Score(value, info={"answer": sample.text[:40]})

@hub.reward(needs=[], lane="inline")
def length(sample):
    return float(len(sample.text))

@hub.reward(needs=["answer"], lane="inline")
def shy(sample):
    return right(sample) if int(sample["answer"]) % 2 else None

def make(name, **more):
    mix = {"reward": [{"use": __file__ + ":right"}]}
    return hub.Benchmark(name, rows, mix, "Numbers.", category="kind", **more)

many = make("many")
half = hub.Benchmark("half", rows, {"reward": [{"use": __file__ + ":shy"}]}, "Half of the numbers.")
def lengths(lines):
    values = [len(line["completion"]) for line in lines]
    return {"mean length": sum(values) / len(values)}

own = make("own", metrics=lengths)

def talk(split):
    for row in rows(split, 4):
        number = row.pop("prompt")
        system = {"role": "system", "content": "Say <b>it</b>."}
        yield {**row, "prompt": [system, {"role": "user", "content": number}], "ratio": float(number)}

chat = hub.Benchmark("chat", talk, {"reward": [{"use": __file__ + ":right"}]}, "Messages.",
    decoding=hub.Decoding(temperature=1.0))
few = make("few", decoding=hub.Decoding(temperature=1.0))
rates = {"reward": [{"use": __file__ + ":right"}, {"use": __file__ + ":length"}]}
headed = hub.Benchmark("headed", rows, rates, "Two rates.", category="kind", headline=("right", "length"),
    lower_is_better=("length",))
long = hub.Benchmark("long", rows, {"reward": [{"use": __file__ + ":length"}]}, "Length.")
"""


class Says:
    """A generator that answers what a function of the row's number and the seed says."""

    def __init__(self, name: str, answer: Callable[[int, int], str], **known: Any) -> None:
        self.name, self.answer, self.known = name, answer, known

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index, prompt in enumerate(prompts):
            text = self.answer(int(hub.Sample(prompt).prompt_text.split()[-1]), decoding.seed)
            yield hub.Completion(index, text, "length" if index == 1 else "stop", len(text))

    def describe(self) -> Mapping[str, Any]:
        weights = self.name.encode().hex().ljust(64, "0")[:64]
        return {"generator": "says", "folder": f"/home/me/{self.name}", "weights": weights, **self.known}

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def benchmark_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("benchmark") / "numbers.py"
    file.write_text(BENCHMARK)
    return file


@pytest.fixture(scope="session")
def session_engine() -> Iterator[hub.Engine]:
    with hub.Engine(1) as engine:
        yield engine


@pytest.fixture(scope="session")
def make_run(benchmark_file: Path, session_engine: hub.Engine) -> MakeRun:
    """Makes a run's folder: which rows the model gets right, or what it says."""

    def make(
        folder: Path,
        model: str,
        right: Callable[[int], bool] | None = None,
        *,
        on: str = "many",
        says: Callable[[int, int], str] | None = None,
        known: Mapping[str, Any] | None = None,
        **plan: Any,
    ) -> Path:
        chosen = right or (lambda n: True)
        answer = says or (lambda n, seed: f"{n}!" if chosen(n) else "wrong")
        made = make_plan(f"{benchmark_file}:{on}", **plan)
        evaluate(made, Says(model, answer, **(known or {})), folder, engine=session_engine)
        return folder

    return make


MakeBoard = Callable[..., Board]


@pytest.fixture(scope="session")
def make_board() -> MakeBoard:
    """Makes a board of its benchmarks' tables."""

    def make(*entries: Mapping[str, Any], **more: Any) -> Board:
        return parse_board(
            {"title": "A board", "benchmark": [*map(dict, entries)], **more}, Source(), "board"
        )

    return make
