"""Plain data as JSON with type tags; its text is also part of every program that is sent to run cases.

What arrives is what a stranger's program printed: decoding makes numbers, text and the built-in containers,
and nothing that compares as it likes.
"""

import json
from typing import Any

DEEPEST = 100


class NotPlain(Exception):
    """A value that cannot be sent, or a text that is no plain data."""


def pack(value: Any) -> str:
    """Return a value as text of ASCII.

    Raises:
        NotPlain: it is nested too deeply or holds what is no plain data.
    """
    try:
        return json.dumps(_tagged(value, 0), allow_nan=False)
    except (RecursionError, ValueError) as error:
        raise NotPlain(str(error)[:200]) from None


def unpack(text: str) -> Any:
    """Return the value that a text stands for.

    Raises:
        NotPlain: it stands for none.
    """
    try:
        return _untagged(json.loads(text), 0)
    except (RecursionError, ValueError, TypeError, KeyError) as error:
        raise NotPlain(str(error)[:200]) from None


def _tagged(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise NotPlain("nested too deeply")
    if value is None or value is True or value is False:
        return value
    # Subclasses are sent as what they extend, by its own methods.
    if isinstance(value, int):
        return {"int": hex(int.__int__(value))}
    if isinstance(value, float):
        return {"float": float.__repr__(value)}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, complex):
        return {"complex": [repr(value.real), repr(value.imag)]}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes" if isinstance(value, bytes) else "bytearray": bytes(memoryview(value)).hex()}
    if isinstance(value, dict):
        return {"dict": [[_tagged(k, depth + 1), _tagged(v, depth + 1)] for k, v in dict.items(value)]}
    for kind in (list, tuple, set, frozenset):
        if isinstance(value, kind):
            plain = kind.__iter__(value)  # type: ignore[arg-type]
            items = [_tagged(item, depth + 1) for item in plain]
            return items if kind is list else {kind.__name__: items}
    raise NotPlain("a " + type(value).__name__ + " is no plain data")


def _untagged(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise NotPlain("nested too deeply")
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, list):
        return [_untagged(item, depth + 1) for item in value]
    if not isinstance(value, dict) or len(value) != 1:
        raise NotPlain("data of no known form")
    ((kind, content),) = value.items()
    if kind == "int":
        return int(content, 16)
    if kind == "float":
        return float(content)
    if kind == "complex":
        return complex(float(content[0]), float(content[1]))
    if kind in ("bytes", "bytearray"):
        return (bytes if kind == "bytes" else bytearray).fromhex(content)
    if kind == "dict":
        return {_untagged(k, depth + 1): _untagged(v, depth + 1) for k, v in content}
    if kind in ("tuple", "set", "frozenset"):
        made: Any = {"tuple": tuple, "set": set, "frozenset": frozenset}[kind]
        return made(_untagged(item, depth + 1) for item in content)
    raise NotPlain("data of no known form")
