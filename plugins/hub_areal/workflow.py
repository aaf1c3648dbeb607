"""AReaL's single-turn workflow, with a mix for its rewards."""

import asyncio
from typing import Any

from areal.workflow.rlvr import RLVRWorkflow

import hub
from hub.training.from_file import gatherer_of


class MixWorkflow(RLVRWorkflow):  # type: ignore[misc]
    """Scores each completion with a mix, in the process of the rollouts.

    Columns are the row's, with `completion_ids`. The trainer runs the episodes of a group at once, as many as
    `gconfig.n_samples`, in an evaluation too: a sample without a total waits for the others, and gets their
    mean, which leaves the group's mean where it was. It is not given up (None), as AReaL's normalisation
    takes the samples of the batch for groups by their number alone.

    Args:
        path: the mix file.
        sha256: its digest when it was exported; None: whatever it is now.
        given: arguments of `RLVRWorkflow` but `reward_fn`.

    Raises:
        ConfigError: the mix file has changed or is wrong.
    """

    def __init__(self, *, path: str, sha256: str | None = None, **given: Any) -> None:
        super().__init__(reward_fn=_never_called, **given)
        self._mix = path, sha256, int(given["gconfig"].n_samples)

    async def _compute_rewards(self, resp: Any, prompt_str: str, task_data: dict[str, Any]) -> float:
        """Return the total, or what stands for it; the trainer's own method, of the same arguments."""
        gatherer = await asyncio.to_thread(gatherer_of, *self._mix)
        columns = {**task_data, "completion_ids": list(resp.output_tokens)}
        messages = columns.pop("messages", None)
        text = self.tokenizer.decode(resp.output_tokens, skip_special_tokens=True)
        lowered = await gatherer.ascore(hub.Sample(messages or prompt_str, text, columns))
        self.log(lowered.numbers())
        return lowered.value

    def log(self, numbers: dict[str, float]) -> None:
        """Give each reward's score and what is missing to the trainer's own statistics."""
        from areal import workflow_context
        from areal.utils import stats_tracker

        stats_tracker.get(workflow_context.stat_scope()).scalar(**numbers)


def _never_called(*_: Any, **__: Any) -> float:
    raise NotImplementedError("MixWorkflow scores without AReaL's pool of processes")
