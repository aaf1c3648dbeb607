"""Benchmarks of the hub inside lm-eval's own simple_evaluate and command."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, DataError, OptionError, UnknownName
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.target import load_file
from hub_lm_eval.grade_filter import Grade
from hub_lm_eval.hub_task import HubTask
from tests.plugins.hub_lm_eval.parity import Recorded, run, through_lm_eval

FILE = """
import os
import hub

TEXTS = ["right", "wrong", "raise", "abstain", "exit", "right", ""]

def rows(split, first=0):
    for number, text in enumerate(TEXTS[first:]):
        yield {"id": f"{split}-{number}", "prompt": f"Say {text} ({number}).", "answer": text}

@hub.reward(needs=["answer"])
def fragile(sample):
    "A third of the length where it is right; fails or abstains where it is told to."
    if sample.text == "raise":
        raise ValueError("as it was told")
    if sample.text == "exit":
        os._exit(3)
    return None if sample.text == "abstain" else len(sample.text) / 3

@hub.reward
def polite(sample):
    "1.0 always."
    return 1.0

mix = {"reward": [{"use": __file__ + ":fragile"}, {"use": __file__ + ":polite", "weight": 0.1}]}
benchmark = hub.Benchmark("said", rows, mix, "Seven words.", splits=("test", "more"), decoding=hub.Decoding(7, stop=("!",)))
"""
MIX = """
[[reward]]
use = "said.py:fragile"
[[reward]]
use = "said.py:polite"
weight = 0.1
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("said") / "said.py"
    file.write_text(FILE)
    (file.parent / "mix.toml").write_text(MIX)
    return f"{file}:benchmark"


class Same:
    """A generator that gives the answer of each row."""

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index, prompt in enumerate(prompts):
            yield hub.Completion(index, prompt.split()[1])

    def describe(self) -> Mapping[str, Any]:
        return {"name": "same"}

    def close(self) -> None:
        pass


def answer(doc: Mapping[str, Any], number: int) -> str:
    return str(doc["prompt"].split()[1])


def test_the_numbers_are_those_of_hub_eval_and_a_failure_is_none(
    said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours = evaluate(make_plan(said), Same(), tmp_path / "ours")["scores"]
    lm = Recorded(answer)
    found = run(lm, [HubTask({"benchmark": said})])
    metrics = found["results"]["hub_said"]
    assert metrics["score,hub"] == ours["total"]["mean"]
    assert metrics["fragile,hub"] == ours["rewards"]["fragile"]["mean"]
    assert metrics["polite,hub"] == ours["rewards"]["polite"]["mean"] == 1.0
    assert (metrics["error_rate,hub"], ours["total"]["failed"]) == (2 / 7, 2)
    assert "failed on 2 of 7: " in caplog.text
    assert metrics["abstain_rate,hub"] == ours["rewards"]["fragile"]["abstained"] / 7 - 1 / 7 == 0.0
    samples = found["samples"]["hub_said"]
    assert [isnan(sample["score"]) for sample in samples] == [False, False, True, False, True, False, False]
    assert samples[2]["filtered_resps"][0][0]["scores"]["fragile"]["reason"] == "exception"
    assert samples[4]["filtered_resps"][0][0]["scores"]["fragile"]["reason"] == "crashed"
    assert lm.contexts == [row["prompt"] for row in make_plan(said).rows]
    lines = [json.loads(line) for line in (tmp_path / "ours" / "samples.jsonl").read_text().splitlines()]
    assert [line["result"]["total"]["value"] for line in lines] == [
        None if isnan(sample["score"]) else sample["score"] for sample in samples
    ]
    config = found["configs"]["hub_said"]
    assert config["generation_kwargs"] == {
        "until": ["!"],
        "max_gen_toks": 7,
        "do_sample": False,
        "temperature": 0.0,
    }
    assert config["metadata"]["hub_data_hash"] == make_plan(said).data_hash


def test_values_row_by_row(said: str) -> None:
    mix = Path(said.rpartition(":")[0]).with_name("mix.toml")
    rows = make_plan(said).rows
    texts = {row["id"]: row["answer"] for row in rows}
    samples = [hub.Sample(row["prompt"], texts[row["id"]], {"answer": row["answer"]}) for row in rows]
    results = hub.Mix.load(mix).score(samples)
    values = through_lm_eval(said, mix, texts)
    assert values["total"] == [result.value for result in results]
    assert values["fragile"] == [result.scores["fragile"].value for result in results]
    assert values["total"].count(None) == 2


def test_all_is_scored_in_one_call(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    score = hub.Mix.score

    def counted(self: hub.Mix, samples: Sequence[hub.Sample], **more: Any) -> Any:
        sizes.append(len(samples))
        return score(self, samples, **more)

    monkeypatch.setattr(hub.Mix, "score", counted)
    task = HubTask(
        {
            "benchmark": said,
            "repeats": 3,
            "generation_kwargs": {"do_sample": True, "temperature": 0.5},
            "task": "x",
        }
    )
    texts = ["right", "raise", "wrong"]
    found = run(Recorded(lambda doc, number: texts[number % 3]), [task], limit=4)
    assert sizes == [12]
    assert found["results"]["x"]["error_rate,hub"] == pytest.approx(1 / 3)
    assert found["results"]["x"]["polite,hub"] == 1.0
    assert found["results"]["x"]["fragile,hub"] == pytest.approx(5 / 3)
    assert found["configs"]["x"]["generation_kwargs"]["temperature"] == 0.5


def test_where_nothing_is_missing_lm_evals_own_standard_error_is_there(said: str) -> None:
    lm = Recorded(lambda doc, number: "right" * (number + 1))
    found = run(lm, [HubTask({"benchmark": said})], bootstrap_iters=1)["results"]["hub_said"]
    assert found["score_stderr,hub"] > 0
    found = run(Recorded(answer), [HubTask({"benchmark": said})], bootstrap_iters=1)["results"]["hub_said"]
    assert found["score_stderr,hub"] == "N/A"


TWO_RATES = """
import hub

def rows(split):
    for number, word in enumerate(("right", "wrong", "right", "left")):
        yield {"id": number, "prompt": f"Say {word} ({number}).", "side": "left" if number % 2 else "right"}

def rate(sample, side):
    if sample["side"] != side:
        return None
    letters = "rgt" if sample.text == "right" else "gt"
    return hub.Score(float(sample.text == "right"), info={"parts": {one: one in sample.text for one in letters}})

@hub.reward(needs=["side"])
def rights(sample):
    return rate(sample, "right")

@hub.reward(needs=["side"])
def lefts(sample):
    return rate(sample, "left")

@hub.reward(needs=[])
def long(sample):
    return len(sample.text) / 10

mix = {"reward": [{"use": f"{__file__}:rights"}, {"use": f"{__file__}:lefts", "weight": 0.0},
                  {"use": f"{__file__}:long", "weight": -1.0}]}
benchmark = hub.Benchmark("rates", rows, mix, "Two rates.", headline=("rights", "lefts"), lower_is_better=("lefts",))
"""


def test_two_rates_are_not_one_score_and_parts_and_directions_are_told(tmp_path: Path) -> None:
    (tmp_path / "rates.py").write_text(TWO_RATES)
    use = f"{tmp_path / 'rates.py'}:benchmark"
    ours = evaluate(make_plan(use), Same(), tmp_path / "ours")["scores"]["rewards"]
    found = run(Recorded(answer), [HubTask({"benchmark": use})])
    result = found["results"]["hub_rates"]
    assert "score,hub" not in result
    assert found["samples"]["hub_rates"][0]["metrics"][0] == "rights"  # what an import takes for the score
    for name in ("rights", "lefts"):
        assert result[f"{name},hub"] == ours[name]["mean"]
        assert result[f"{name}_parts,hub"] == ours[name]["parts"]["mean"]
    assert (result["rights,hub"], result["rights_parts,hub"], result["lefts_parts,hub"]) == (1.0, 1.0, 0.5)
    assert found["higher_is_better"]["hub_rates"] == {
        "rights": True, "rights_parts": True, "lefts": False, "lefts_parts": False, "long": False,
        "error_rate": False, "abstain_rate": False,
    }  # fmt: skip


def test_messages_become_what_hub_eval_gives(model: Path, plain_model: Path) -> None:
    from lm_eval.models.huggingface import HFLM

    from hub.open import open_generator

    options = {"rows": 3, "examples": 1, "operations": "+"}
    task = HubTask({"benchmark": "arithmetic", "options": options, "generation_kwargs": {"max_gen_toks": 6}})
    plan = make_plan("arithmetic", options=options, decoding={"max_new_tokens": 6})
    for folder, template in ((model, True), (plain_model, False)):
        ours = open_generator(str(folder)).generate([row["prompt"] for row in plan.rows], plan.decoding)
        expected = {completion.index: completion.text for completion in ours}
        lm = HFLM(pretrained=str(folder), device="cpu", dtype="float32")
        samples = run(lm, [task], apply_chat_template=template)["samples"]["hub_arithmetic"]
        assert {sample["doc_id"]: sample["resps"][0][0] for sample in samples} == expected


def test_an_engine_that_is_gone_loses_no_completion(said: str, caplog: pytest.LogCaptureFixture) -> None:
    mix = Path(said.rpartition(":")[0]).with_name("mix.toml")
    found = Grade(Broken.load(mix)).apply([["right"], ["wrong"]], make_plan(said).rows[:2])
    assert [one["total"]["outcome"] for (one,) in found] == ["failed", "failed"]
    assert [one["text"] for (one,) in found] == ["right", "wrong"]
    assert "nothing could be scored: the engine is closed" in caplog.text


class Broken(hub.Mix):
    def score(self, samples: Any, **more: Any) -> Any:
        raise hub.errors.EngineError("the engine is closed")


BAD: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("no benchmark", {"task": "x"}, ConfigError, "has the keys benchmark, split"),
    ("an unknown key", {"benchmark": "arithmetic", "splitt": "test"}, ConfigError, "splitt"),
    ("an unknown benchmark", {"benchmark": "aritmetic"}, UnknownName, "did you mean 'arithmetic'"),
    ("an unknown split", {"benchmark": "arithmetic", "split": "dev"}, UnknownName, "split"),
    (
        "an unknown option",
        {"benchmark": "arithmetic", "options": {"row": 3}},
        OptionError,
        "did you mean 'rows'",
    ),
    ("greedy repeats", {"benchmark": "arithmetic", "repeats": 2}, OptionError, "all the same"),
    ("a mix that raises", {"benchmark": "arithmetic", "mix": "RAISES"}, ConfigError, 'use "mask"'),
    ("a name that is taken", {"benchmark": "arithmetic", "mix": "TAKEN"}, ConfigError, "rename it"),
    ("no such mix", {"benchmark": "arithmetic", "mix": "nowhere.toml"}, (ConfigError, DataError), "nowhere"),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("config", "error", "words"), [c[1:] for c in BAD], ids=[c[0] for c in BAD])
def test_bad_input_is_one_clear_error(
    config: dict[str, Any], error: type[Exception], words: str, tmp_path: Path
) -> None:
    (tmp_path / "RAISES").write_text('on_failure = "raise"\n[[reward]]\nuse = "math"\n')
    (tmp_path / "TAKEN").write_text(
        '[[reward]]\nuse = "math"\n[[reward]]\nuse = "length"\nname = "score"\nwith = {max = 3}\n'
    )
    if "mix" in config:
        config = {**config, "mix": str(tmp_path / config["mix"])}
    with pytest.raises(error, match=words):
        HubTask(config)


def test_benchmarks_of_likelihoods_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "told.py"
    file.write_text(
        "import hub\ndef rows(split):\n    yield {'id': 1, 'prompt': 'x', 'continuations': ['y'], 'answer': '4'}\n"
        "benchmark = hub.Benchmark('told', rows, {'math': 1.0}, 'One row.')\n"
    )
    with pytest.raises(ConfigError, match="compares likelihoods"):
        HubTask({"benchmark": f"{file}:benchmark"})


def test_the_command_writes_what_lm_evals_command_runs(said: str, tmp_path: Path) -> None:
    binaries = Path(sys.executable).parent
    write = [
        str(binaries / "hub"),
        "lm-eval",
        said,
        "--out",
        "tasks",
        "--split",
        "more",
        "--benchmark-option",
        "first=1",
    ]
    done = subprocess.run(write, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "wrote tasks/hub_said.yaml" in done.stderr
    assert '--include_path "tasks" --tasks hub_said' in done.stdout
    lm = Recorded(answer)
    found = run(lm, ["hub_said"], include_path=tmp_path / "tasks")
    assert found["results"]["hub_said"]["sample_len"] == 6
    assert found["samples"]["hub_said"][0]["doc"]["id"] == "more-0"
    # The files that lm-eval's command writes: from a process, with a model of its own.
    script = tmp_path / "command.py"
    script.write_text(
        "import sys, lm_eval.tasks as t\n"
        "make = t.TaskManager.__init__\n"
        "t.TaskManager.__init__ = lambda self, *a, **k: make(self, *a, **{**k, 'include_defaults': False})\n"
        "from lm_eval.__main__ import cli_evaluate\n"
        "cli_evaluate()\n"
    )
    command: list[str] = [
        sys.executable,
        str(script),
        "run",
        "--model",
        "dummy",
        "--include_path",
        "tasks",
        "--tasks",
        "hub_said",
    ]
    more = ["--output_path", "results", "--log_samples", "--limit", "3"]
    done = subprocess.run([*command, *more], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (results,) = tmp_path.glob("results/**/results_*.json")
    assert json.loads(results.read_text())["results"]["hub_said"]["score,hub"] == 1.1
    (logged,) = tmp_path.glob("results/**/samples_hub_said_*.jsonl")
    assert len(logged.read_text().splitlines()) == 3


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    from click.testing import CliRunner

    command = load_file(str(Path(__file__).parents[3] / "plugins" / "hub_lm_eval" / "command.py")).command
    found = CliRunner().invoke(command, ["arithmetic", "--out", str(tmp_path), "--benchmark-option", "rows"])
    assert "should be NAME=VALUE" in found.output
    (tmp_path / "file").write_text("")
    found = CliRunner().invoke(command, ["arithmetic", "--out", str(tmp_path / "file")])
    assert isinstance(found.exception, SystemExit)


UNFIT = [
    ("likelihoods", ["LIKELIHOODS"], "compares likelihoods", 0),
    ("a mix that raises", ["arithmetic", "--mix", "RAISES"], 'use "mask"', 0),
    ("one name twice", ["arithmetic", "arithmetic"], "is hub_arithmetic in lm-eval too", 1),
]


@pytest.mark.parametrize(
    ("arguments", "words", "files"), [one[1:] for one in UNFIT], ids=[one[0] for one in UNFIT]
)
def test_the_command_writes_nothing_that_lm_eval_cannot_run(
    arguments: list[str], words: str, files: int, tmp_path: Path
) -> None:
    from click.testing import CliRunner

    (tmp_path / "likely.py").write_text(
        'import hub\nrows = [{"id": 0, "prompt": "1+1=", "continuations": ["2"], "mc1": [1], "mc2": []}]\n'
        'benchmark = hub.Benchmark("likely", lambda split: rows, {"likeliest": 1.0}, "One.")\n'
    )
    (tmp_path / "raises.toml").write_text('on_failure = "raise"\n[[reward]]\nuse = "math"\n')
    named = {"LIKELIHOODS": f"{tmp_path / 'likely.py'}:benchmark", "RAISES": str(tmp_path / "raises.toml")}
    given = [named.get(one, one) for one in arguments]
    command = load_file(str(Path(__file__).parents[3] / "plugins" / "hub_lm_eval" / "command.py")).command
    found = CliRunner().invoke(command, [*given, "--out", str(tmp_path / "tasks")])
    assert found.exit_code != 0
    assert words in found.output + str(found.exception)
    assert len(list((tmp_path / "tasks").glob("*"))) == files
