"""The rows through verl's own reward managers, with what `hub export` wrote: `python in_verl.py FOLDER`."""

import asyncio
import json
import sys
from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from verl import DataProto
from verl.trainer.ppo.reward import load_reward_manager

FOLDER = Path(sys.argv[1])
ROWS = [json.loads(line) for line in (FOLDER / "rows.jsonl").read_text().splitlines()]


def byte_tokenizer():
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(symbols)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokens = {"eos_token": "<|im_end|>", "pad_token": "<|pad|>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **tokens)


def batch_of(row, tokenizer):
    tokens = [*tokenizer(row["completion"])["input_ids"], tokenizer.eos_token_id]
    own = {key: value for key, value in row.items() if key not in ("prompt", "completion", "answer")}
    columns = {
        "uid": row["prompt"],
        "data_source": row["task"],
        "reward_model": {"style": "rule", "ground_truth": row["answer"]},
        "extra_info": {**own, "split": "train", "index": row["prompt"]},
        "raw_prompt": [{"role": "user", "content": row["prompt"]}],
        "__num_turns__": 2,
    }
    arrays = {}
    for name, value in columns.items():
        arrays[name] = np.empty(1, dtype=object)
        arrays[name][0] = value
    prompt, response = torch.tensor([[1, 2]]), torch.tensor([tokens])
    attention = torch.ones((1, 2 + len(tokens)), dtype=torch.long)
    tensors = {"prompts": prompt, "responses": response, "attention_mask": attention}
    return DataProto.from_dict(tensors=tensors, non_tensors=arrays)


async def scored(tokenizer, manager, function=None):
    config = OmegaConf.create(
        {
            "trainer": {"experiment_name": "parity", "use_v1": True},
            "actor_rollout_ref": {"rollout": {"n": 4, "val_kwargs": {"n": 1}}},
            "algorithm": {"adv_estimator": "grpo"},
            "data": {"train_batch_size": 125},
            "reward": {
                "num_workers": 1,
                "custom_reward_function": {"path": function, "name": "compute_score"},
                "reward_manager": manager,
                "reward_model": {"enable": False},
                "sandbox_fusion": {"url": None},
                "reward_kwargs": {},
            },
        }
    )
    loaded = load_reward_manager(config, tokenizer)
    found = await asyncio.gather(*(loaded.run_single(batch_of(row, tokenizer)) for row in ROWS))
    return [[one["reward_score"].hex(), bool(one["reward_extra_info"]["hub/missing"])] for one in found]


async def run():
    tokenizer, file = byte_tokenizer(), str(FOLDER / "verl" / "hub_verl_reward.py")
    ours = {"source": "importlib", "name": "HubRewardManager", "module": {"path": file}}
    naive = {"source": "register", "name": "naive", "module": {"path": None, "name": None}}
    return [await scored(tokenizer, ours), await scored(tokenizer, naive, file)]


print(json.dumps(asyncio.run(run())))
