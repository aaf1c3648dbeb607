"""verl's own code with what `hub export` wrote: run among the trainers by test_verl.py; prints JSON."""

import asyncio
import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import ray
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from verl import DataProto
from verl.experimental.reward_loop import RewardLoopManager
from verl.trainer import main_eval
from verl.trainer.ppo import core_algos
from verl.trainer.ppo.reward import load_reward_manager

import hub_verl.scores

FOLDER = Path(sys.argv[1])
TOKENS = ["<pad>", "<eos>", *(chr(code) for code in range(32, 127)), "\n"]
NUMBER = {token: number for number, token in enumerate(TOKENS)}
LONGEST = 64


def make_tokenizer():
    tokenizer = Tokenizer(models.WordLevel(NUMBER, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")
    made.save_pretrained(FOLDER / "tokenizer")
    return made


TOKENIZER = make_tokenizer()


def config(file, *, manager="HubRewardManager", **settings):
    """What a user configures: verl's own defaults and the overrides of the reward."""
    read = OmegaConf.create(
        {
            "trainer": {"experiment_name": "test", "use_v1": True},
            "actor_rollout_ref": {
                "model": {"tokenizer_path": str(FOLDER / "tokenizer"), "path": str(FOLDER / "tokenizer")},
                "rollout": {"n": 4, "val_kwargs": {"n": 1}},
            },
            "algorithm": {"adv_estimator": "grpo"},
            "data": {"train_batch_size": 8},
            "reward": {
                "num_workers": 1,
                "custom_reward_function": {"path": None, "name": "compute_score"},
                "reward_manager": {
                    "source": "register",
                    "name": "naive",
                    "module": {"path": None, "name": None},
                },
                "reward_model": {"enable": False},
                "sandbox_fusion": {"url": None},
                "reward_kwargs": {},
            },
        }
    )
    if manager == "HubRewardManager":
        read.reward.reward_manager = {"source": "importlib", "name": manager, "module": {"path": str(file)}}
    else:
        read.reward.reward_manager.name = manager
        read.reward.custom_reward_function.path = str(file)
    for key, value in settings.items():
        OmegaConf.update(read, key.replace("__", "."), value)
    return read


def batch_of(rows):
    """The batch as verl's agent loop makes it: responses padded behind, rows as arrays of objects."""
    count = len(rows)
    prompt = torch.tensor([[NUMBER["Q"], NUMBER["?"]]] * count)
    responses = torch.zeros((count, LONGEST), dtype=torch.long)
    mask = torch.zeros((count, LONGEST), dtype=torch.long)
    for index, row in enumerate(rows):
        tokens = [NUMBER[letter] for letter in row["text"]] + [NUMBER["<eos>"]]
        responses[index, : len(tokens)] = torch.tensor(tokens)
        mask[index, : len(tokens)] = 1
    columns = {
        "uid": [row.get("uid", "u") for row in rows],
        "data_source": [row.get("source", "test") for row in rows],
        "reward_model": [{"style": "rule", "ground_truth": row.get("truth")} for row in rows],
        "extra_info": [dict(row.get("extra", {})) for row in rows],
        "raw_prompt": [[{"role": "user", "content": "Q?"}] for _ in rows],
        "__num_turns__": [2] * count,
    }
    if "step" in rows[0]:
        columns["global_steps"] = [row["step"] for row in rows]
    arrays = {}
    for name, values in columns.items():
        arrays[name] = np.empty(count, dtype=object)
        arrays[name][:] = values
    attention = torch.cat([torch.ones_like(prompt), mask], dim=1)
    tensors = {"prompts": prompt, "responses": responses, "attention_mask": attention}
    return DataProto.from_dict(tensors=tensors, non_tensors=arrays)


def scored(settings, rows):
    """One call per sample, all at once, as the agent loop does it."""

    async def run():
        manager = load_reward_manager(settings, TOKENIZER)
        batch = batch_of(rows)
        calls = (manager.run_single(batch[index : index + 1]) for index in range(len(rows)))
        return await asyncio.gather(*calls, return_exceptions=True)

    return [
        f"{type(found).__name__}: {found}" if isinstance(found, BaseException) else found
        for found in asyncio.run(run())
    ]


def refused(settings):
    """What loading the reward manager raises."""
    try:
        asyncio.run(_load(settings))
    except Exception as error:
        return f"{type(error).__name__}: {error}" + (f" <- {error.__cause__}" if error.__cause__ else "")
    return None


async def _load(settings):
    return load_reward_manager(settings, TOKENIZER)


def group(texts, uid="u", **row):
    return [{"text": text, "uid": uid, **row} for text in texts]


def advantages(results):
    """verl's own estimators on a batch; one number per sample, as the reward is of the whole response."""
    values = [found["reward_score"] for found in results]
    width = 3
    rewards = torch.zeros((len(values), width))
    rewards[:, -1] = torch.tensor(values)
    mask = torch.ones((len(values), width))
    index = np.array(["u"] * len(values), dtype=object)
    given = {"token_level_rewards": rewards, "response_mask": mask, "index": index}
    found = {}
    for name in ("grpo", "rloo", "reinforce_plus_plus_baseline", "opo"):
        found[name] = core_algos.get_adv_estimator_fn(name)(
            **{**given, "token_level_rewards": rewards.clone()}
        )[0]
    found["grpo_without_std"] = core_algos.compute_grpo_outcome_advantage(
        **{**given, "token_level_rewards": rewards.clone()}, norm_adv_by_std_in_grpo=False
    )[0]
    columns = {
        name: np.array([one["reward_extra_info"][name] for one in results]) for name in ("graded", "exact")
    }
    attention = torch.ones((len(values), width + 2), dtype=torch.long)
    found["gdpo"] = core_algos.compute_gdpo_outcome_advantage(
        **{**given, "token_level_rewards": rewards.clone()},
        config={"gdpo_reward_keys": ["graded", "exact"], "gdpo_reward_weights": [1.0, 0.5]},
        non_tensor_batch=columns,
        batch={"prompts": torch.zeros((len(values), 2)), "attention_mask": attention},
    )[0]
    gae = core_algos.compute_gae_advantage_return(rewards, torch.full_like(rewards, 0.25), mask, 1.0, 0.95)
    found["gae_returns"] = gae[1]
    return {name: tensor[:, 0].tolist() for name, tensor in found.items()}


def with_ray(name, rows, workers):
    """A whole batch through verl's reward workers, which are Ray actors."""
    settings = config(FOLDER / name / "hub_verl_reward.py", reward__num_workers=workers)
    manager = RewardLoopManager(settings)
    batch = batch_of(rows)
    handles = manager.reward_loop_worker_handles
    order = [handles[index // 2 % workers] for index in range(len(rows))]  # each group over all workers
    asked = [handle.compute_score.remote(batch[i : i + 1]) for i, handle in enumerate(order)]
    one_by_one = ray.get(asked, timeout=120)
    whole = manager.compute_rm_score(batch)
    lengths = [len(row["text"]) for row in rows]
    return {
        "one_by_one": one_by_one,
        "placed": [whole.batch["rm_scores"][i, length].item() for i, length in enumerate(lengths)],
        "sum": whole.batch["rm_scores"].sum().item(),
        "keys": whole.meta_info["reward_extra_keys"],
    }


def evaluated(file):
    """`python -m verl.trainer.main_eval` with the function for it; Ray is up already."""
    frame = pd.DataFrame(
        {
            "data_source": ["hub"],
            "responses": [["2", "3"]],
            "reward_model": [{"ground_truth": "2"}],
        }
    )
    frame.to_parquet(FOLDER / "eval.parquet")
    function = "reward.custom_reward_function"
    sys.argv = [
        "main_eval",
        f"data.path={FOLDER / 'eval.parquet'}",
        f"hydra.run.dir={FOLDER}",
        "hydra.output_subdir=null",
    ]
    sys.argv += [f"+{function}.path={file}", f"+{function}.name=evaluate"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main_eval.main()
    return out.getvalue()


def composed(overrides):
    """verl's whole configuration with the overrides that were printed."""
    with initialize_config_module("verl.trainer.config", version_base=None):
        read = compose("ppo_trainer", overrides)
    picked = ["reward.reward_manager", "algorithm", "actor_rollout_ref.rollout.n", "trainer.use_v1"]
    found = {key: OmegaConf.select(read, key) for key in picked}
    return {key: OmegaConf.to_container(v) if OmegaConf.is_config(v) else v for key, v in found.items()}


def main():
    def file(name):
        return FOLDER / name / "hub_verl_reward.py"

    # Validation data that does not say so: three of its supposed group of four never come.
    hub_verl.scores.UNSURE_S = 0.5
    found_unmarked = scored(config(file("steps")), [{"text": "x", "uid": "w", "step": 1}])
    hub_verl.scores.UNSURE_S = 60.0
    failing = group(["1", "x", "3", "8"], "a", truth="3", extra={"index": 1})
    whole = group(["1", "2", "2", "4"], "b", truth="2", extra={"index": 2, "split": "train", "none": None})
    found = {"plain": scored(config(file("plain")), [*failing, *whole])}
    found["unmarked"] = found_unmarked
    found["advantages"] = {"all": advantages(found["plain"][:4])}
    found["advantages"]["without"] = advantages([found["plain"][i] for i in (0, 2, 3)])
    found["all_failed"] = scored(config(file("plain")), group(["x"] * 4, "c", truth="3"))
    validation = group(["x"], "v", truth="3", extra={"split": "test"})
    found["validation"] = scored(config(file("plain")), validation)
    found["groups"] = scored(
        config(file("groups"), actor_rollout_ref__rollout__val_kwargs__n=2),
        [
            *group(["1", "22", "333", "1"], "a", extra={"split": "train"}),
            *group(["1", "22"], "b", extra={"split": "val"}),
        ],
    )
    found["unknown_split"] = scored(config(file("groups")), group(["1"], "a"))
    found["steps"] = scored(
        config(file("steps")), [{"text": "1", "uid": str(n), "step": n} for n in (0, 1, 6, 11)]
    )
    found["no_step"] = scored(config(file("steps")), group(["1"]))
    split = [{**row, "extra": {"split": "train"}} for row in failing]
    found["normalized"] = scored(config(file("normalized")), split)
    unsplit = config(file("normalized"), trainer={"val_before_train": False})
    found["never_validates"] = scored(unsplit, failing)
    found["gdpo"] = scored(config(file("gdpo"), trainer__use_v1=False), failing)
    found["columns"] = scored(
        config(file("columns")),
        [
            {"text": "1", "uid": "a", "source": "s", "truth": np.array(["p", "q"], dtype=object),
             "extra": {"tests": np.array(["t"], dtype=object), "missing": None, "n": np.int64(3)}}
        ] * 4,
    )  # fmt: skip
    function = config(file("plain"), manager="naive")
    found["function"] = scored(function, [*failing, *whole])
    found["no_index"] = scored(function, group(["1"], truth="3"))
    big = {"data__train_batch_size": 1024, "actor_rollout_ref__rollout__n": 8}
    found["refused"] = {
        "changed": refused(config(file("changed"))),
        "legacy_steps": refused(config(file("steps"), trainer__use_v1=False)),
        "legacy_groups": refused(config(file("groups"), trainer__use_v1=False)),
        "remax": refused(config(file("groups"), algorithm__adv_estimator="remax")),
        "capacity": refused(config(file("groups"), **big)),
        "enough": refused(config(file("groups"), **big, reward__num_workers=11)),
        "plain_is_free": refused(config(file("plain"), **big)),
        "reward_model": refused(config(file("plain"), reward__reward_model__enable=True)),
        "validation": refused(
            config(file("groups"), actor_rollout_ref__rollout__val_kwargs__n=4, data__val_files="v.parquet")
        ),
    }
    found["composed"] = {name: composed(given) for name, given in json.loads(sys.argv[2]).items()}
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    rows = [
        {"text": text, "uid": uid, "extra": {"split": "train"}}
        for text in ("1", "22", "333", "4")
        for uid in "ab"
    ]
    found["ray"] = with_ray("groups", rows, 2)
    found["eval"] = evaluated(file("plain"))
    print(json.dumps(found))


main()
