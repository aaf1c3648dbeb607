"""The rows through OpenRLHF's executor, ours and its own with `reward_func`: `python in_openrlhf.py FOLDER`."""

import asyncio
import importlib.util
import json
import sys
from collections import deque
from pathlib import Path
from types import SimpleNamespace

from openrlhf.utils.agent import SingleTurnAgentExecutor
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

FOLDER = Path(sys.argv[1])
ROWS = [json.loads(line) for line in (FOLDER / "rows.jsonl").read_text().splitlines()]


def byte_tokenizer():
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(symbols)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokens = {"eos_token": "<|im_end|>", "pad_token": "<|pad|>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **tokens)


TOKENIZER = byte_tokenizer()


class Engine:
    """Answers a prompt with its completions, one after the other."""

    def __init__(self):
        self.left = {}
        for row in ROWS:
            self.left.setdefault(row["prompt"], deque()).append(row["completion"])

    async def generate(self, ids, params, multi_modal_data=None):
        text = self.left[TOKENIZER.decode(ids)].popleft()
        tokens = [*TOKENIZER(text)["input_ids"], TOKENIZER.eos_token_id]
        output = SimpleNamespace(token_ids=tokens, text=text, finish_reason="stop", logprobs=None)
        return SimpleNamespace(outputs=[output])


FILE = FOLDER / "openrlhf" / "hub_openrlhf_reward.py"


async def rolled_out(executor):
    engine, asked = Engine(), []
    for start in range(0, len(ROWS), 4):
        params = SimpleNamespace(max_tokens=100_000, logprobs=None)  # one object for the samples of a prompt
        for row in ROWS[start : start + 4]:
            label = {key: value for key, value in row.items() if key not in ("prompt", "completion")}
            call = executor.execute(row["prompt"], json.dumps(label), params, 200_000, TOKENIZER, engine)
            asked.append(call)
    found = await asyncio.gather(*asked)
    return [[float(one["reward"]).hex(), bool(one["extra_logs"]["hub/missing"])] for one in found]


async def run():
    spec = importlib.util.spec_from_file_location("agent", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [await rolled_out(module.AgentExecutor()), await rolled_out(SingleTurnAgentExecutor(str(FILE)))]


print(json.dumps(asyncio.run(run())))
