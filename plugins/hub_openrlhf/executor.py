"""The executor: what OpenRLHF's rollout actors call for each sample, in place of their own."""

import asyncio
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

import hub
from hub.errors import ConfigError
from hub.training.from_file import mix_of
from hub.training.label import columns_of_label
from hub.training.needs import TOKENS
from hub.training.waiting import WHOLE_S
from hub_openrlhf.settings import Settings


@dataclass
class Siblings:
    """The samples of one prompt that one call generates.

    Args:
        name: the group's.
        size: how many there are; final once the first of them has been resumed.
    """

    name: int
    size: int = 0


def agent_executor(settings: Settings) -> type[Any]:
    """Return a class for `--train.agent_func_path`; the mix is read now, and checked.

    It generates as OpenRLHF's own executor does and scores on the event loop, where waiting for a group takes
    no thread. What a rollout actor generates for one prompt it begins at once, with the very same sampling
    parameters: so a group is known, its size too, which in evaluation is another one than in training.

    Args:
        settings: what was exported.

    Raises:
        ConfigError: the mix has changed since, or is wrong.
    """
    from openrlhf.utils.agent import SingleTurnAgentExecutor

    mix = mix_of(settings.path, settings.sha256)
    refuse_schedule(mix)

    class AgentExecutor(SingleTurnAgentExecutor):  # type: ignore[misc]
        """Generates one response per call, and scores it with a mix of the hub."""

        def __init__(self) -> None:
            super().__init__()
            self._groups = count()
            self._starting: dict[tuple[int, str], Siblings] = {}
            self._gatherer = cache(lambda size: hub.Gatherer(mix, group_size=size, wait_s=WHOLE_S))

        async def execute(
            self,
            prompt: str,
            label: Any,
            sampling_params: Any,
            max_length: int,
            hf_tokenizer: Any,
            llm_engine: Any,
            images: Any = None,
        ) -> dict[str, Any]:
            """Return a rollout with its reward."""
            key = (id(sampling_params), prompt)
            if key not in self._starting:
                self._starting[key] = Siblings(next(self._groups))
            siblings = self._starting[key]
            siblings.size += 1
            await asyncio.sleep(0)  # all that were created together have begun before one is resumed
            self._starting.pop(key, None)
            rollout: dict[str, Any] = await super().execute(
                prompt, label, sampling_params, max_length, hf_tokenizer, llm_engine, images
            )
            tokens = [
                token
                for start, end in rollout["action_ranges"]
                for token in rollout["observation_tokens"][start:end]
            ]
            text = hf_tokenizer.decode(tokens, skip_special_tokens=True)
            columns = {**columns_of_label(label, settings.label), TOKENS: tokens}
            sample = hub.Sample(prompt, text, columns, siblings.name)
            return rollout | as_reward(await self._gatherer(siblings.size).ascore(sample))

    return AgentExecutor


def as_reward(lowered: hub.Lowered) -> dict[str, Any]:
    """Return what OpenRLHF keeps of a sample's numbers; the same keys for every sample."""
    return {"reward": lowered.value, "scores": lowered.value, "extra_logs": lowered.numbers()}


def refuse_schedule(mix: hub.Mix) -> None:
    """Raise where a weight changes over steps.

    Raises:
        ConfigError: one does.
    """
    if mix.is_scheduled:
        raise ConfigError(
            "a weight changes over training steps, which OpenRLHF does not tell: use constant ones"
        )
