"""A real HTTP server that judges by counting owls, in the forms that the hub's own templates ask for."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.plugins.hub_generators.openai_protocol import Answer, Server

_FRAME = re.compile(r"<<answer (\w+)>>\n(.*?)\n<<end of answer \1>>", re.DOTALL)


def told(
    text: str, likely: dict[str, float] | None = None, prompt: int = 100, completion: int = 20
) -> Answer:
    """What a healthy server answers."""
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    if likely is not None:
        top = [{"token": token, "logprob": logprob} for token, logprob in likely.items()]
        choice["logprobs"] = {"content": [{"token": text, "logprob": 0.0, "top_logprobs": top}]}
    body = {"choices": [choice], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}}
    return 200, {}, json.dumps(body).encode()


def asked(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def framed(body: dict[str, Any]) -> list[str]:
    """The answers that a request frames."""
    return [match[1] for match in _FRAME.findall(asked(body))]


def owls(_: str, body: dict[str, Any], __: int) -> Answer:
    """Rates 10 where there is an owl, else 1; prefers more owls."""
    answers = [text.count("owl") for text in framed(body)]
    if len(answers) == 1:
        return told(f"I looked for owls.\nRating: {10 if answers[0] else 1}")
    one, other = answers
    if body.get("logprobs"):
        return told("A", {"A": -0.1, "B": -2.0} if one > other else {"A": -2.0, "B": -0.1})
    return told(f"I counted owls.\nVerdict: {'A' if one > other else 'B' if other > one else 'tie'}")


def serve(answer: Callable[[str, dict[str, Any], int], Answer] = owls) -> Server:
    return Server(answer)
