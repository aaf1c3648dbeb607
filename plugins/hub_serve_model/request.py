"""What a request of OpenAI's protocol asks for, as the hub's generators take it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from hub.errors import BadInput
from hub.generator import Decoding
from hub.sample import Sample, Text

MOST_LIKELY = 20
"""Log-probabilities that a request may ask for, as in OpenAI's own."""
_ONLY = {
    "n": (1,),
    "stream": (False,),
    "tools": ([],),
    "logit_bias": ({},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "echo": (False,),
    "best_of": (1,),
    "suffix": ("",),
    "response_format": ({"type": "text"},),
}
"""What cannot be done, and the values of it that ask for nothing."""


class Refused(Exception):
    """A request cannot be answered.

    Args:
        message: for the client.
        status: of HTTP.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Asked:
    """One completion that is wanted.

    Args:
        prompt: text, or chat messages.
        decoding: how; its seed is meant where `seeded` is set.
        seeded: the request names a seed.
        top: how many of the likeliest tokens are to be told, with their log-probabilities; 0: none.
    """

    prompt: Text
    decoding: Decoding
    seeded: bool
    top: int


def read_request(body: Any, chat: bool, name: str, longest: int) -> Asked:
    """Read the body of /chat/completions or /completions.

    Args:
        body: as JSON has it.
        chat: which of the two.
        name: the served model's.
        longest: tokens of a completion where the request does not say.

    Raises:
        Refused: it asks for something else, or for what there is not.
    """
    if not isinstance(body, Mapping):
        raise Refused("the body should be a JSON object")
    if body.get("model", name) != name:
        raise Refused(f"there is no model {body['model']!r} here; this is {name!r}", 404)
    for key, fine in _ONLY.items():
        if body.get(key) is not None and body[key] not in fine:
            raise Refused(f"{key!r} is not supported here")
    prompt = _prompt(body, chat)
    limits = (body.get("max_completion_tokens"), body.get("max_tokens"))
    asked = next((limit for limit in limits if limit is not None), None)
    given: dict[str, Any] = {
        "max_new_tokens": longest if asked is None else _whole(asked, "max_tokens"),
        "temperature": _number(body, "temperature", 1.0),
        "top_p": _number(body, "top_p", 1.0),
        "stop": _stop(body.get("stop")),
        "seed": _whole(body["seed"], "seed") if body.get("seed") is not None else 0,
        "chat_template": chat,
    }
    try:
        decoding = Decoding(**given)
    except (ValueError, TypeError) as error:
        raise Refused(f"out of range: {error}") from None
    return Asked(prompt, decoding, body.get("seed") is not None, _top(body, chat, decoding))


def _prompt(body: Mapping[str, Any], chat: bool) -> Text:
    prompt = body.get("messages" if chat else "prompt")
    try:
        if not chat:
            if not isinstance(prompt, str):
                raise Refused("'prompt' should be a text")
            return prompt
        if not isinstance(prompt, list) or not prompt:
            raise Refused("'messages' should be a list of messages")
        if any(part.get("type") != "text" for one in prompt for part in _parts(one)):
            raise Refused("'messages' holds something other than text, which this model is not shown")
        messages = [
            {"role": str(one["role"]), "content": Sample([{**one, "role": "user"}]).prompt_text}
            for one in prompt
        ]
    except (BadInput, KeyError, TypeError) as error:
        raise Refused(f"'messages' holds something that is no message of text: {error}") from None
    return messages


def _parts(message: Any) -> list[Mapping[str, Any]]:
    content = message.get("content") if isinstance(message, Mapping) else None
    return [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []


def _stop(value: Any) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(text, str) and text for text in found):
        raise Refused("'stop' should be a text or a list of texts, none of them empty")
    return tuple(found)


def _top(body: Mapping[str, Any], chat: bool, decoding: Decoding) -> int:
    """How many of the likeliest tokens are to be told."""
    if chat:
        top = _whole(body.get("top_logprobs") or 0, "top_logprobs") if body.get("logprobs") else 0
    else:
        top = _whole(body.get("logprobs") or 0, "logprobs")
    if top > MOST_LIKELY:
        raise Refused(f"at most {MOST_LIKELY} log-probabilities are told")
    if top and decoding.max_new_tokens != 1:
        raise Refused("log-probabilities are told of one token only: set max_tokens to 1")
    return top


def _whole(value: Any, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Refused(f"{key!r} should be a whole number, not {value!r:.50}")
    return value


def _number(body: Mapping[str, Any], key: str, otherwise: float) -> float:
    value = body.get(key)
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Refused(f"{key!r} should be a number, not {value!r:.50}")
    return float(value)
