"""A real HTTP server that judges MT-Bench and AlpacaEval by looking for owls."""

import re
from collections.abc import Callable
from typing import Any

from tests.plugins.hub_generators.openai_protocol import Answer, Server
from tests.plugins.hub_judge.judges import asked, told

_SINGLE = re.compile(
    r"\[The Start of Assistant's Answer\]\n(.*)\n\[The End of Assistant's Answer\]", re.DOTALL
)
_LAST = re.compile(r"### Assistant ([AB]):\n(.*?)\n\n(?=<\|The End|### User:)", re.DOTALL)
_PAIR = re.compile(
    r"\[The Start of Assistant ([AB])'s Answer\]\n(.*?)\n\[The End of Assistant \1's Answer\]", re.DOTALL
)
_OUTPUT = re.compile(r'"model_identifier": "([mM])",\s+"output": """(.*?)"""', re.DOTALL)


def judged(body: dict[str, Any]) -> dict[str, str]:
    """The answers that are judged, by who gave them: those of the last turn."""
    text = asked(body)
    if body.get("logprobs"):
        return dict(_OUTPUT.findall(text))
    if single := _SINGLE.search(text):
        return {"A": single[1]}
    return dict(_PAIR.findall(text) or _LAST.findall(text))


def owls(_: str, body: dict[str, Any], __: int) -> Answer:
    """Rates 10 where there is an owl, else 1; prefers an owl."""
    has = {who: bool(re.search(r"\bowl\b", text)) for who, text in judged(body).items()}
    if body.get("logprobs"):
        if has["m"] == has["M"]:
            return told("m", {"m": -0.7, "M": -0.7})
        return told("m", {"m": 0.0, "M": -60.0} if has["m"] else {"m": -60.0, "M": 0.0})
    if len(has) == 1:
        return told(f"I looked for owls. Rating: [[{10 if has['A'] else 1}]]")
    verdict = "C" if has["A"] == has["B"] else "A" if has["A"] else "B"
    return told(f"I looked for owls. [[{verdict}]]")


def serve(answer: Callable[[str, dict[str, Any], int], Answer] = owls) -> Server:
    return Server(answer)
