"""`hub export verl`: what is printed, and what is refused before training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError
from hub.training.export import export
from hub_verl.columns import columns_of
from hub_verl.overrides import override

Exporting = Callable[..., hub.Exported]


def test_the_overrides_name_the_file(
    exporting: Exporting, command_of: Callable[..., list[str]], tmp_path: Path
) -> None:
    exported = exporting("plain")
    assert command_of(exported) == [
        *("python", "-m", "verl.trainer.main_ppo"),
        "reward.reward_manager.source=importlib",
        f"reward.reward_manager.module.path={tmp_path}/plain/hub_verl_reward.py",
        "reward.reward_manager.name=HubRewardManager",
        "actor_rollout_ref.rollout.n=8",
        "algorithm.adv_estimator=grpo",
    ]
    function = f"reward.custom_reward_function.path={tmp_path}/plain/hub_verl_reward.py"
    assert f"#   {function} reward.custom_reward_function.name=compute_score" in exported.instructions
    assert f"+{function} +reward.custom_reward_function.name=evaluate" in exported.instructions
    text = (tmp_path / "plain" / "hub_verl_reward.py").read_text()
    compile(text, "hub_verl_reward.py", "exec")
    assert f"path='{tmp_path}/plain.toml'" in text


@pytest.mark.parametrize(
    ("name", "options", "lines"),
    [
        ("plain", {"estimator": "gae", "group_size": 1}, ["algorithm.adv_estimator=gae"]),
        ("normalized", {}, ["algorithm.adv_estimator=reinforce_plus_plus_baseline"]),
        (
            "normalized",
            {"estimator": "grpo"},
            ["algorithm.adv_estimator=grpo", "algorithm.norm_adv_by_std_in_grpo=False"],
        ),
        (
            "normalized",
            {"estimator": "gdpo"},
            [
                "algorithm.adv_estimator=gdpo",
                "+algorithm.gdpo_reward_keys=['graded','exact']",
                "+algorithm.gdpo_reward_weights=[1.0,0.5]",
                "trainer.use_v1=False",
            ],
        ),
    ],
)
def test_the_estimator_fits_the_mix(
    exporting: Exporting,
    command_of: Callable[..., list[str]],
    name: str,
    options: dict[str, Any],
    lines: list[str],
) -> None:
    assert command_of(exporting(name, **options))[7:] == lines


@pytest.mark.parametrize(
    ("name", "options", "has_functions", "raw"),
    [
        ("plain", {}, True, False),
        ("groups", {}, False, False),
        ("steps", {}, False, False),
        ("normalized", {}, False, False),
        ("normalized", {"estimator": "gdpo"}, True, True),
    ],
)
def test_functions_are_there_where_they_can_do_it(
    exporting: Exporting, name: str, options: dict[str, Any], has_functions: bool, raw: bool
) -> None:
    exported = exporting(name, **options)
    (text,) = exported.files.values()
    assert ("compute_score" in text) == ("main_eval" in text) == has_functions
    assert ("No compute_score" in exported.instructions) != has_functions
    assert f"raw={raw}" in text
    assert ("an actor that gathers them" in exported.instructions) == (
        name in ("groups",) or (name == "normalized" and not raw)
    )


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("plain", {"estimator": "grop"}, "no estimator 'grop': did you mean 'grpo'"),
        ("plain", {"group_size": 1}, "compares completions of one prompt"),
        ("groups", {"group_size": 1, "estimator": "gae"}, "compares completions of one prompt"),
        ("groups", {"estimator": "remax"}, "longest: remax adds a greedy completion"),
        ("plain", {"estimator": "gdpo"}, "say so in the mix too"),
    ],
)
def test_what_verl_cannot_do_is_refused(
    exporting: Exporting, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        exporting(name, **options)


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ('use = "rewards.py:graded"\nname = "uid"', "a column 'uid' of its own"),
        ('use = "rewards.py:graded"\nweight = [[0, 1.0], [9, 2.0]]', "changes over steps"),
        ('use = "rewards.py:longest"', "longest: needs whole groups"),
    ],
)
def test_gdpo_by_verl_has_limits(exporting: Exporting, tmp_path: Path, mix: str, message: str) -> None:
    (tmp_path / "mix.toml").write_text(f'aggregate = "normalize_then_sum"\n[[reward]]\n{mix}\n')
    with pytest.raises(ConfigError, match=message):
        export("verl", tmp_path / "mix.toml", tmp_path / "out", estimator="gdpo")


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("a.b", "/tmp/x-1.py", "a.b=/tmp/x-1.py"),
        ("a.b", "/my files/x.py", "\"a.b='/my files/x.py'\""),
        ("+a.b", ["math", "two words"], "\"+a.b=['math','two words']\""),
        ("a.b", True, "a.b=True"),
    ],
)
def test_overrides_are_quoted_for_hydra_and_the_shell(key: str, value: Any, text: str) -> None:
    assert override(key, value) == text


@pytest.mark.parametrize(
    ("data_source", "ground_truth", "extra_info", "columns"),
    [
        ("s", "4", {"index": 3}, {"index": 3, "data_source": "s", "answer": "4"}),
        ("s", None, None, {"data_source": "s"}),
        (None, 4, {"answer": "of the row"}, {"answer": 4}),
        (None, None, {"a": None, "rollout_reward_scores": {}, "num_turns": 2}, {"num_turns": 2}),
    ],
)
def test_columns(data_source: Any, ground_truth: Any, extra_info: Any, columns: dict[str, Any]) -> None:
    assert columns_of(data_source, ground_truth, extra_info, "answer") == columns
