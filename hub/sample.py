"""What a reward is given: one prompt, one completion, the other columns of its row."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hub.errors import BadInput, MissingColumn

Message: TypeAlias = Mapping[str, Any]
"""A chat message: `{"role": "user" | "assistant" | "system" | "tool", "content": str | parts}`."""

Text: TypeAlias = str | Sequence[Message]
"""Plain text, or a list of chat messages."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion to be scored.

    Args:
        prompt: what the model was given: plain text, or a list of chat messages.
        completion: what it answered: plain text, or a list of messages (several with tool calls).
        columns: the other columns of the row (reference answer, task, …). A reward sees only the
            columns that it declares (`needs`, `uses`); one that declares nothing sees all.
        group: equal for all completions of one prompt; None when the sample stands alone. Rewards
            of one sample do not see it.
        id: the caller's own name for the sample, kept in results; rewards do not see it.

    >>> sample = Sample("2+2?", "It is 4.", {"answer": "4"})
    >>> sample.text, sample["answer"]
    ('It is 4.', '4')
    """

    prompt: Text = ""
    completion: Text = ""
    columns: Mapping[str, Any] = field(default_factory=dict)
    group: Hashable = None
    id: str | int | None = None

    @property
    def text(self) -> str:
        """The completion as text: itself, or the content of its last assistant message.

        Raises:
            BadInput: it is neither text nor messages.
        """
        if type(self.completion) is str:
            return self.completion
        return _text(self.completion, "assistant", "completion")

    @property
    def prompt_text(self) -> str:
        """The prompt as text: itself, or the content of its last user message.

        Raises:
            BadInput: it is neither text nor messages.
        """
        if type(self.prompt) is str:
            return self.prompt
        return _text(self.prompt, "user", "prompt")

    def __getitem__(self, column: str) -> Any:
        """Return a column's value.

        Raises:
            MissingColumn: the row has no such column, or the reward did not declare it.
        """
        try:
            return self.columns[column]
        except KeyError:
            here = ", ".join(sorted(self.columns)) or "none"
            raise MissingColumn(
                f"column {column!r} is not here (visible: {here}); a reward sees the columns it "
                f"declares: needs=[{column!r}] where it must be there, uses=[{column!r}] if it may"
            ) from None

    def get(self, column: str, default: Any = None) -> Any:
        """Return a column's value, or `default` where the row has none."""
        return self.columns.get(column, default)


@dataclass(slots=True)
class _Open:
    """A sample that is still being made: the same slots, which are set without a call for each."""

    prompt: Text
    completion: Text
    columns: Mapping[str, Any]
    group: Hashable
    id: str | int | None


def quick_sample(
    prompt: Text,
    completion: Text,
    columns: Mapping[str, Any],
    group: Hashable = None,
    id: str | int | None = None,
) -> Sample:
    """Return `Sample(...)` in less than half the time, for who makes a hundred thousand in a second.

    >>> quick_sample("2+2?", "4", {}) == Sample("2+2?", "4")
    True
    """
    made: Any = _Open(prompt, completion, columns, group, id)
    made.__class__ = Sample
    return made  # type: ignore[no-any-return]


def _text(messages: object, role: str, what: str) -> str:
    if isinstance(messages, str):
        return str(messages)
    if not isinstance(messages, Sequence) or isinstance(messages, bytes | bytearray):
        raise BadInput(f"the {what} is {type(messages).__name__}, not text or a list of messages")
    for message in reversed(messages):
        if not isinstance(message, Mapping) or "content" not in message:
            raise BadInput(f"the {what} holds {message!r:.80}, not a message with role and content")
        if message.get("role", role) == role and message["content"] is not None:
            return _content(message["content"], what)
    return ""


def _content(content: object, what: str) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence) and all(isinstance(part, Mapping) for part in content):
        return "".join(str(p.get("text", "")) for p in content if p.get("type", "text") == "text")
    raise BadInput(f"the {what}'s content is {type(content).__name__}, not text or a list of parts")
