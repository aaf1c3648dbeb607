"""Between Inspect's samples and scores and the hub's."""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

from inspect_ai.dataset import Sample  # noqa: TID253 - imported by Inspect, or with it
from inspect_ai.model import (  # noqa: TID253
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
)
from inspect_ai.scorer import Score  # noqa: TID253

import hub
from hub.errors import DataError

_MESSAGES: Mapping[str, Any] = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
    "tool": ChatMessageTool,
}


def to_inspect(row: Mapping[str, Any]) -> Sample:
    """Return a benchmark's row as a sample of Inspect: its columns are the metadata.

    Raises:
        DataError: a message has a role that Inspect does not know.
    """
    prompt = row["prompt"]
    return Sample(
        input=prompt if isinstance(prompt, str) else [_message(message, row["id"]) for message in prompt],
        target=str(row.get("answer", "")),
        id=row["id"],
        metadata={name: value for name, value in row.items() if name not in ("id", "prompt")},
    )


def to_hub(
    given: str | Sequence[ChatMessage],
    completion: str,
    metadata: Mapping[str, Any],
    target: str,
    column: str,
    sample_id: str | int,
) -> hub.Sample:
    """Return what the hub scores.

    Args:
        given: the sample's input.
        completion: what the model wrote.
        metadata: the sample's; its keys are the columns.
        target: the sample's.
        column: the column that the target is, where the metadata has none of that name.
        sample_id: the sample's; samples of the same one are a group.
    """
    prompt = given if isinstance(given, str) else [_plain(message) for message in given]
    columns = {column: target, **metadata}
    return hub.Sample(prompt, completion, columns, group=sample_id, id=sample_id)


def to_score(result: hub.MixScore, values: Sequence[str] = ()) -> Score:
    """Return a result as Inspect's score, each reward's in its metadata; without a value it is unscored.

    Args:
        result: what was scored.
        values: rewards whose values are the score, by name; none: the total is.
    """
    total = result.total
    scores = {name: score.as_dict() for name, score in result.scores.items()}
    metadata = {"total": total.as_dict(), "scores": scores}
    answers = (score.info.get("answer") for score in result.scores.values())
    answer = next((found for found in answers if isinstance(found, str)), None)
    named = {name: result.scores[name].value for name in values}
    if all(value is None for value in named.values()) if named else result.value is None:
        kept = [f"{name}: {one.reason}: {one.detail}" for name, one in result.scores.items() if one.fault]
        detail = "; ".join(kept) or total.detail or "no reward applies"
        failed = [one for one in (total, *result.scores.values()) if one.outcome is hub.Outcome.FAILED]
        reason = str(failed[0].reason) if failed else "abstained"
        return Score.unscored(reason=reason, answer=answer, explanation=detail, metadata=metadata)
    told = "; ".join(one.detail for one in result.scores.values() if one.detail)
    value: Any = {name: nan if one is None else one for name, one in named.items()} or result.value
    return Score(value=value, answer=answer, explanation=told or None, metadata=metadata)


def _message(message: Mapping[str, Any], row: str | int) -> Any:
    role, content = message.get("role"), message.get("content")
    make = _MESSAGES.get(str(role))
    if make is None or not isinstance(content, str):
        raise DataError(f"row {row!r}: Inspect has no message of the role {role!r} with this content")
    return make(content=content)


def _plain(message: ChatMessage) -> dict[str, Any]:
    return {"role": message.role, "content": message.text}
