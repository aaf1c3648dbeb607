"""The rows through six trainers: `python in_small_trainers.py FOLDER`, with what was exported for each in it.

SkyRL's gym, Tinker's cookbook, verifiers and AReaL run their own code, made ready as by the scripts of their plugins'
tests. For NeMo RL and torchforge, which are on no package index, the hub's side of the border is called.
"""

import ast
import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

FOLDER = Path(sys.argv[1])
PLUGINS = Path(__file__).parents[1] / "plugins"
sys.path[:0] = [
    str(FOLDER / "skyrl"),
    *(str(PLUGINS / f"hub_{name}") for name in ("tinker", "verifiers", "areal")),
]

import hub_skyrl_mix  # noqa: E402
import in_areal  # noqa: E402
import in_tinker  # noqa: E402
import in_verifiers  # noqa: E402
import skyrl_gym  # noqa: E402

from hub_nemo_rl.environment import MixEnvironment  # noqa: E402
from hub_torchforge.reward import Reward  # noqa: E402

ROWS = [json.loads(line) for line in (FOLDER / "rows.jsonl").read_text().splitlines()]
GROUPS = [ROWS[start : start + 4] for start in range(0, len(ROWS), 4)]
OWN = ("prompt", "completion", "answer")


def columns(row, without=("prompt", "completion")):
    return {name: value for name, value in row.items() if name not in without}


def messages(row):
    return [{"role": "user", "content": row["prompt"]}]


def plain(value, missing):
    return [None if value is None else float(value).hex(), bool(missing)]


async def skyrl():
    hub_skyrl_mix.register()

    def episode(row):
        extras = {
            "reward_spec": {"ground_truth": row["answer"]},
            "extra_info": columns(row, OWN),
            "max_turns": 1,
        }
        env = skyrl_gym.make("hub", env_config={}, extras=extras)
        env.init(messages(row))
        return plain(env.step(row["completion"])["reward"], env.get_metrics()["hub/missing"])

    with ThreadPoolExecutor(32) as threads:  # as many as the trainer has
        return list(threads.map(episode, ROWS))


async def tinker():
    async def rollout(group):
        builder = in_tinker.MixGroupBuilder(
            renderer=in_tinker.Renderer(),
            prompt=messages(group[0]),
            columns=columns(group[0]),
            path=str(FOLDER / "mix.toml"),
            group_size=4,
        )
        policy = in_tinker.policy([row["completion"] for row in group])
        found = await in_tinker.do_group_rollout(builder, policy)
        missing = [numbers["hub/missing"] for numbers in found.metrics_G]
        return map(plain, found.get_total_rewards(), missing)

    return await in_groups(rollout)


class Row(in_verifiers.vf.TaskData):
    task: str
    answer: str
    reference: str = ""


async def verifiers():
    lines = (FOLDER / "verifiers.txt").read_text()

    async def scored(row):
        found = await in_verifiers.scored(lines, row["completion"], Row(**columns(row, ["completion"])))
        missing = bool(found["metrics"]["hub/missing"])
        assert bool(found["error"]) == missing, found["error"]
        return plain(None if missing else found["reward"], missing)

    return await asyncio.gather(*map(scored, ROWS))


async def areal():
    async def rollout(group):
        texts = [row["completion"] for row in group]
        rewards, logged = await in_areal.rollout(
            str(FOLDER / "mix.toml"), texts, group[0]["prompt"], **columns(group[0])
        )
        return map(plain, rewards.tolist(), [numbers["hub/missing"] for numbers in logged])

    return await in_groups(rollout)


async def nemo_rl(size=None, at_once=20):
    environment = MixEnvironment({"path": str(FOLDER / "mix.toml"), "group_size": size})

    async def step(rows):
        logs = [[*messages(row), {"role": "assistant", "content": row["completion"]}] for row in rows]
        found = await environment.step(logs, [columns(row) for row in rows])
        return map(plain, found.rewards.tolist(), [info["hub"]["hub/missing"] for info in found.metadata])

    batches = [ROWS[start : start + at_once] for start in range(0, len(ROWS), at_once)]
    return [one for found in await asyncio.gather(*map(step, batches)) for one in found]


async def torchforge():
    """The actor as its lines are printed."""
    logged = []
    known = {
        "dataclass": dataclass,
        "ForgeActor": object,
        "Reward": Reward,
        "endpoint": lambda function: function,
        "Reduce": SimpleNamespace(MEAN=0),
        "record_metric": lambda name, value, reduce: logged.append((name, value)),
    }
    lines = (FOLDER / "torchforge.txt").read_text().replace("\n", "\n    ")
    parsed = list(ast.walk(ast.parse(f"async def app():\n    {lines}")))
    (actor,) = (node for node in parsed if isinstance(node, ast.ClassDef))
    exec(compile(ast.Module([actor], []), "torchforge.txt", "exec"), known)
    made = known["HubRewardActor"](Reward(str(FOLDER / "mix.toml")))
    rewards = []
    for group in GROUPS:
        responses = [row["completion"] for row in group]
        rewards += await made.evaluate_group(group[0]["prompt"], responses, columns(group[0]))
    return list(map(plain, rewards, [value for name, value in logged if name == "reward/hub/missing"]))


async def in_groups(rollout):
    return [one for found in await asyncio.gather(*map(rollout, GROUPS)) for one in found]


async def run():
    return {
        "skyrl": await skyrl(),
        "tinker": await tinker(),
        "verifiers": await verifiers(),
        "areal": await areal(),
        "nemo-rl": await nemo_rl(),
        "nemo-rl, one by one": await nemo_rl(size=4, at_once=1),
        "torchforge": await torchforge(),
    }


print(json.dumps(asyncio.run(run())))
