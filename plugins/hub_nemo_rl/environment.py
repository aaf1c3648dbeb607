"""A mix as NeMo RL's `EnvironmentInterface` has it (nemo_rl/environments/interfaces.py)."""

import asyncio
from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any, NamedTuple

import hub
from hub.errors import BadInput
from hub.training.from_file import mix_of
from hub.training.prompt import prompt_key
from hub.training.waiting import SURE_S, UNSURE_S

NUMBERS = "hub"
"""Under which key of a sample's metadata its numbers are kept for the metrics."""


class Returned(NamedTuple):
    """What a step gives back, as NeMo RL's `EnvironmentReturn`; one of each per sample."""

    observations: list[dict[str, str]]
    metadata: list[Any]
    next_stop_strings: list[None]
    rewards: Any
    terminateds: Any
    answers: None


class MixEnvironment:
    """Scores completions in one turn, and ends.

    Args:
        config: `path`, the mix file, `sha256`, its digest when it was exported, and `group_size`: None where
            a step gets whole groups, as in synchronous rollouts; else samples per prompt.

    Raises:
        ConfigError: the mix file has changed or is wrong, or a reward cannot be set up.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._mix = mix_of(config["path"], config.get("sha256"))
        self._mix.warm()
        size = config.get("group_size")
        wait_s = SURE_S if self._mix.compares else UNSURE_S  # a validation may have another number
        self._gatherer = size and hub.Gatherer(self._mix, group_size=size, wait_s=wait_s)

    async def step(self, message_log_batch: Sequence[Sequence[Any]], metadata: Sequence[Any]) -> Returned:
        """Score the last message of each conversation; what comes before it is the prompt.

        Args:
            message_log_batch: chat messages.
            metadata: each row's `extra_env_info`, whose entries are the columns.

        Raises:
            BadInput: a conversation is empty, or there are not as many metadata as conversations.
        """
        import torch

        if len(message_log_batch) != len(metadata):
            raise BadInput(f"{len(message_log_batch)} conversations with metadata of {len(metadata)}")
        samples = [
            sample_of(log, columns_of(info), index)
            for index, (log, info) in enumerate(zip(message_log_batch, metadata, strict=True))
        ]
        if self._gatherer:
            lowered = await asyncio.gather(*map(self._gatherer.ascore, samples))
        else:
            results = await self._mix.ascore(samples)
            lowered = hub.lower(results, [sample.group for sample in samples])
        return Returned(
            observations=[{"role": "environment", "content": ""} for _ in samples],
            metadata=[
                {**(info or {}), NUMBERS: one.numbers()} for info, one in zip(metadata, lowered, strict=True)
            ],
            next_stop_strings=[None] * len(samples),
            rewards=torch.tensor([one.value for one in lowered], dtype=torch.float32),
            terminateds=torch.ones(len(samples), dtype=torch.bool),
            answers=None,
        )

    def global_post_process_and_metrics(self, batch: Any) -> tuple[Any, dict[str, float]]:
        """Return the batch as it is, and the mean of each reward's score and of what is missing."""
        numbers = [info[NUMBERS] for info in batch["extra_env_info"] if info and NUMBERS in info]
        names = numbers[0] if numbers else ()
        return batch, {name: fsum(each[name] for each in numbers) / len(numbers) for name in names}

    def shutdown(self) -> None:
        """Answer what waits, and end the threads."""
        if self._gatherer:
            self._gatherer.close()


def sample_of(log: Sequence[Any], columns: Mapping[str, Any], index: int) -> hub.Sample:
    """Return a conversation as a sample.

    Raises:
        BadInput: it is empty.
    """
    if not log:
        raise BadInput(f"conversation {index} is empty: there is no completion to score")
    prompt = list(log[:-1])
    return hub.Sample(prompt, str(log[-1]["content"]), columns, prompt_key(prompt))


def columns_of(info: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a row's columns: its metadata, where NeMo RL's `ground_truth` is called `answer` too."""
    columns = {name: value for name, value in (info or {}).items() if name != NUMBERS}
    if "ground_truth" in columns:
        columns.setdefault("answer", columns["ground_truth"])
    return columns
