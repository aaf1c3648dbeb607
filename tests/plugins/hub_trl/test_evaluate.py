"""Benchmarks evaluated while GRPO and SFT train: the training is the same, the scores are those of `hub eval`."""

import json
import logging
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import (  # type: ignore[attr-defined]
    GRPOConfig,
    GRPOTrainer,
    SFTConfig,
    SFTTrainer,
)

import hub
import hub_trl
from hub.cli.main import main
from hub.errors import ConfigError, OptionError
from hub.evaluation.plan import Plan, make_plan
from hub_trl.evaluate import check_trainer, numbers
from hub_trl.plot import evaluated
from hub_trl.progress import describe_score

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*pin_memory.*:UserWarning")
TIMES = ("seconds", "runtime", "per_second", "time", "run_ms", "flos")


@hub.reward(lane="inline")
def varied(sample: hub.Sample) -> float:
    """Something to learn from random weights."""
    return sum(sample.text.encode()) / 1000


def plan(rows: int = 4, length: int = 8, **options: Any) -> Plan:
    """The benchmark arithmetic, short."""
    how = {"rows": rows, "examples": 0, **options}
    return make_plan("arithmetic", options=how, decoding={"max_new_tokens": length})


def too_long() -> Plan:
    """A benchmark that the model cannot be asked: 512 tokens are all it sees."""
    rows = [{"id": 0, "prompt": "x" * 600, "answer": "1"}]
    benchmark = hub.Benchmark("too-long", lambda split: rows, {"math": 1.0}, "Too long.")
    return make_plan(benchmark)


def likely() -> Plan:
    """A benchmark of which of two texts is likelier."""
    rows = [
        {"id": n, "prompt": f"{n}+{n}=", "continuations": [str(2 * n), "no"], "mc1": [1, 0], "mc2": []}
        for n in range(2)
    ]
    return make_plan(hub.Benchmark("likely", lambda split: rows, {"likeliest": 1.0}, "Two texts."))


def make(algorithm: str, model_folder: Path, quick: dict[str, Any], **more: Any) -> Any:
    """A trainer of a model with dropout, so that its mode and the random states matter."""
    model = AutoModelForCausalLM.from_pretrained(model_folder, attention_dropout=0.2)
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    common: dict[str, Any] = {**quick, "max_steps": 4, "logging_steps": 2, **more}
    if algorithm == "sft":
        common.pop("num_generations")
        common.pop("max_completion_length")
        data = Dataset.from_list([{"prompt": f"{n}+{n}=", "completion": str(2 * n)} for n in range(12)])
        return SFTTrainer(model, args=SFTConfig(**common), train_dataset=data, processing_class=tokenizer)
    mix = hub.Mix({varied: 1.0, "math": 0.5})
    data = Dataset.from_list([{"prompt": f"{n}+{n}=", "answer": str(2 * n)} for n in range(12)])
    return GRPOTrainer(
        model,
        reward_funcs=hub_trl.reward_funcs(mix),  # type: ignore[arg-type]
        args=GRPOConfig(**common, **hub_trl.trainer_arguments(mix)),
        train_dataset=data,
        processing_class=tokenizer,
    )


def outcome(trainer: Any) -> dict[str, Any]:
    """Weights, what was logged but for times and evaluations, and what the random states give next."""
    trainer.train()
    log = [
        {key: value for key, value in entry.items() if not any(time in key for time in TIMES)}
        for entry in trainer.state.log_history
        if not any(key.startswith("eval_") for key in entry)
    ]
    weights = {name: weight.tolist() for name, weight in trainer.model.state_dict().items()}
    draws = [random.random(), float(numpy.random.rand()), float(torch.rand(()))]
    return {"log": log, "weights": weights, "draws": draws, "training": trainer.model.training}


def evaluations(trainer: Any) -> list[tuple[int, dict[str, float]]]:
    """What was logged of evaluations, by step."""
    return [
        (entry["step"], {key: entry[key] for key in entry if key.startswith("eval_")})
        for entry in trainer.state.log_history
        if any(key.startswith("eval_") for key in entry)
    ]


@pytest.mark.parametrize(
    ("algorithm", "more"),
    [
        ("sft", {}),
        ("sft", {"gradient_checkpointing": True, "save_strategy": "steps", "save_steps": 2}),
        ("grpo", {}),
        ("grpo", {"gradient_checkpointing": True}),
    ],
)
def test_the_training_is_the_same_bit_for_bit(
    algorithm: str,
    more: dict[str, Any],
    model_folder: Path,
    quick: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    expected = outcome(make(algorithm, model_folder, quick, **more))
    assert all(entry["loss"] or entry["grad_norm"] for entry in expected["log"][:2]), "nothing is learnt"
    trainer = make(algorithm, model_folder, quick, **more)
    plans = [plan(), too_long(), likely()]
    evaluation = hub_trl.EvaluateDuringTraining(trainer, plans, every_steps=1, at_start=True)
    trainer.add_callback(evaluation)
    assert outcome(trainer) == expected
    found = evaluations(trainer)
    assert [step for step, _ in found] == [step for step in range(5) for _ in plans]
    for _, logged in found:
        (name,) = {key.partition("/")[0] for key in logged}
        if name == "eval_too-long":
            assert logged == {"eval_too-long/unfinished": 1.0}
        else:
            assert logged[f"{name}/n"] == {"eval_arithmetic": 4, "eval_likely": 2}[name]
            assert logged[f"{name}/low"] <= logged[f"{name}/score"] <= logged[f"{name}/high"]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert (
        sum("too-long was not evaluated at step" in text and "603 tokens" in text for text in warnings) == 5
    )


VARIED = """
import hub

@hub.reward(lane="inline")
def varied(sample: hub.Sample) -> float:
    return sum(sample.text.encode()) / 1000
"""
RECIPE = """
[model]
path = "{model}"
[data]
file = "rows.jsonl"
[[reward]]
use = "varied.py:varied"
[evaluate]
on = ["arithmetic"]
every_steps = 2
at_start = true
options = {{ arithmetic = {{ rows = 3, examples = 0 }} }}
decoding = {{ max_new_tokens = 8, temperature = 1.0 }}
[trainer]
algorithm = "grpo"
output = "out"
max_steps = 3
save_steps = 2
per_device_train_batch_size = 4
num_generations = 4
max_completion_length = 8
learning_rate = 1e-2
"""


@pytest.fixture
def folder(tmp_path: Path, model_folder: Path) -> Path:
    """A recipe that evaluates, and its data."""
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"prompt": f"{n}+{n}="}) + "\n" for n in range(8))
    )
    (tmp_path / "varied.py").write_text(VARIED)
    (tmp_path / "recipe.toml").write_text(RECIPE.format(model=model_folder))
    return tmp_path


def hub_command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return int(stop.value.code or 0)


def log_of(folder: Path) -> list[tuple[int, float]]:
    """Steps and scores of evaluations in log.jsonl."""
    entries = [json.loads(line) for line in (folder / "out/log.jsonl").read_text().splitlines()]
    return [(e["step"], e["eval_arithmetic/score"]) for e in entries if "eval_arithmetic/score" in e]


def runs(folder: Path, step: int) -> list[Path]:
    """Folders of the evaluations at a step."""
    return sorted((folder / f"out/evaluations/step-{step}/arithmetic").glob("*"))


def completions(run: Path) -> list[str]:
    return [json.loads(line)["completion"] for line in (run / "samples.jsonl").read_text().splitlines()]


def test_hub_train_evaluates_as_hub_eval_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub_command("train", folder / "recipe.toml") == 0
    shown = capsys.readouterr()
    assert "step 0/3  evaluated: arithmetic 0.000, 95 % interval" in shown.err
    assert "arithmetic, evaluated" in shown.out
    assert [step for step, _ in log_of(folder)] == [0, 2, 3]
    summary = json.loads((folder / "out/summary.json").read_text())
    assert summary["means"]["arithmetic, evaluated"]["last"]["steps"] == [3, 3]
    how = ["--benchmark-option", "rows=3", "--benchmark-option", "examples=0", "--temperature", "1"]
    made = []
    for step, model in ((2, folder / "out/checkpoints/checkpoint-2"), (3, folder / "out/model")):
        out = folder / f"after-{step}"
        assert (
            hub_command("eval", model, "--on", "arithmetic", *how, "--max-new-tokens", "8", "--out", out) == 0
        )
        (run,) = runs(folder, step)
        assert completions(run) == completions(out / "arithmetic")
        made.append(completions(run))
        result = json.loads((run / "result.json").read_text())
        assert result["model"]["step"] == step
        assert result["model"]["model"].endswith(f"@step-{step}")
    assert made[0] != made[1], "the model learns nothing, so that the steps cannot be told apart"


def test_a_training_that_goes_on_repeats_no_evaluation(folder: Path) -> None:
    assert hub_command("train", folder / "recipe.toml", "--set", "trainer.max_steps=2") == 0
    (before,) = runs(folder, 2)
    written = (before / "result.json").stat().st_mtime_ns
    more = ["--set", "trainer.max_steps=4", "--set", "evaluate.at_start=false", "--resume"]
    assert hub_command("train", folder / "recipe.toml", *more) == 0
    assert runs(folder, 2) == [before]
    assert (before / "result.json").stat().st_mtime_ns == written
    assert [step for step, _ in log_of(folder)] == [0, 2, 4]


def test_an_evaluation_that_was_stopped_is_gone_on_with(
    model_folder: Path, quick: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saving = {"save_strategy": "steps", "save_steps": 2}
    first = make("sft", model_folder, quick, **saving)

    def stop_at_step_2(plan: Plan) -> Any:
        def told(done: int, failed: int) -> None:
            if first.state.global_step == 2 and done:
                evaluation.stop()

        return told

    evaluation = hub_trl.EvaluateDuringTraining(
        first, [plan(rows=6)], every_steps=2, batch_size=1, progress=stop_at_step_2
    )
    first.add_callback(evaluation)
    first.train()
    (run,) = (tmp_path / "trl/evaluations/step-2/arithmetic").glob("*")
    assert evaluations(first) == []
    assert caplog.records == [], "nobody is warned of what was asked for"
    kept = (run / "completions.jsonl").read_bytes()
    assert 0 < len(kept.splitlines()) < 6
    second = make("sft", model_folder, quick, **saving)
    second.add_callback(hub_trl.EvaluateDuringTraining(second, [plan(rows=6)], every_steps=2))
    second.train(resume_from_checkpoint=str(tmp_path / "trl/checkpoint-2"))
    assert [step for step, _ in evaluations(second)] == [2, 4]
    result = json.loads((run / "result.json").read_text())
    assert result["time"]["resumed_at"] > 0
    assert len(completions(run)) == 6
    whole = make("sft", model_folder, quick, **saving)
    whole.add_callback(
        hub_trl.EvaluateDuringTraining(whole, [plan(rows=6)], every_steps=2, folder=tmp_path / "whole")
    )
    whole.train()
    (other,) = (tmp_path / "whole/step-2/arithmetic").glob("*")
    assert completions(other) == completions(run)


def test_two_processes_share_the_completions(model_folder: Path, tmp_path: Path) -> None:
    """Also where one of them fails: nobody waits, nothing is scored, and the training is the same."""
    script = Path(__file__).with_name("in_evaluation.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [*launcher, str(script), str(model_folder), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    ranks = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    for rank in ranks:
        assert rank["with"]["weights"] == rank["without"]["weights"]
        assert rank["with"]["draws"] == rank["without"]["draws"]
        assert [entry["step"] for entry in rank["logged"]] == [1, 1, 2, 2]
        assert rank["logged"] == ranks[0]["logged"], "all processes log the same"
    assert [rank["made"] for rank in ranks] == [[4, 4], [3, 3]], "each completed its share"
    shared = ranks[0]["logged"]
    assert [entry.get("eval_arithmetic/n") for entry in shared] == [7, None, 7, None]
    assert [entry.get("eval_breaks/unfinished") for entry in shared] == [None, 1, None, 1]
    (run,) = (tmp_path / "evaluations/step-2/arithmetic").glob("*")
    alone = tmp_path / "alone"
    how = ["--benchmark-option", "rows=7", "--benchmark-option", "examples=0", "--max-new-tokens", "8"]
    assert hub_command("eval", tmp_path / "model", "--on", "arithmetic", *how, "--out", alone) == 0
    assert completions(run) == completions(alone / "arithmetic")


BAD = [
    ("no benchmark", "on = []", "evaluate: needs `on`"),
    ("named twice", 'on = ["arithmetic", "arithmetic"]', "evaluate: needs `on`"),
    (
        "not a list",
        'on = "arithmetic"',
        "evaluate.on: [evaluate]: option 'on' is 'arithmetic', but should be",
    ),
    ("an unknown one", 'on = ["arithmetik"]', "unknown benchmark 'arithmetik'"),
    ("an unknown key", 'on = ["arithmetic"]\nevery = 5', "[evaluate] has no option 'every'"),
    ("no steps", 'on = ["arithmetic"]\nevery_steps = 0', "evaluate.every_steps: should be at least 1"),
    (
        "options of another",
        'on = ["arithmetic"]\noptions = { gsm8k = { path = "x" } }',
        "are tables by benchmark, like",
    ),
    ("an unknown option", 'on = ["arithmetic"]\noptions = { arithmetic = { row = 1 } }', "'row'"),
    ("an unknown decoding", 'on = ["arithmetic"]\ndecoding = { heat = 1 }', "'heat'"),
]


@pytest.mark.parametrize(("table", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_wrong_table_is_told_before_training(
    folder: Path, table: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder / "recipe.toml").read_text()
    begin, end = text.index("[evaluate]"), text.index("[trainer]")
    (folder / "recipe.toml").write_text(f"{text[:begin]}[evaluate]\n{table}\n{text[end:]}")
    assert hub_command("train", folder / "recipe.toml", "--check") == 2
    assert words in capsys.readouterr().err


def stand_in(**changes: Any) -> Any:
    """What of a trainer is looked at; the real ones need several GPUs."""
    state = SimpleNamespace(deepspeed_plugin=changes.pop("deepspeed", None))
    model = SimpleNamespace(generate=len, parameters=lambda: [changes.pop("weight", torch.zeros(1))])
    shown = {"is_fsdp_enabled": False, "processing_class": object(), "model": model, **changes}
    return SimpleNamespace(accelerator=SimpleNamespace(state=state), **shown)


def test_weights_that_are_spread_over_processes_are_refused() -> None:
    check_trainer(stand_in())
    check_trainer(stand_in(deepspeed=SimpleNamespace(zero_stage=2)))
    for changes, words in (
        ({"is_fsdp_enabled": True}, "FSDP spreads them: evaluate the checkpoints"),
        ({"deepspeed": SimpleNamespace(zero_stage=3)}, "stage 3 spreads them"),
        ({"weight": SimpleNamespace(placements=())}, "tensor parallelism"),
        ({"model": torch.nn.Linear(1, 1)}, "Linear completes no text"),
        ({"processing_class": None}, "has no tokenizer"),
    ):
        with pytest.raises(ConfigError, match=words):
            check_trainer(stand_in(**changes))


def test_wrong_arguments(model_folder: Path, quick: dict[str, Any]) -> None:
    trainer = make("sft", model_folder, quick)
    for on, keys, words in (
        ([], {}, "is a list of benchmarks"),
        ("arithmetic", {}, "is a list of benchmarks"),
        ([plan(), plan()], {}, "each benchmark once"),
        ([plan()], {"every_steps": 0}, "at least 1"),
    ):
        with pytest.raises(OptionError, match=words):
            hub_trl.EvaluateDuringTraining(trainer, on, **keys)  # type: ignore[arg-type]


def test_what_is_logged() -> None:
    total = {"mean": None, "interval_95": None, "n": 0, "failed": 3, "pass_at_k": {}, "maj_at_k": {"4": 0.5}}
    rewards = {"math": {"mean": 0.25}, "length": {"mean": None}}
    metrics = {"words": 3.0, "odd": float("inf"), "none": None}
    found = numbers({"scores": {"total": total, "rewards": rewards, "metrics": metrics}})
    assert found == {"n": 0.0, "failed": 3.0, "maj@4": 0.5, "math": 0.25, "words": 3.0}


def test_two_rates_are_logged_each_with_its_interval_and_no_mean_of_both() -> None:
    def rate(mean: float | None) -> dict[str, Any]:
        return {"mean": mean, "interval_95": None if mean is None else [0.0, 0.5], "n": 4, "failed": 1}

    rewards = {"safe-refused": rate(0.25), "unsafe-refused": rate(None), "safe-answered": rate(0.5)}
    scores = {"total": rate(0.7), "rewards": rewards, "metrics": {}}
    headline = ["safe-refused", "unsafe-refused"]
    found = numbers({"scores": scores, "benchmark": {"headline": headline}})
    assert found == {
        "safe-answered": 0.5, "safe-refused/score": 0.25, "safe-refused/low": 0.0, "safe-refused/high": 0.5,
        "safe-refused/n": 4.0, "unsafe-refused/n": 4.0, "failed": 1.0,
    }  # fmt: skip
    logged = {f"eval_xstest/{name}": value for name, value in found.items()}
    assert evaluated([logged]) == {"xstest/safe-refused": "eval_xstest/safe-refused/score"}
    assert describe_score(logged, "eval_xstest/safe-refused/score") == (
        "0.250, 95 % interval 0.000 to 0.500, n 4"
    )
