"""`hub train`, whole: a run, a killed run that goes on, Ctrl-C, and what it writes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from hub.cli.main import main

REWARDS = Path(__file__).with_name("rewards.py")
RECIPE = """
[model]
path = "{model}"

[data]
file = "rows.jsonl"
prompt = "What is {{question}}?"

[[reward]]
use = "{rewards}:Signals"
name = "tokens"
with = {{ calls = "{folder}/calls", at = 0, signal_name = "SIGINT" }}

[[reward]]
use = "{rewards}:has_answer"
weight = 0.2

[trainer]
algorithm = "grpo"
output = "out"
max_steps = 6
save_steps = 2
per_device_train_batch_size = 4
num_generations = 4
max_completion_length = 8
learning_rate = 1e-3
"""
Hub = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path, model_folder: Path) -> Path:
    """A folder with a recipe and its data."""
    rows = [
        {"question": f"{n}+{n}", "answer": str(2 * n), "extra": {"n": n} if n % 2 else n} for n in range(9)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = RECIPE.format(model=model_folder, rewards=REWARDS, folder=tmp_path)
    (tmp_path / "recipe.toml").write_text(text)
    return tmp_path


@pytest.fixture
def hub_train(folder: Path) -> Hub:
    """Runs `hub train` here; returns its exit code."""

    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as stop:
            main(["train", str(folder / "recipe.toml"), *arguments])
        return int(stop.value.code or 0)

    return run


def log_of(output: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return [entry for entry in entries if "reward" in entry or "mean_token_accuracy" in entry]


def numbers(output: Path) -> list[Any]:
    """What of a log must be the same in a run that was stopped and went on."""
    return [(e["step"], e["reward"], e["rewards/tokens/mean"], e["loss"]) for e in log_of(output)]


def test_a_run_from_start_to_end(folder: Path, hub_train: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub_train("--json") == 0
    out = folder / "out"
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "summary.json").read_text())
    assert printed["steps"] == 6
    assert printed["device"] == "CPU"
    assert printed["versions"]["trl"] == version("trl")
    assert [reward["name"] for reward in printed["rewards"]] == ["tokens", "has-answer"]
    assert printed["stats"]["tokens"]["count"] == 24
    log = log_of(out)
    assert [entry["step"] for entry in log] == [1, 2, 3, 4, 5, 6]
    assert printed["means"]["reward"]["first"] == {"mean": log[0]["reward"], "steps": [1, 1], "count": 1}
    assert printed["means"]["tokens"]["last"]["mean"] == log[-1]["rewards/tokens/mean"]
    for entry in log:
        parts = entry["rewards/tokens/mean"] + 0.2 * entry["rewards/has-answer/mean"]
        assert entry["reward"] == pytest.approx(parts, abs=1e-5)
    assert (out / "rewards.png").read_bytes()[:4] == b"\x89PNG"
    assert _trained(out / "model")
    assert hub_train("--resume") == 0, "complete already"
    assert printed == json.loads((out / "summary.json").read_text())


def _trained(model: Path) -> bool:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    loaded: Any = AutoModelForCausalLM.from_pretrained(model)
    ids = tokenizer("What is 1+1?", return_tensors="pt")
    return bool(loaded.generate(**ids, max_new_tokens=4).shape[1] > ids["input_ids"].shape[1])


def test_killed_and_gone_on(folder: Path, hub_train: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    whole = ["--set", "trainer.output=whole", "--set", f"reward.0.with.calls={folder}/other"]
    assert hub_train(*whole) == 0
    kill = ["--set", "reward.0.with.at=22", "--set", "reward.0.with.signal_name=SIGKILL"]
    program = "import sys; from hub.cli.main import main; main(sys.argv[1:])"
    killed = subprocess.run(
        [sys.executable, "-c", program, "train", str(folder / "recipe.toml"), *kill], capture_output=True
    )
    assert killed.returncode == -9, killed.stderr.decode()
    out = folder / "out"
    assert [step for step, *_ in numbers(out)] == [1, 2, 3, 4, 5], "one more than the last checkpoint"
    assert not (out / "summary.json").exists()
    with (out / "log.jsonl").open("a") as file:
        file.write('{"step": 6, "rew')
    broken = out / "checkpoints" / "checkpoint-5"
    shutil.copytree(out / "checkpoints" / "checkpoint-4", broken)
    (broken / "trainer_state.json").write_text('{"global_st')
    capsys.readouterr()
    assert hub_train(*kill) == 2
    assert "go on with --resume" in capsys.readouterr().err
    assert hub_train(*kill, "--resume") == 0
    assert "from step 4" in capsys.readouterr().err
    assert numbers(out) == numbers(folder / "whole")
    assert json.loads((out / "summary.json").read_text())["resumed_from"] == 4


def test_ctrl_c_saves_and_says_how_to_go_on(
    folder: Path, hub_train: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt = ["--set", "reward.0.with.at=10"]
    assert hub_train(*interrupt) == 130
    said = capsys.readouterr().err
    assert "finishing this step" in said
    assert "hub train" in said.splitlines()[-1]
    assert said.splitlines()[-1].endswith("--set reward.0.with.at=10 --resume")
    assert (folder / "out/checkpoints/checkpoint-3").is_dir(), "between those of save_steps"
    assert hub_train(*interrupt, "--resume") == 0
    whole = ["--set", "trainer.output=whole", "--set", f"reward.0.with.calls={folder}/other"]
    assert hub_train(*whole) == 0
    assert numbers(folder / "out") == numbers(folder / "whole")


def test_ctrl_c_twice_stops_at_once(folder: Path, hub_train: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """Two rewards that each send the signal, in one step."""
    text = (folder / "recipe.toml").read_text().replace("at = 0", "at = 10")
    again = text.split("[[reward]]")[1].replace('"tokens"', '"again"').replace("/calls", "/more")
    (folder / "recipe.toml").write_text(text.replace("[trainer]", f"[[reward]]{again}\n[trainer]"))
    assert hub_train() == 130
    assert "stopped; go on from step 2" in capsys.readouterr().err
    assert not (folder / "out/checkpoints/checkpoint-3").exists()


def test_a_longer_run_goes_on_from_a_complete_one(folder: Path, hub_train: Hub) -> None:
    assert hub_train("--set", "trainer.max_steps=2") == 0
    assert hub_train("--set", "trainer.max_steps=4", "--resume") == 0
    assert [entry["step"] for entry in log_of(folder / "out")] == [1, 2, 3, 4]


def test_another_recipe_in_the_same_folder_is_refused(
    folder: Path, hub_train: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hub_train("--set", "trainer.max_steps=1") == 0
    before = (folder / "out/summary.json").read_text()
    for setting, key in (
        ("trainer.learning_rate=0.1", "trainer.learning_rate"),
        ("reward.1.weight=0.5", "reward"),
        ("data.limit=3", "data.limit, data_sha256"),
    ):
        assert hub_train("--set", "trainer.max_steps=1", "--set", setting, "--resume") == 2
        assert f"another recipe (it differs in {key})" in capsys.readouterr().err
    assert (folder / "out/summary.json").read_text() == before


def test_failures_are_shown(folder: Path, hub_train: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ("--set", f"reward.1.use={REWARDS}:raises", "--set", "trainer.max_steps=2")
    assert hub_train(*settings, "--set", "on_failure=drop") == 0
    shown = capsys.readouterr()
    assert "raises failed on 8 of 8 samples: exception 8" in shown.out
    assert "raises failed on 100%" in shown.err
    assert (folder / "out/rewards.png").exists()
    assert hub_train(*settings, "--set", "on_failure=raise", "--set", "trainer.output=other") == 1
    assert "ValueError: broken" in capsys.readouterr().err


def test_a_run_in_which_nothing_was_learnt_fails(
    folder: Path, hub_train: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ("--set", f"reward.1.use={REWARDS}:raises", "--set", "trainer.max_steps=2")
    assert hub_train(*settings) == 1
    assert "nothing was learnt: in no step did a sample have a total" in capsys.readouterr().err


def test_rloo_and_a_schedule(folder: Path, hub_train: Hub) -> None:
    settings = ["trainer.algorithm=rloo", "reward.0.weight=[[0, 1.0], [4, 2.0]]", "trainer.max_steps=2"]
    assert hub_train(*(part for setting in settings for part in ("--set", setting))) == 0
    log = log_of(folder / "out")
    assert log[1]["reward"] == pytest.approx(
        1.25 * log[1]["rewards/tokens/mean"] + 0.2 * log[1]["rewards/has-answer/mean"], abs=1e-5
    )


def test_sft(folder: Path, model_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sft.toml").write_text(
        f"""
        [model]
        path = "{model_folder}"
        [data]
        file = "rows.jsonl"
        prompt = "{{question}}="
        completion = "{{answer}}"
        [trainer]
        algorithm = "sft"
        output = "sft"
        num_train_epochs = 2
        per_device_train_batch_size = 3
        """
    )
    with pytest.raises(SystemExit) as stop:
        main(["train", str(folder / "sft.toml")])
    assert stop.value.code in (0, None)
    summary = json.loads((folder / "sft/summary.json").read_text())
    assert summary["steps"] == 6
    assert summary["means"]["loss"]["last"]["mean"] > 0
    assert "loss" in capsys.readouterr().out
    assert (folder / "sft/loss.png").exists()
    assert _trained(folder / "sft/model")


def test_check_trains_nothing(folder: Path, hub_train: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub_train("--check") == 0
    said = capsys.readouterr().err
    assert "all is well" in said
    assert "on 9 rows, rewards: tokens x 1, has-answer x 0.2; CPU" in said
    assert not (folder / "out").exists()
