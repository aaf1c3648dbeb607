"""Benchmarks and rewards inside Inspect's own eval."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import read_eval_log
from inspect_ai.scorer import Score, Target
from inspect_ai.solver import TaskState, generate

import hub
from hub.errors import ConfigError, DataError, EngineError, UnknownName
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub_inspect.convert import to_hub, to_inspect, to_score
from hub_inspect.scorer import mix as mix_scorer
from hub_inspect.scorer import score_with
from hub_inspect.task import decode, make_task
from hub_inspect.together import Together
from tests.plugins.hub_inspect.parity import answering, run, through_inspect

FILE = """
import os
import hub

TEXTS = ["right", "wrong", "raise", "abstain", "exit", "right", ""]

def rows(split, first=0):
    for number, text in enumerate(TEXTS[first:]):
        yield {"id": f"{number} {text}", "prompt": f"{number} {text}", "answer": text, "kind": "even" if number % 2 else "odd"}

@hub.reward(needs=["answer", "kind"])
def fragile(sample):
    "A third of the length; fails or abstains where it is told to."
    if sample.text == "raise":
        raise ValueError("as it was told")
    if sample.text == "exit":
        os._exit(3)
    return None if sample.text == "abstain" else hub.Score(len(sample.text) / 3, info={"answer": sample.text})

@hub.reward
def polite(sample):
    return 1.0

mix = {"reward": [{"use": __file__ + ":fragile"}, {"use": __file__ + ":polite", "weight": 0.1}]}
benchmark = hub.Benchmark("said", rows, mix, "Seven words.", decoding=hub.Decoding(7, stop=("!",)))
"""
MIX = '[[reward]]\nuse = "said.py:fragile"\n[[reward]]\nuse = "said.py:polite"\nweight = 0.1\n'


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("said") / "said.py"
    file.write_text(FILE)
    (file.parent / "mix.toml").write_text(MIX)
    return f"{file}:benchmark"


class Same:
    """A generator that gives the answer of each row."""

    def generate(self, prompts: Any, decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index, prompt in enumerate(prompts):
            yield hub.Completion(index, prompt.partition(" ")[2])

    def describe(self) -> Any:
        return {"name": "same"}

    def close(self) -> None:
        pass


def test_the_numbers_are_those_of_hub_eval_and_a_failure_is_unscored(said: str, tmp_path: Path) -> None:
    ours = evaluate(make_plan(said), Same(), tmp_path / "ours")["scores"]
    log = run(
        make_task(said, None, None, {}), answering(lambda text: text.partition(" ")[2]), tmp_path / "logs"
    )
    (score,) = log.results.scores
    assert score.metrics["mean"].value == ours["total"]["mean"]
    assert (score.scored_samples, score.unscored_samples) == (5, 2)
    found = {sample.id: sample.scores["mix"] for sample in log.samples}
    raised, gone, abstained, right = (found[row] for row in ("2 raise", "4 exit", "3 abstain", "0 right"))
    assert isnan(raised.value)
    assert (raised.reason, gone.reason) == ("exception", "crashed")
    assert raised.explanation.startswith("fragile: exception: ValueError: as it was told")
    assert (abstained.value, abstained.metadata["scores"]["fragile"]["outcome"]) == (0.1, "abstained")
    assert (right.value, right.answer) == (5 / 3 + 0.1, "right")
    assert log.eval.metadata["data_hash"] == make_plan(said).data_hash
    assert (log.eval.model_generate_config.max_tokens, log.plan.config.max_tokens) == (None, 7)
    assert log.plan.config.stop_seqs == ["!"]
    again: Any = read_eval_log(log.location)
    assert {s.id: s.scores["mix"].reason for s in again.samples}["4 exit"] == "crashed"


def test_two_rates_are_two_scores_and_no_mean_of_both(said: str, tmp_path: Path) -> None:
    file = tmp_path / "rates.py"
    text = (
        Path(said.rpartition(":")[0])
        .read_text()
        .replace("decoding=", 'headline=("fragile", "odd"), decoding=')
    )
    text = text.replace('"weight": 0.1}', '"weight": 0.1}, {"use": __file__ + ":odd", "weight": 0.0}')
    file.write_text(
        text.replace(
            "@hub.reward\n",
            """@hub.reward(needs=["kind"])
def odd(sample):
    return 1.0 if sample["kind"] == "odd" else None

@hub.reward
""",
        )
    )
    use = f"{file}:benchmark"
    ours = evaluate(make_plan(use), Same(), tmp_path / "ours")["scores"]["rewards"]
    log = run(
        make_task(use, None, None, {}), answering(lambda text: text.partition(" ")[2]), tmp_path / "logs"
    )
    found = {score.name: score for score in log.results.scores}
    assert {name: score.metrics["mean"].value for name, score in found.items()} == {
        name: ours[name]["mean"] for name in ("fragile", "odd")
    }
    assert [(found[name].scored_samples, found[name].unscored_samples) for name in ("fragile", "odd")] == [
        (4, 3), (4, 3),
    ]  # fmt: skip
    scores = {sample.id: sample.scores["mix"] for sample in log.samples}
    assert (scores["3 abstain"].reason, scores["4 exit"].value["odd"]) == ("abstained", 1.0)
    again = run(make_task(use, None, None, {}), answering(lambda text: "exit"), tmp_path / "all")
    assert {one.scores["mix"].reason for one in again.samples if one.id.endswith("wrong")} == {"crashed"}


TARGETS = [
    ("any of them", ["2", "two"], {}, "\\boxed{2}", 1.0),
    ("the last of them", ["3", "4", "2"], {}, "\\boxed{2}", 1.0),
    ("none of them", ["2", "3"], {}, "\\boxed{23}", 0.0),
    ("one that is no answer", ["\\frac{", "2"], {}, "\\boxed{2}", 1.0),
    ("a column of the data", ["2", "3"], {"answer": "4"}, "\\boxed{4}", 1.0),
]


@pytest.mark.parametrize(
    ("target", "metadata", "text", "value"), [one[1:] for one in TARGETS], ids=[one[0] for one in TARGETS]
)
def test_of_several_targets_one_is_enough(
    target: list[str], metadata: dict[str, Any], text: str, value: float, tmp_path: Path
) -> None:
    task = Task(
        dataset=MemoryDataset([Sample(input="1 + 1?", target=target, metadata=metadata)]),
        solver=generate(),
        scorer=mix_scorer({"math": 1.0}),
    )
    log = run(task, answering(lambda _: text), tmp_path)
    assert log.samples[0].scores["mix"].value == value


def test_values_row_by_row(said: str, tmp_path: Path) -> None:
    mix = Path(said.rpartition(":")[0]).with_name("mix.toml")
    rows = make_plan(said).rows
    texts = {row["id"]: row["answer"] for row in rows}
    samples = [
        hub.Sample(row["prompt"], texts[row["id"]], {"answer": row["answer"], "kind": ""}) for row in rows
    ]
    results = hub.Mix.load(mix).score(samples)
    values = through_inspect(said, mix, texts, tmp_path)
    assert values["total"] == [result.value for result in results]
    assert values["fragile"] == [result.scores["fragile"].value for result in results]
    assert values["total"].count(None) == 2


def test_a_mix_that_abstains_as_a_whole_is_unscored() -> None:
    result = hub.Mix({_abstains: 1.0}).score([hub.Sample("", "x")])[0]
    score = to_score(result)
    assert isnan(score.as_float())
    assert score.reason == "abstained"


@hub.reward(lane="inline")
def _abstains(sample: hub.Sample) -> None:
    return None


def test_rewards_are_scorers_of_anybodys_task(tmp_path: Path) -> None:
    import hub_inspect.registry

    samples = [
        Sample(input=f"{n}+{n}?", target=str(2 * n), id=n, metadata={"largest": 5}) for n in range(1, 4)
    ]
    scorers = hub_inspect.registry.scorers
    task = Task(
        dataset=MemoryDataset(samples),
        solver=generate(),
        scorer=[scorers["math"](), scorers["length"](max=12), mix_scorer({"math": 1.0, "think-format": 0.5})],
    )
    log = run(
        task,
        answering(lambda text: f"\\boxed{{{2 * int(text[0])}}}" if text[0] != "3" else "no idea at all"),
        tmp_path,
    )
    means = {score.name: score.metrics["mean"].value for score in log.results.scores}
    assert means == {"math": 2 / 3, "length": 2 / 3, "mix": 2 / 3}
    assert [score.params for score in log.results.scores][1] == {"max": 12}


def test_inspects_command_finds_them_by_name(said: str, tmp_path: Path) -> None:
    script = tmp_path / "command.py"
    script.write_text(
        "from inspect_ai.model import ModelAPI, ModelOutput, ModelUsage, modelapi\n"
        "@modelapi(name='offline')\n"
        "class Offline(ModelAPI):\n"
        "    async def generate(self, input, tools, tool_choice, config):\n"
        "        made = ModelOutput.from_content('offline', input[-1].text.partition(' ')[2])\n"
        "        made.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)\n"
        "        return made\n"
        "if __name__ == '__main__':\n"
        "    from inspect_ai._cli.main import main\n"
        "    main()\n"
    )
    shown = ["--model", "offline/x", "--display", "none", "--log-dir", "logs", "--log-format", "json"]
    for arguments, mean in (
        (["hub/arithmetic", "-T", "rows=3", "-T", "examples=0"], 0.0),
        (["hub/benchmark", "-T", f"use={said}", "-T", "first=5"], (5 / 3 + 0.1 + 0.1) / 2),
    ):
        command = [sys.executable, str(script), "eval", *arguments, *shown]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        (file,) = (tmp_path / "logs").glob("*.json")
        log = json.loads(file.read_text())
        file.unlink()
        assert log["eval"]["task_registry_name"] == arguments[0]
        assert log["results"]["scores"][0]["metrics"]["mean"]["value"] == mean


def test_the_event_loop_goes_on_while_samples_are_scored(said: str) -> None:
    score = score_with(hub.Mix({_slow: 1.0}))

    async def main() -> tuple[int, list[Any]]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.01)
                beats += 1

        beating = asyncio.create_task(beat())
        found = await asyncio.gather(*(score(_state(n), Target("")) for n in range(4)))
        beating.cancel()
        return beats, list(found)

    beats, found = asyncio.run(main())
    assert beats >= 5
    assert [one.value for one in found] == [0.25] * 4


@hub.reward
def _slow(sample: hub.Sample) -> float:
    time.sleep(0.2)
    return 0.25


def _state(number: int, **metadata: Any) -> TaskState:
    from inspect_ai.model import ModelName, ModelOutput

    state = TaskState(
        model=ModelName("mockllm/model"), sample_id=number, epoch=1, input="x", messages=[], metadata=metadata
    )
    state.output = ModelOutput.from_content("mockllm", f"text {number}")
    return state


SIZES: list[int] = []
GO = threading.Event()


@hub.reward(batch=True, deterministic=False)
def _counted(samples: list[hub.Sample]) -> list[float]:
    SIZES.append(len(samples))
    GO.wait(20)
    return [float(sample.text[-1]) for sample in samples]


def test_what_comes_together_is_scored_together_where_a_reward_takes_batches() -> None:
    score = score_with(hub.Mix({_counted: 1.0}))

    async def main() -> list[Any]:
        first = asyncio.create_task(score(_state(0), Target("")))
        while not SIZES:
            await asyncio.sleep(0.01)
        others = [asyncio.create_task(score(_state(n), Target(""))) for n in range(1, 8)]
        await asyncio.sleep(0)
        GO.set()
        return [await task for task in (first, *others)]

    found = asyncio.run(main())
    assert [one.value for one in found] == [float(n) for n in range(8)]
    assert SIZES == [1, 7]


class Broken(hub.Mix):
    async def ascore(self, samples: Any, **more: Any) -> Any:
        raise EngineError("the engine is closed")


def test_an_engine_that_is_gone_leaves_samples_unscored() -> None:
    broken = Broken({_slow: 1.0})

    async def both() -> list[Any]:
        together = Together(broken)
        with pytest.raises(EngineError):
            await together.score(hub.Sample("", "x"))
        score: Score | None = await score_with(broken)(_state(1), Target(""))
        return [score]

    (score,) = asyncio.run(both())
    assert (score.reason, isnan(score.value)) == ("scoring_failed", True)
    assert "the engine is closed" in score.explanation


def test_rows_and_samples() -> None:
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}]
    sample = to_inspect({"id": 7, "prompt": prompt, "answer": 4, "tests": ["a"]})
    assert (sample.id, sample.target, sample.metadata) == (7, "4", {"answer": 4, "tests": ["a"]})
    back = to_hub(sample.input, "four", sample.metadata or {}, "4", "answer", 7)
    assert back == hub.Sample(prompt, "four", {"answer": 4, "tests": ["a"]}, group=7, id=7)
    assert to_hub("x", "y", {}, "z", "reference", 1).columns == {"reference": "z"}
    with pytest.raises(DataError, match="role 'critic'"):
        to_inspect({"id": 7, "prompt": [{"role": "critic", "content": "x"}]})


def test_decoding_is_passed_on() -> None:
    greedy = decode(hub.Decoding(9, stop=("\n",), seed=3))
    assert (greedy.max_tokens, greedy.temperature, greedy.stop_seqs, greedy.seed) == (9, 0.0, ["\n"], None)
    sampled = decode(hub.Decoding(9, 0.5, 0.9, seed=3))
    assert (sampled.temperature, sampled.top_p, sampled.seed, sampled.stop_seqs) == (0.5, 0.9, 3, None)


def test_bad_input_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'arithmetic'"):
        make_task("aritmetic", None, None, {})
    with pytest.raises(ConfigError, match="Inspect scores one at a time"):
        mix_scorer({"reward": [{"use": "math"}], "aggregate": "normalize_then_sum"})
    with pytest.raises(ConfigError, match="cannot be set up"):
        score_with(hub.Mix({_cannot: 1.0}))
    file = tmp_path / "told.py"
    file.write_text(
        "import hub\ndef rows(split):\n    yield {'id': 1, 'prompt': 'x', 'continuations': ['y'], 'answer': '4'}\n"
        "benchmark = hub.Benchmark('told', rows, {'math': 1.0}, 'One row.')\n"
    )
    with pytest.raises(ConfigError, match="compares likelihoods"):
        make_task(f"{file}:benchmark", None, None, {})


@hub.reward
class _cannot:
    def __init__(self) -> None:
        raise RuntimeError("no model here")

    def __call__(self, sample: hub.Sample) -> float:
        return 1.0
