"""What torchforge's reward actor calls."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import hub
from hub.training.from_file import gatherer_of


@dataclass(frozen=True)
class Reward:
    """A mix for `RewardActor`; it is sent to the actor's process as the name of its file.

    Args:
        path: the mix file.
        sha256: its digest when it was exported; None: whatever it is now.
        label: which column the row's target becomes; a target that is a dict holds columns by name.
    """

    path: str
    sha256: str | None = None
    label: str = "answer"

    @property
    def __name__(self) -> str:
        """What the actor logs it as."""
        return "hub"

    def __call__(self, prompt: str, response: str, target: Any) -> float:
        """Return a sample's total: for `reward_functions=[...]`.

        A sample without one gets the mean of what is known of its prompt, 0.0 where nothing is: it cannot
        wait for the rest of its group, as these come after it.

        Raises:
            ConfigError: the mix file has changed or is wrong, or compares the samples of a prompt.
        """
        gatherer = gatherer_of(self.path, self.sha256)
        return gatherer.score(hub.Sample(prompt, response, self._columns(target))).value

    async def group(self, prompt: str, responses: Sequence[str], target: Any) -> list[hub.Lowered]:
        """Return the numbers of all samples of a prompt; one without a total gets the mean of the others.

        Raises:
            ConfigError: the mix file has changed or is wrong.
        """
        gatherer = await asyncio.to_thread(gatherer_of, self.path, self.sha256, len(responses))
        samples = [hub.Sample(prompt, response, self._columns(target), 0) for response in responses]
        return hub.lower(await gatherer.mix.ascore(samples), [0] * len(samples))

    def _columns(self, target: Any) -> dict[str, Any]:
        return dict(target) if isinstance(target, Mapping) else {self.label: target}
