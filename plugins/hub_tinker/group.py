"""One prompt's environments for Tinker's cookbook, scored together."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tinker
from tinker_cookbook.rl.types import Env, EnvGroupBuilder, StepResult

import hub
from hub.training.from_file import gatherer_of


@dataclass(frozen=True)
class MixGroupBuilder(EnvGroupBuilder):  # type: ignore[misc]
    """Builds the environments of one prompt, and scores what came of them with a mix.

    It can be pickled where its renderer and columns can.

    Args:
        renderer: a `tinker_cookbook.renderers.Renderer`.
        prompt: chat messages.
        columns: the row's other columns, such as `answer`.
        path: the mix file.
        group_size: completions.
        sha256: the file's digest when it was exported; None: whatever it is now.
        step: the training step, for schedules: the index of the batch; None: the end of each schedule.
        name: of the data set, for the log.
    """

    renderer: Any
    prompt: Sequence[Mapping[str, Any]]
    columns: Mapping[str, Any]
    path: str
    group_size: int
    sha256: str | None = None
    step: int | None = None
    name: str = "hub"

    async def make_envs(self) -> list["MixEnv"]:
        """Return an environment per completion."""
        return [MixEnv(self.renderer, list(self.prompt)) for _ in range(self.group_size)]

    async def compute_group_rewards(
        self, trajectory_group: Sequence[Any], env_group: Sequence["MixEnv"]
    ) -> list[tuple[float, dict[str, float]]]:
        """Return each completion's total, or what stands for it, and the numbers to log.

        Raises:
            ConfigError: the mix file has changed, or is wrong.
            RewardFailed: a reward failed, and the mix says `on_failure = "raise"`.
        """
        gatherer = await asyncio.to_thread(gatherer_of, self.path, self.sha256, self.group_size)
        samples = [
            hub.Sample(list(self.prompt), env.text, {"completion_ids": env.tokens, **self.columns}, 0)
            for env in env_group
        ]
        results = await gatherer.mix.ascore(samples, step=self.step)
        return [(one.value, one.numbers()) for one in hub.lower(results, [0] * len(samples))]

    def logging_tags(self) -> list[str]:
        """Return the name under which the trainer logs."""
        return [self.name]


@dataclass
class MixEnv(Env):  # type: ignore[misc]
    """Takes one completion; its reward is the group's to give."""

    renderer: Any
    prompt: list[Any]
    tokens: list[int] = field(default_factory=list)
    text: str = ""

    async def initial_observation(self) -> tuple[Any, Any]:
        """Return the prompt's tokens and where to stop."""
        return self.renderer.build_generation_prompt(self.prompt), self.renderer.get_stop_sequences()

    async def step(self, action: list[int], *, extra: Any = None) -> StepResult:
        """Keep the completion."""
        message, _ = self.renderer.parse_response(action)
        self.tokens, self.text = list(action), text_of(message["content"])
        return StepResult(
            reward=0.0,
            episode_done=True,
            next_observation=tinker.ModelInput.empty(),
            next_stop_condition=self.renderer.get_stop_sequences(),
        )


def text_of(content: str | Sequence[Mapping[str, Any]]) -> str:
    """Return a message's text as the model wrote it, with its reasoning in <think> and </think>."""
    if isinstance(content, str):
        return content
    kinds = {"text": "{text}", "thinking": "<think>{thinking}</think>"}
    return "".join(kinds[part["type"]].format(**part) for part in content if part["type"] in kinds)
