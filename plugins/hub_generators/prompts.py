"""Prompts as chat messages or as plain text, whichever a model takes."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from hub.sample import Sample, Text

ChatTemplate: TypeAlias = Literal["auto", "always", "never"]
"""When a tokenizer's chat template is used: "auto" where it has one."""


def as_messages(prompt: Text) -> list[dict[str, Any]]:
    """Return a prompt as chat messages; plain text becomes one message of the user.

    >>> as_messages("2+2?")
    [{'role': 'user', 'content': '2+2?'}]
    """
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    return [dict(message) for message in prompt]


def as_text(prompt: Text) -> str:
    r"""Return a prompt as plain text; of messages, their contents with a blank line between them.

    >>> as_text([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}])
    'Be brief.\n\n2+2?'
    """
    if isinstance(prompt, str):
        return prompt
    return "\n\n".join(_content(message) for message in prompt)


def _content(message: Mapping[str, Any]) -> str:
    return Sample(prompt=[{**message, "role": "user"}]).prompt_text
