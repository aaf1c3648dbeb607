"""Literal cases: a solver is asked by the host, which compares what comes back without making values of it.

An answer is compared as the text's tree with that of what is expected, so nothing that a program sends can
cost the host more than reading it, and what is too long to be equal is not read.
"""

import json
import socket
from typing import Any

from hub.sandbox import Case
from hub_local import frames
from hub_local.plain import NotPlain, encode

_ROOM = 64 << 10
"""Bytes that an answer may be longer than eight times what is expected."""


class Asked:
    """What came of the cases.

    Args:
        passed: how many returned what is expected.
        problem: what the first one that did not return anything raised; "" for none.
        gone: the program had ended.
    """

    def __init__(self) -> None:
        self.passed, self.problem, self.gone = 0, "", False


def ask(sock: socket.socket, name: str, cases: tuple[Case, ...], asked: Asked) -> None:
    """Call the function with the arguments of every case, and count what is right."""
    for case in cases:
        try:
            expected = encode(case.expected)
            frames.send(sock, encode(["call", name, list(case.args), dict(case.kwargs)]))
        except NotPlain as error:
            asked.problem = asked.problem or f"a case that is no plain data: {error}"
            continue
        except frames.Gone as error:
            asked.gone, asked.problem = True, asked.problem or f"the program ended: {error}"
            return
        try:
            answer = frames.receive(sock, _ROOM + 8 * len(expected))
        except frames.TooLong:
            return  # it cannot be equal, and what follows cannot be read
        except frames.Gone as error:
            asked.gone, asked.problem = True, asked.problem or f"the program ended: {error}"
            return
        kind, content = _read(answer)
        if kind == "raised":
            asked.problem = asked.problem or content
        elif kind == "value" and _same(content, json.loads(expected)):
            asked.passed += 1


def _read(answer: bytes) -> tuple[str, Any]:
    try:
        found = json.loads(answer.decode("utf-8", "surrogatepass"))
        if found[0] == "raised":
            return "raised", f"{found[1]}: {found[2]}"[:500]
        return str(found[0]), found[1]
    except (ValueError, TypeError, LookupError, RecursionError):
        return "", None


def _same(answer: Any, expected: Any) -> bool:
    try:
        return bool(_ordered(answer) == _ordered(expected))
    except (RecursionError, TypeError, ValueError):
        return False


def _ordered(tree: Any) -> Any:
    """Return a tree with what has no order in one order."""
    if type(tree) is list:
        return [_ordered(item) for item in tree]
    if type(tree) is not dict:
        return tree
    name, content = tree.get("t"), tree.get("v")
    if type(content) is not list:
        return tree
    if name in ("set", "frozenset", "dict"):
        items = sorted((_ordered(item) for item in content), key=json.dumps)
        return {"t": "dict" if name == "dict" else "set", "v": items}
    return {"t": name, "v": _ordered(content)}
