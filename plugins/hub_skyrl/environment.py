"""A mix as a single-turn environment of SkyRL's gym."""

from typing import Any

from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput

import hub
from hub.training.from_file import gatherer_of
from hub.training.waiting import UNSURE_S
from hub_skyrl.columns import columns_of_row


class MixEnv(BaseTextEnv):  # type: ignore[misc]
    """Scores one completion, and ends.

    Columns are the row's `extra_info`, its other columns, and the ground truth of its `reward_spec`. A sample
    without a total waits, in its thread of the generator, for the rest of its group, and gets its mean.

    Args:
        env_config: the trainer's; not used.
        extras: the row's columns but prompt and environment.
        path: the mix file.
        sha256: its digest when it was exported.
        label: which column the ground truth becomes.
        group_size: samples per prompt; None in an evaluation, where nothing waits: a sample without a total
            gets the mean of what is known of its prompt, 0.0 where nothing is.

    Raises:
        ConfigError: the mix file has changed or is wrong, or compares completions.
    """

    def __init__(
        self,
        env_config: Any = None,
        extras: dict[str, Any] | None = None,
        *,
        path: str,
        sha256: str | None = None,
        label: str = "answer",
        group_size: int | None = None,
    ) -> None:
        super().__init__()
        self._columns = columns_of_row(extras or {}, label=label)
        self._gatherer = gatherer_of(path, sha256, group_size, wait_s=UNSURE_S)
        self._prompt: Any = ""
        self._numbers: dict[str, float] = {}

    def init(self, prompt: Any) -> tuple[Any, dict[str, Any]]:
        """Keep the prompt (messages)."""
        self._prompt = prompt
        return prompt, {}

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """Score the completion."""
        lowered = self._gatherer.score(hub.Sample(self._prompt, action, self._columns))
        self._numbers = lowered.numbers()
        return BaseTextEnvStepOutput(observations=[], reward=lowered.value, done=True, metadata=self._numbers)

    def get_metrics(self) -> dict[str, float]:
        """Return each reward's score, `hub/missing` and `hub/failed/<reward>`, which the trainer averages."""
        return dict(self._numbers)
