"""The reward that a task of verifiers awaits."""

import asyncio
from typing import Any

import hub
from hub.errors import RewardFailed
from hub.training.from_file import gatherer_of
from hub.training.lower import has_total, lower_one


async def score(task: Any, trace: Any, *, path: str, sha256: str | None = None) -> float:
    """Return a trace's total, and record each reward's score and what is missing as metrics.

    Args:
        task: a `verifiers.v1.TaskData`; what its class adds to that are the columns, and of its own fields
            those that were given (`id`, `name`), but the prompt.
        trace: its last reply, with its reasoning in <think> and </think>, is the completion.
        path: the mix file.
        sha256: its digest when it was exported; None: whatever it is now.

    Raises:
        RewardFailed: there is no total. The trace then has an error, and prime-rl leaves it out of its group.
        ConfigError: the mix file has changed or is wrong, or compares completions.
    """
    gatherer = await asyncio.to_thread(gatherer_of, path, sha256)
    prompt = task.prompt if isinstance(task.prompt, str) else task.prompt_text
    (result,) = await gatherer.mix.ascore([hub.Sample(prompt, completion_of(trace), columns_of(task))])
    trace.record_metrics(lower_one(result, 0.0, {}).numbers())
    if result.value is None or not has_total(result):
        total = result.total
        raise RewardFailed(f"no total: {total.reason}: {total.detail}")
    return result.value


def columns_of(task: Any) -> dict[str, Any]:
    """Return a task's columns; the fields that verifiers adds by itself are none."""
    from verifiers.v1.task import TaskData

    own = set(TaskData.model_fields) - task.model_fields_set | {"prompt"}
    return {name: value for name, value in task.model_dump().items() if name not in own}


def completion_of(trace: Any) -> str:
    """Return the last reply as the model wrote it: the reasoning that a parser took out of it is put back."""
    replies = trace.assistant_messages
    reasoning = replies[-1].reasoning_content if replies else None
    return f"<think>{reasoning}</think>{trace.last_reply}" if reasoning else str(trace.last_reply)
