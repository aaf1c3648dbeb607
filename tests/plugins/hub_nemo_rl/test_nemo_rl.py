"""The environment for NeMo RL, by its contract; with a checkout at HUB_NEMO_RL, in its own code.

NeMo RL is on no package index. The checkout's functions are taken from its source, without what that imports.
"""

import ast
import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from hub.errors import BadInput, ConfigError
from hub.training.export import export
from hub_nemo_rl.environment import MixEnvironment

torch = pytest.importorskip("torch")
HERE = Path(__file__).parent
REWARDS = HERE.parent / "hub_miles" / "rewards.py"
MIX = '[[reward]]\nuse = "rewards.py:same"\n\n[[reward]]\nuse = "rewards.py:short"\nweight = 0.0\n'
COMPARING = '[[reward]]\nuse = "rewards.py:rank"'
TEXTS = ["4", "break", "5", "4"]


def mix_file(folder: Path, text: str) -> Path:
    (folder / "rewards.py").write_text(REWARDS.read_text())
    (folder / "mix.toml").write_text(text)
    return folder / "mix.toml"


def environment(folder: Path, text: str = MIX, **config: Any) -> MixEnvironment:
    return MixEnvironment({"path": str(mix_file(folder, text)), **config})


def logs(texts: list[str], question: str = "2+2?") -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": question}, {"role": "assistant", "content": text}] for text in texts]


def infos(count: int) -> list[dict[str, Any]]:
    return [{"ground_truth": "4", "level": 2} for _ in range(count)]


def test_a_batch_of_whole_groups(tmp_path: Path) -> None:
    made = environment(tmp_path)
    batch = logs(TEXTS) + logs(["break"] * 2, "3+1?")
    observations, metadata, stops, rewards, terminateds, answers = asyncio.run(made.step(batch, infos(6)))
    assert rewards.tolist() == pytest.approx([1.0, 2 / 3, 0.0, 1.0, 0.0, 0.0])
    assert rewards.dtype == torch.float32
    assert terminateds.tolist() == [True] * 6
    assert len(observations) == len(stops) == len(metadata) == 6
    assert answers is None
    assert [info["hub"]["hub/missing"] for info in metadata] == [0.0, 1.0, 0.0, 0.0, 1.0, 1.0]
    _, metrics = made.global_post_process_and_metrics({"extra_env_info": metadata})
    assert metrics["hub/missing"] == 0.5
    assert metrics["short"] == pytest.approx(-2.0 * 4 / 6)
    again = asyncio.run(made.step(batch[:1], metadata[:1]))
    assert again.rewards.tolist() == [1.0]


def test_samples_that_come_one_by_one(tmp_path: Path) -> None:
    made = environment(tmp_path, group_size=4)

    async def steps() -> list[Any]:
        return list(await asyncio.gather(*(made.step(logs([text]), infos(1)) for text in TEXTS)))

    assert [step.rewards.item() for step in asyncio.run(steps())] == pytest.approx([1.0, 2 / 3, 0.0, 1.0])
    made.shutdown()


@pytest.mark.parametrize(
    ("batch", "rows", "message"),
    [([[]], 1, "conversation 0 is empty"), (logs(["4"]), 2, "1 conversations with metadata of 2")],
)
def test_a_batch_that_cannot_be_scored_says_why(tmp_path: Path, batch: Any, rows: int, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        asyncio.run(environment(tmp_path).step(batch, infos(rows)))


def test_prompts_with_equal_images_are_one_group(tmp_path: Path) -> None:
    def log(text: str) -> list[dict[str, Any]]:
        image = Image.new("RGB", (4, 4), "red")
        question = {"role": "user", "content": [{"type": "image", "image": image}]}
        return [question, {"role": "assistant", "content": text}]

    got = asyncio.run(environment(tmp_path, COMPARING).step([log("1"), log("333"), log("22")], infos(3)))
    assert got.rewards.tolist() == [0.0, 2.0, 1.0]


@pytest.mark.parametrize("group_size", [None, 3])
def test_whole_groups_are_compared(tmp_path: Path, group_size: int | None) -> None:
    made = environment(tmp_path, COMPARING, group_size=group_size)
    got = asyncio.run(made.step(logs(["1", "333", "22"]), infos(3)))
    assert got.rewards.tolist() == [0.0, 2.0, 1.0]


def test_what_is_printed(tmp_path: Path) -> None:
    text = export("nemo-rl", mix_file(tmp_path, COMPARING), tmp_path, group_size=4).instructions
    python, _, yaml = text.partition("# YAML")
    compile(python, "instructions", "exec")
    assert "hub_nemo_rl.actor.HubEnvironment" in python
    assert f'path: "{tmp_path / "mix.toml"}"' in yaml
    assert "group_size: 4" in yaml
    with pytest.raises(ConfigError, match="tells an environment no step"):
        export("nemo-rl", mix_file(tmp_path, COMPARING + "\nweight = [[0, 0.0], [9, 1.0]]"), tmp_path)


def taken(file: str, name: str, **known: object) -> Any:
    if "HUB_NEMO_RL" not in os.environ:
        pytest.skip("needs a checkout of NeMo RL: set HUB_NEMO_RL to its folder")
    tree = ast.parse((Path(os.environ["HUB_NEMO_RL"]) / file).read_text())
    (wanted,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
    exec(compile(ast.fix_missing_locations(ast.Module([future, wanted], [])), file, "exec"), known)
    return known[name]


def test_in_the_trainers_own_code(tmp_path: Path) -> None:
    made = environment(tmp_path)
    actor = SimpleNamespace(step=SimpleNamespace(remote=lambda *given: made.step(*given)))
    calculate_rewards = taken(
        "nemo_rl/experience/rollouts.py",
        "calculate_rewards",
        torch=torch,
        ray=SimpleNamespace(get=lambda futures: [asyncio.run(future) for future in futures]),
        EnvironmentReturn=lambda **given: SimpleNamespace(**given),
        get_keys_from_message_log=lambda log, keys: [{key: one[key] for key in keys} for one in log],
    )
    baseline_of = taken("nemo_rl/algorithms/utils.py", "calculate_baseline_and_std_per_prompt", torch=torch)
    batch = {"message_log": logs(TEXTS), "task_name": ["hub"] * 4, "extra_env_info": infos(4)}
    rewards = calculate_rewards(batch, {"hub": actor}).rewards
    prompts = torch.zeros(4, 2)
    baseline, _ = baseline_of(prompts, rewards, torch.ones(4), leave_one_out_baseline=False)
    others, _ = baseline_of(prompts[:3], rewards[[0, 2, 3]], torch.ones(3), leave_one_out_baseline=False)
    assert (rewards - baseline)[1].item() == pytest.approx(0.0, abs=1e-6)
    assert baseline[[0, 2, 3]].tolist() == pytest.approx(others.tolist())
    left_out, _ = baseline_of(prompts, rewards, torch.ones(4))
    without, _ = baseline_of(prompts[:3], rewards[[0, 2, 3]], torch.ones(3))
    factor = 4 * (3 - 1) / (3 * (4 - 1))
    expected = (rewards[[0, 2, 3]] - without) * factor
    assert (rewards - left_out)[[0, 2, 3]].tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert (rewards - left_out)[1].item() == pytest.approx(0.0, abs=1e-6)
