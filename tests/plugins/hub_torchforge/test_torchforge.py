"""The reward for torchforge, called as its actor does; with a checkout at HUB_TORCHFORGE, by its own actor.

torchforge is paused, and its code is on no package index.
"""

import ast
import asyncio
import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.errors import ConfigError
from hub.training.export import export
from hub_torchforge.reward import Reward

HERE = Path(__file__).parent
REWARDS = HERE.parent / "hub_miles" / "rewards.py"
MIX = '[[reward]]\nuse = "rewards.py:same"\n'
COMPARING = '[[reward]]\nuse = "rewards.py:rank"\n'


def mix_file(folder: Path, text: str) -> Path:
    (folder / "rewards.py").write_text(REWARDS.read_text())
    (folder / "mix.toml").write_text(text)
    return folder / "mix.toml"


def sent(folder: Path, text: str = MIX) -> Reward:
    """The reward as it comes to the actor's process."""
    made: Reward = pickle.loads(pickle.dumps(Reward(str(mix_file(folder, text)))))
    return made


def test_one_sample_after_the_other(tmp_path: Path) -> None:
    """What is known when a sample fails: nothing, then two of its group."""
    reward = sent(tmp_path)
    asked = [reward("2+2?", response, "4") for response in ("break", "4", "5", "break")]
    assert asked == [0.0, 1.0, 0.0, 0.5]
    assert reward.__name__ == "hub"


def test_a_group_at_once(tmp_path: Path) -> None:
    got = asyncio.run(sent(tmp_path).group("2+2?", ["break", "4", "5", "4"], "4"))
    assert [one.value for one in got] == [pytest.approx(2 / 3), 1.0, 0.0, 1.0]
    assert [one.missing for one in got] == [True, False, False, False]


def test_a_target_with_several_columns(tmp_path: Path) -> None:
    reward = sent(tmp_path, '[[reward]]\nuse = "rewards.py:same"\nwhen = { task = "sums" }\n')
    target = {"answer": "4", "task": "sums"}
    assert reward("2+2?", "4", target) == 1.0
    assert [one.value for one in asyncio.run(reward.group("2+2?", ["4", "5"], target))] == [1.0, 0.0]


def test_a_mix_that_compares(tmp_path: Path) -> None:
    reward = sent(tmp_path, COMPARING)
    assert [one.value for one in asyncio.run(reward.group("q", ["1", "333", "22"], ""))] == [0.0, 2.0, 1.0]
    with pytest.raises(ConfigError, match="rank: needs all completions of a prompt"):
        reward("q", "1", "")


def test_what_is_printed(tmp_path: Path) -> None:
    path = mix_file(tmp_path, MIX)
    text = export("torchforge", path, tmp_path, label="solution").instructions
    assert "reward_functions=[Reward(" in text
    assert "label='solution'" in text
    compile(f"async def app():\n{text}".replace("\n", "\n    "), "instructions", "exec")
    mix_file(tmp_path, COMPARING)
    assert "reward_functions=" not in export("torchforge", path, tmp_path).instructions
    mix_file(tmp_path, MIX + "weight = [[0, 0.0], [9, 1.0]]")
    with pytest.raises(ConfigError, match="tells a reward no step"):
        export("torchforge", path, tmp_path)


def test_in_its_own_actor(tmp_path: Path) -> None:
    if "HUB_TORCHFORGE" not in os.environ:
        pytest.skip("needs a checkout of torchforge: set HUB_TORCHFORGE to its folder")
    tree = ast.parse((Path(os.environ["HUB_TORCHFORGE"]) / "apps/grpo/main.py").read_text())
    (actor,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "RewardActor")
    actor.decorator_list = []
    logged: dict[str, float] = {}
    known: dict[str, Any] = {
        "ForgeActor": object,
        "Callable": object,
        "endpoint": lambda function: function,
        "Reduce": SimpleNamespace(SUM=0, MEAN=1, STD=2),
        "record_metric": lambda name, value, reduce: logged.update({name: value}),
    }
    exec(compile(ast.Module([actor], []), "main.py", "exec"), known)
    made = SimpleNamespace(reward_functions=[sent(tmp_path)])
    assert asyncio.run(known["RewardActor"].evaluate_response(made, "q", "4", "4")) == 1.0
    assert logged["reward/evaluate_response/avg_hub_reward"] == 1.0
