"""TRL's own command line, with the hub's functions by dotted path."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.training.export import export

REWARDS = Path(__file__).with_name("rewards.py")
MIX = f'[[reward]]\nuse = "math"\n[[reward]]\nuse = "{REWARDS}:distinct"\nweight = [[0, 0.5], [2, 1.5]]\n'


@pytest.fixture
def settings(tmp_path: Path, model_folder: Path) -> dict[str, Any]:
    """What a configuration file holds beside the rewards; JSON is YAML too."""
    data = tmp_path / "data"
    data.mkdir()
    rows = [{"prompt": f"What is {n}+{n}?", "answer": str(2 * n)} for n in range(8)]
    (data / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return {
        "model_name_or_path": str(model_folder),
        "dataset_name": str(data),
        "output_dir": str(tmp_path / "out"),
        "per_device_train_batch_size": 4,
        "num_generations": 4,
        "max_completion_length": 8,
        "max_steps": 2,
        "logging_steps": 1,
        "report_to": "none",
        "save_strategy": "steps",
        "save_steps": 2,
        "bf16": False,
        "use_cpu": True,
    }


def logged(settings: dict[str, Any]) -> list[dict[str, float]]:
    (state,) = Path(settings["output_dir"]).glob("checkpoint-2/trainer_state.json")
    return [entry for entry in json.loads(state.read_text())["log_history"] if "reward" in entry]


def test_trl_grpo_with_installed_rewards(tmp_path: Path, settings: dict[str, Any]) -> None:
    """The command as it is: accelerate starts another process."""
    settings["reward_funcs"] = ["hub_trl.rewards.math", "hub_trl.rewards.think_format"]
    settings["reward_weights"] = [1.0, 0.2]
    config = tmp_path / "grpo.yaml"
    config.write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("trl")), "grpo", "--config", str(config)],
        env={**os.environ, "HF_DATASETS_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    for entry in logged(settings):
        assert {"rewards/math/mean", "rewards/think-format/mean", "hub/failed/math"} <= entry.keys()
        assert entry["hub/missing"] == 0


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*pin_memory.*:UserWarning")
@pytest.mark.parametrize("way", ["exported", "HUB_MIX"])
def test_trls_script_with_a_mix(
    way: str, tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script that the command runs, in this process."""
    from trl.scripts import grpo

    mix = tmp_path / "mix.toml"
    mix.write_text(MIX, encoding="utf-8")
    exported = export("trl", mix, tmp_path / "to")
    if way == "exported":
        yaml = exported.instructions.split("--config FILE`:\n")[1].split("\nIn Python")[0]
        monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "to")])
    else:
        yaml = "reward_funcs: [hub_trl.total]\n"
        monkeypatch.setenv("HUB_MIX", str(mix))
        monkeypatch.setattr(sys, "path", list(sys.path))  # the script adds to it
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    config = tmp_path / "grpo.yaml"
    lines = [f"{key}: {json.dumps(value)}" for key, value in settings.items()]
    config.write_text("\n".join([*lines, yaml]), encoding="utf-8")
    try:
        parsed = grpo.make_parser().parse_args_and_config(["--config", str(config)])
        grpo.main(*parsed[:4])  # type: ignore[no-untyped-call]
    finally:
        sys.modules.pop(f"hub_trl_{mix.stem}", None)
    first, second = logged(settings)
    for entry, weight in ((first, 0.5), (second, 1.0)):
        assert entry["rewards/distinct/mean"] > 0
        parts = entry["rewards/math/mean"] + weight * entry["rewards/distinct/mean"]
        assert entry["reward"] == entry["rewards/total/mean"] == pytest.approx(parts, abs=1e-6)
