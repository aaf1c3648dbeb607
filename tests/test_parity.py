"""One number everywhere: the same rows and completions through every way that a mix is used.

Python, the command `hub score`, the functions that TRL calls and `hub eval` give bit-identical values, and
leave the same ones out. (tests/plugins/hub_trl/test_trainers.py runs the trainers themselves.)
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import hub
import hub_trl
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate

REWARDS = '''
import hub

@hub.reward(needs=["answer"])
def touchy(sample: hub.Sample) -> float | None:
    """Raises, abstains or gives a value that no short decimal equals."""
    if "raise" in sample.text:
        raise ValueError("it was asked for")
    return None if "abstain" in sample.text else len(sample.text) / 7

@hub.reward(needs=[])
async def patient(sample: hub.Sample) -> float:
    """A coroutine."""
    return 1 / (3 + len(sample.text))
'''

MIX = """
[[reward]]
use = "math"
when = { task = "math" }

[[reward]]
use = "think-format"
weight = 0.2

[[reward]]
use = "rewards.py:touchy"
weight = 0.1

[[reward]]
use = "rewards.py:patient"
weight = 0.3
gate = "think-format >= 1"
"""

BENCHMARK = """
import json
from pathlib import Path

import hub

def rows(split: str):
    for line in Path(__file__).with_name("data.jsonl").read_text().splitlines():
        row = json.loads(line)
        del row["completion"]
        yield row

benchmark = hub.Benchmark("parity", "parity_rows:rows", {"math": 1.0}, "The rows of this test.")
"""

COMPLETIONS = [
    "It is \\boxed{7}.",
    "\\boxed{\\frac{14}{2}}",
    "\\boxed{8}",
    "7",
    "",
    "\\boxed{9^{9^{9^{9}}}}",
    "\\boxed{" * 2000,
    "\\boxed{123456789!}",
    "<think>4 + 3</think>The answer is \\boxed{7.0}",
    "<think>never closed \\boxed{7}",
    "<think></think>",
    "<think>a</think><think>b</think>\\boxed{7}",
    "<think>a</think>please raise",
    "raise \\boxed{7}",
    "<think>a</think>I abstain",
    "\ud800 NUL \x00 \u0664 \\boxed{7}",
    "The answer is " + "9" * 5000,
    "<think>\u00e9\n</think>\r\n\\boxed{ 7 }",
    "\\boxed{x+y}",
    "raise and abstain",
]

Values = dict[str, list[str | None]]
"""By reward, and "total": the value on each row, written so that equal text is an equal bit pattern."""


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Sixty rows: each completion for a number, a fraction, and a row that is not for the reward `math`."""
    kinds = (("math", "7"), ("math", "\\frac{21}{3}"), ("talk", "7"))
    return [
        {"id": f"{kind}-{n}", "task": task, "prompt": f"{kind}.{n}?", "answer": answer, "completion": text}
        for kind, (task, answer) in enumerate(kinds)
        for n, text in enumerate(COMPLETIONS)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> Path:
    folder = tmp_path_factory.mktemp("parity")
    (folder / "rewards.py").write_text(REWARDS)
    (folder / "mix.toml").write_text(MIX)
    (folder / "parity_rows.py").write_text(BENCHMARK)
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def engine() -> Iterator[hub.Engine]:
    with hub.Engine(2) as engine:
        yield engine


@pytest.fixture(scope="module")
def in_python(folder: Path, rows: list[dict[str, Any]], engine: hub.Engine) -> Values:
    mix = hub.Mix.load(folder / "mix.toml")
    samples = [hub.Sample(row["prompt"], row["completion"], row) for row in rows]
    results = mix.score(samples, engine=engine)
    values = {name: [exact(result.scores[name].value) for result in results] for name in mix.names}
    return values | {"total": [exact(result.value) for result in results]}


def exact(value: float | None) -> str | None:
    return None if value is None else float(value).hex()


def by_name(results: Sequence[tuple[Any, Mapping[str, Any]]]) -> Values:
    """The values of results as JSON: (total, scores by reward)."""
    values = {name: [exact(scores[name]["value"]) for _, scores in results] for name in results[0][1]}
    return values | {"total": [exact(total) for total, _ in results]}


def test_the_rows_tell_the_ways_apart(in_python: Values) -> None:
    assert len(in_python["total"]) == 60
    for name, values in in_python.items():
        assert len(set(values)) > 1, f"{name} has one value only"
    missing = {name: values.count(None) for name, values in in_python.items()}
    assert missing == {"math": 20, "think-format": 0, "touchy": 12, "patient": 0, "total": 9}


def test_hub_score(in_python: Values, folder: Path) -> None:
    hub_command = str(Path(sys.executable).with_name("hub"))
    command = [
        hub_command,
        "score",
        "--mix",
        "mix.toml",
        "data.jsonl",
        "-o",
        "scores.jsonl",
        "--workers",
        "2",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr  # a reward failed
    lines = [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()]
    assert by_name([(line["score"], line["scores"]) for line in lines]) == in_python


def test_the_functions_for_trl(
    in_python: Values, folder: Path, rows: list[dict[str, Any]], engine: hub.Engine
) -> None:
    mix = hub.Mix.load(folder / "mix.toml")
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in ("task", "answer")}
    arguments = {
        "prompts": [row["prompt"] for row in rows],
        "completions": [row["completion"] for row in rows],
        "completion_ids": [[1, 2]] * len(rows),
        "trainer_state": SimpleNamespace(global_step=3),
        "log_extra": lambda column, values: None,
        "log_metric": lambda name, value: None,
        **columns,
    }
    masked = [value is None for value in in_python["total"]]
    for function in hub_trl.reward_funcs(mix, engine=engine):
        given = [exact(value) for value in function(**arguments)]
        wanted = in_python[function.__name__]  # without a total, every function gives None
        assert given == [None if out else value for out, value in zip(masked, wanted, strict=True)]
    (total,) = hub_trl.reward_funcs(mix, engine=engine, combined=True)
    assert [exact(value) for value in total(**arguments)] == in_python["total"]


class Recorded:
    """A generator that gives the completions of the rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.texts = {row["prompt"]: row["completion"] for row in rows}

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index, prompt in enumerate(prompts):
            yield hub.Completion(index, self.texts[prompt])

    def describe(self) -> Mapping[str, Any]:
        return {"name": "recorded"}

    def close(self) -> None:
        pass


def test_hub_eval(in_python: Values, folder: Path, rows: list[dict[str, Any]], engine: hub.Engine) -> None:
    plan = make_plan(f"{folder}/parity_rows.py:benchmark", mix=folder / "mix.toml")
    evaluate(plan, Recorded(rows), folder / "results", engine=engine)
    lines = [json.loads(line) for line in (folder / "results" / "samples.jsonl").read_text().splitlines()]
    results = [line["result"] for line in sorted(lines, key=lambda line: line["result"]["row"])]
    assert by_name([(result["total"]["value"], result["scores"]) for result in results]) == in_python
