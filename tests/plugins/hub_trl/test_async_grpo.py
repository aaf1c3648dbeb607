"""Scoring as AsyncGRPOTrainer's worker does it: TRL's real `_score_group`, without vLLM."""

import asyncio
import dataclasses
from typing import Any

import numpy as np
import pytest
from accelerate import PartialState  # type: ignore[import-untyped]
from trl.experimental.async_grpo import async_rollout_worker

import hub
import hub_trl
from hub_trl.versions import LEAVES_OUT_MISSING, has

PROMPT = [{"role": "user", "content": "What is 2+2?"}]
TEXTS = ["4", "bad", "<think>a</think>4", "55"]


@hub.reward(lane="inline", needs=["answer"])
def right(sample: hub.Sample) -> float:
    if sample.text == "bad":
        raise ValueError("it is bad")
    return float(sample.text.endswith(sample["answer"]))


@hub.reward(lane="inline", group=True, needs=[])
def longest(samples: list[hub.Sample]) -> list[float]:
    most = max(len(sample.text) for sample in samples)
    return [float(len(sample.text) == most) for sample in samples]


def group() -> Any:
    """One group as the worker holds it."""
    count = len(TEXTS)
    values: dict[str, Any] = {
        "prompt": PROMPT,
        "prompts": [PROMPT] * count,
        "prompt_ids": [1],
        "reward_kwargs": {"answer": ["4"] * count},
        "completions": [[{"role": "assistant", "content": text}] for text in TEXTS],
        "completions_ids": [[2, 3]] * count,
        "completions_logprobs": [[-1.0, -1.0]] * count,
        "tool_mask": [[1, 1]] * count,
        "tool_call_counts": [0] * count,
        "tool_failure_counts": [0] * count,
        "model_version": 0,
        "group_id": 0,
        "env_rewards": [None] * count,
        "rollout_rewards": [None] * count,
    }
    kind = async_rollout_worker.RolloutGroup
    sequence = getattr(async_rollout_worker, "TrainingSequence", None)
    if sequence is not None:
        row = {"input_ids": [1, 2, 3], "completion_mask": [0, 1, 1], "old_log_probs": [0.0, -1.0, -1.0]}
        values["completions_sequences"] = [[made(sequence, row)]] * count
    if "prompt" not in {field.name for field in dataclasses.fields(kind)}:
        values["prompt_ids"] = [[1]] * count
    return made(kind, values)


def made(kind: Any, values: dict[str, Any]) -> Any:
    """An object of a data class, whatever fields this version of it has."""
    fields = dataclasses.fields(kind)
    return kind(**{field.name: values.get(field.name) for field in fields if field.name != "queued_at"})


def scored(functions: list[Any]) -> list[Any]:
    PartialState(cpu=True)
    kind = getattr(async_rollout_worker, "_AsyncRolloutLoop", None) or async_rollout_worker.AsyncRolloutWorker
    worker = kind.__new__(kind)
    worker.reward_funcs = functions
    worker.reward_func_names = [function.__name__ for function in functions]
    worker._env_reward_types = []
    return list(asyncio.run(worker._score_group(group())))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_group_is_scored_as_the_mix_says(asynchronous: bool, engine: hub.Engine) -> None:
    mix = hub.Mix(
        {right: 1.0, longest: 0.5, "think-format": {"weight": 0.25, "gate": "right >= 1"}}, on_failure="mask"
    )
    functions = hub_trl.reward_funcs(mix, algorithm="async_grpo", asynchronous=asynchronous, engine=engine)
    samples = scored(functions)
    valid = np.array([1.0, 1.75, 0.0])
    # Before, the failed one is given the others' mean, so that the deviation is over 4 samples.
    deviation = valid.std() * (1.0 if has(LEAVES_OUT_MISSING) else (3 / 4) ** 0.5)
    expected = (valid - valid.mean()) / (deviation + 1e-8)
    found = [sample.advantage for sample in samples]
    assert found[1] == pytest.approx(0, abs=1e-6)
    assert [found[0], found[2], found[3]] == pytest.approx(list(expected), abs=1e-6)
    assert [sample.metrics["reward"] for sample in samples][2] == 1.75
    assert samples[2].metrics["rewards/think-format"] == 0.25
