"""What `hub export` wrote, run by verl's own code: one process does it all, as its imports take seconds."""

import json
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

import hub

SCRIPT = Path(__file__).with_name("in_verl.py")
Reply = dict[str, Any]


def values(found: list[Reply]) -> list[float]:
    return [one["reward_score"] for one in found]


def test_verl_trains_with_a_mix(
    exporting: Callable[..., hub.Exported],
    command_of: Callable[[hub.Exported], list[str]],
    in_trainers: Callable[..., Any],
    tmp_path: Path,
) -> None:
    overrides = {}
    for name in ("plain", "groups", "steps", "normalized", "gdpo", "columns", "changed", "named"):
        more = {"estimator": "gdpo"} if name in ("gdpo", "named") else {}
        overrides[name] = command_of(exporting(name, group_size=4, **more))[3:]
    (tmp_path / "changed.toml").write_text('[[reward]]\nuse = "rewards.py:exact"\n')
    composed = {name: overrides[name] for name in ("plain", "gdpo", "named")}
    found = in_trainers(SCRIPT, tmp_path, json.dumps(composed))

    check_values(found)
    check_advantages(found["advantages"]["all"], found["advantages"]["without"])
    check_groups(found)
    check_refusals(found["refused"])
    check_configuration(found["composed"], tmp_path)


def check_values(found: Reply) -> None:
    plain = found["plain"]
    assert values(plain) == [1.0, 12.5 / 3, 3.5, 8.0, 1.0, 2.5, 2.5, 4.0], "x failed: its group's mean"
    keys = ["score", "graded", "exact", "hub/missing", "hub/failed/graded", "hub/failed/exact"]
    assert all(list(one["reward_extra_info"]) == keys for one in plain)
    assert [one["reward_extra_info"]["hub/missing"] for one in plain[:4]] == [0.0, 1.0, 0.0, 0.0]
    assert plain[1]["reward_extra_info"]["hub/failed/graded"] == 1.0
    assert plain[2]["reward_extra_info"] == dict(zip(keys, [3.5, 3.0, 1.0, 0.0, 0.0, 0.0], strict=True))
    assert found["function"] == plain, "compute_score gives what the manager gives"
    assert values(found["all_failed"]) == [0.0] * 4
    assert all(one["reward_extra_info"]["hub/missing"] == 1.0 for one in found["all_failed"])
    assert values(found["validation"]) == [0.0], "alone in its group, so nothing to wait for"
    unmarked = found["unmarked"][0]["reward_extra_info"]
    assert unmarked["hub/missing"] == 1.0, "answered, though its group is never whole"
    assert values(found["columns"]) == [1.0] * 4
    assert values(found["steps"]) == [1.0, 1.0, 1.5, 2.0], "verl's step 1 is the first"
    assert values(found["gdpo"]) == values(plain[:4]), "raw values: verl normalises them"
    assert "no global_steps" in found["no_step"][0]
    assert "no column 'index'" in found["no_index"][0]
    assert "'test_score/hub': np.float64(2.75)" in found["eval"], "the mean of 2.5 and 3.0"


def check_advantages(four: dict[str, list[float]], three: dict[str, list[float]]) -> None:
    """A failed sample (the second) has no advantage, and the others' are those of the group without it."""
    n, k = 4, 3
    factors = {
        "grpo": sqrt((n - 1) / (k - 1)),
        "grpo_without_std": 1.0,
        "opo": 1.0,
        "rloo": n * (k - 1) / ((n - 1) * k),
        "reinforce_plus_plus_baseline": None,
        "gdpo": None,
    }
    for name, factor in factors.items():
        all_of, without = four[name], three[name]
        assert all_of[1] == pytest.approx(0, abs=1e-6), name
        others = [all_of[0], *all_of[2:]]
        if factor is None:  # whitened over the batch, whose only group it is
            factor = others[0] / without[0]
            assert factor > 0, name
        assert others == pytest.approx([factor * value for value in without], rel=1e-4), name
    others = [four["gae_returns"][0], *four["gae_returns"][2:]]
    assert others == three["gae_returns"], "PPO has no baseline of a group: nothing moves at all"


def check_groups(found: Reply) -> None:
    assert values(found["groups"]) == [41.0, 62.0, 374.0, 41.0, 21.0, 43.0], "4 in training, 2 in validation"
    assert "say which it is" in found["unknown_split"][0]
    normalized = values(found["normalized"])
    assert normalized[1] == pytest.approx(0), "x"
    assert sum(normalized) == pytest.approx(0)
    assert values(found["never_validates"]) == normalized
    # Two reward workers, each with two of the four samples of a group: every one saw all four.
    assert values(found["ray"]["one_by_one"]) == [41.0, 41.0, 62.0, 62.0, 374.0, 374.0, 44.0, 44.0]
    assert found["ray"]["placed"] == values(found["ray"]["one_by_one"])
    assert found["ray"]["sum"] == sum(found["ray"]["placed"])


def check_refusals(refused: dict[str, str | None]) -> None:
    expected = {
        "changed": "has changed since it was exported",
        "legacy_steps": "trainer.use_v1=True",
        "legacy_groups": "trainer.use_v1=False",
        "remax": "remax adds a greedy completion",
        "capacity": "set reward.num_workers=11 or more",
        "reward_model": "never asks a reward manager",
        "validation": "set it to at most 250, or actor_rollout_ref.rollout.val_kwargs.n to 1",
        "enough": None,
        "plain_is_free": None,
    }
    assert refused.keys() == expected.keys()
    for name, part in expected.items():
        message = refused[name]
        assert (message is None) if part is None else (message is not None and part in message), (
            name,
            message,
        )


def check_configuration(composed: dict[str, Reply], folder: Path) -> None:
    manager = composed["plain"]["reward.reward_manager"]
    assert (manager["source"], manager["name"]) == ("importlib", "HubRewardManager")
    assert manager["module"]["path"] == str(folder / "plain" / "hub_verl_reward.py")
    assert composed["plain"]["actor_rollout_ref.rollout.n"] == 4
    assert composed["plain"]["algorithm"]["adv_estimator"] == "grpo"
    gdpo = composed["gdpo"]["algorithm"]
    assert (gdpo["gdpo_reward_keys"], gdpo["gdpo_reward_weights"]) == (["graded", "exact"], [1.0, 0.5])
    assert composed["gdpo"]["trainer.use_v1"] is False
    assert composed["named"]["algorithm"]["gdpo_reward_keys"] == ["it's, $HOME", "two words"]
