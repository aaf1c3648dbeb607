"""`hub export openrlhf`: what is printed, and what is refused before training."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import BadInput, ConfigError
from hub.training.export import export
from hub_openrlhf.function import response_of, score
from hub_openrlhf.settings import Settings

Exporting = Callable[..., hub.Exported]


def command_of(exported: hub.Exported) -> list[str]:
    return shlex.split(exported.instructions.split("\n\n")[0].replace("\\\n", " "), comments=True)


def test_the_flags_name_the_file(exporting: Exporting, tmp_path: Path) -> None:
    exported = exporting("plain")
    file = tmp_path / "plain" / "hub_openrlhf_reward.py"
    assert command_of(exported) == [
        *("python", "-m", "openrlhf.cli.train_ppo_ray"),
        *("--train.agent_func_path", str(file)),
        *("--rollout.n_samples_per_prompt", "8"),
        *("--algo.advantage.estimator", "group_norm"),
    ]
    assert f"#   --reward.remote_url {file}" in exported.instructions
    text = file.read_text()
    compile(text, file.name, "exec")
    assert "AgentExecutor = " in text
    assert "def reward_func(" in text


@pytest.mark.parametrize("name", ["groups", "normalized"])
def test_no_thread_waits_for_a_group(exporting: Exporting, name: str) -> None:
    exported = exporting(name)
    (text,) = exported.files.values()
    assert "AgentExecutor = " in text
    assert "reward_func" not in text
    assert "--reward.remote_url" not in exported.instructions


@pytest.mark.parametrize(
    ("name", "options", "estimator"),
    [
        ("normalized", {}, "reinforce_baseline"),
        ("normalized", {"estimator": "group_norm"}, "group_norm"),
        ("plain", {"estimator": "gae", "group_size": 1}, "gae"),
    ],
)
def test_the_estimator_fits_the_mix(
    exporting: Exporting, name: str, options: dict[str, Any], estimator: str
) -> None:
    assert command_of(exporting(name, **options))[-2:] == ["--algo.advantage.estimator", estimator]


def test_with_a_service_there_is_no_file(exporting: Exporting, tmp_path: Path) -> None:
    exported = exporting("plain", url="http://rewards:8000/", label="gold standard", group_size=4)
    assert not exported.files
    assert command_of(exported)[3:5] == [
        "--reward.remote_url",
        "http://rewards:8000/get_reward?group_size=4&label=gold%20standard",
    ]
    assert f"hub serve {tmp_path}/plain.toml" in exported.instructions


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("steps", {}, "changes over training steps"),
        ("plain", {"estimator": "grpo"}, "no estimator 'grpo': did you mean 'dr_grpo'"),
        ("plain", {"group_size": 1}, "compares completions of one prompt"),
        ("groups", {"group_size": 1, "estimator": "gae"}, "compares completions of one prompt"),
        ("groups", {"url": "http://a:1"}, "longest: needs whole groups"),
        ("plain", {"url": "http://a:1,http://b:1"}, "URL of one service"),
    ],
)
def test_what_openrlhf_cannot_do_is_refused(
    exporting: Exporting, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        exporting(name, **options)


def test_a_reward_is_not_called_like_a_number_of_openrlhf(exporting: Exporting, tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_text('[[reward]]\nuse = "rewards.py:graded"\nname = "kl"\n')
    with pytest.raises(ConfigError, match="logs a 'kl' of its own"):
        export("openrlhf", tmp_path / "mix.toml", tmp_path / "out")


def test_a_response_that_is_not_known_is_an_error() -> None:
    assert response_of("6*7=42<|im_end|>", "6*7=") == "42"
    with pytest.raises(BadInput, match=r"does not start with the prompt.*--train.agent_func_path"):
        response_of("42", "What is 6 times 7?")


def test_a_batch_is_no_sample() -> None:
    with pytest.raises(BadInput, match="2 queries, 1 prompts and 2 labels"):
        score(Settings("mix.toml", ""), ["6*7=42", "1+1=2"], ["6*7="], ["42", "2"])
