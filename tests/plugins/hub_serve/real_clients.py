"""Asks a service with the trainers' own clients (openrlhf 0.11.2, miles-rl 0.0.2, verl 0.9.1); prints what they got."""

import asyncio
import json
import sys
from argparse import Namespace
from importlib import import_module
from typing import Any


async def openrlhf(url: str) -> Any:
    executor = import_module("openrlhf.utils.agent").SingleTurnAgentExecutor(f"{url}/get_reward")
    return await executor._fetch_rewards_via_http(["2+2?4<|im_end|>"], ["2+2?"], ["4"])


async def miles(url: str) -> Any:
    rewards, types = import_module("miles.rollout.rm_hub"), import_module("miles.utils.types")
    sample = types.Sample(prompt="2+2?", response="4", label=json.dumps({"answer": "4"}))
    return await rewards.remote_rm(Namespace(rm_url=f"{url}/remote_rm"), sample)


async def verl(url: str, engine: str) -> Any:
    RewardLoopWorker = import_module("verl.experimental.reward_loop.reward_loop").RewardLoopWorker
    worker = RewardLoopWorker.__new__(RewardLoopWorker)
    worker.reward_router_address = url.removeprefix("http://") + "/mixes/length"
    reward_model = Namespace(rollout=Namespace(name=engine), model_path="some/model")
    worker.config = Namespace(reward=Namespace(reward_model=reward_model))

    async def text_of(_: Any) -> str:  # in verl: a chat template, applied to what was generated
        return "four<|im_end|>"

    worker._preprocess_reward_inputs = text_of
    return await worker.compute_score_disrm(None)


async def main(url: str) -> None:
    found = {"openrlhf": await openrlhf(url), "miles": await miles(url)}
    found |= {engine: await verl(url, engine) for engine in ("vllm", "sglang")}
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
