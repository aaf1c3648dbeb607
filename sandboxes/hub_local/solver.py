"""What runs a candidate: in a forked, confined process that holds no tests and no verdict."""

import socket
import sys
import traceback
from typing import Any

from hub_local.frames import Frames, Gone
from hub_local.plain import NotPlain, decode, encode

BATCH = 256
"""Items of an iterator that are sent at once."""
_LONGEST_MESSAGE = 2_000


def serve(namespace: dict[str, Any], sock: socket.socket) -> None:
    """Answer calls until the judge is done."""
    objects: dict[int, Any] = {}
    frames = Frames(sock)

    def number_of(value: Any) -> int:
        objects[len(objects) + 1] = value
        return len(objects)

    while True:
        try:
            request = decode(frames.receive(), lambda number: objects[number])
        except Gone:
            return
        try:
            answer = _answer(request, namespace, objects)
            data = encode(["value", *answer], number_of)
        except BaseException as error:
            data = _raised(error)
        frames.send(data)


def _answer(request: list[Any], namespace: dict[str, Any], objects: dict[int, Any]) -> tuple[Any, Any]:
    what, name, *arguments = request
    if type(name) is str:
        if name not in namespace:
            raise NameError(f"name {name!r} is not defined")
        target = namespace[name]
    else:
        target = objects[name]
    if what == "call":
        return _call(target, arguments[0], arguments[1])
    if what == "get":
        return getattr(target, arguments[0]), None
    if what == "set":
        setattr(target, arguments[0], arguments[1])
    elif what == "bool":
        return bool(target), None
    elif what == "len":
        return len(target), None
    elif what == "item":
        return target[arguments[0]], None
    elif what == "put":
        target[arguments[0]] = arguments[1]
    elif what == "iter":
        return _Iterator(iter(target)), None
    elif what == "next":
        return target.batch(), None
    elif what == "one":
        return _one(target), None
    return None, None


class _Iterator:
    """An iterator that is never plain data, so that it stays here."""

    def __init__(self, iterator: Any) -> None:
        self.iterator = iterator

    def batch(self) -> tuple[list[Any], bool]:
        """Return some items, and whether these were the last."""
        items = []
        for item in self.iterator:
            items.append(item)
            if len(items) == BATCH:
                return items, False
        return items, True


def _one(target: Any) -> list[Any]:
    for item in target:
        return [item]
    return []


def _call(target: Any, arguments: list[Any], named: dict[str, Any]) -> tuple[Any, Any]:
    before = [_spelled(value) for value in (*arguments, *named.values())]
    found = target(*arguments, **named)
    changed = []
    places = [*range(len(arguments)), *named]
    for place, value, spelled in zip(places, (*arguments, *named.values()), before, strict=True):
        if spelled is not None and _spelled(value) != spelled:
            changed.append([place, value])
    return found, changed


def _spelled(value: Any) -> bytes | None:
    if type(value) not in (list, dict, set, bytearray):
        return None
    try:
        return encode(value)
    except NotPlain:
        return None


def _raised(error: BaseException) -> bytes:
    """Return what says which exception was raised, with its arguments where they are plain data."""
    told = ["raised", type(error).__name__, _message(error)]
    try:
        return encode([*told, list(error.args)])
    except BaseException:
        return encode([*told, None])


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST_MESSAGE]
    except BaseException:
        return "(its message cannot be shown)"


def run_module(source: bytes, name: str) -> dict[str, Any]:
    """Execute a program's text as a module; returns its names."""
    namespace: dict[str, Any] = {
        "__name__": name,
        "__builtins__": __builtins__,
        "__file__": "/tmp/program.py",
    }
    module = type(sys)(name)
    module.__dict__.update(namespace)
    sys.modules[name] = module
    exec(compile(source, "/tmp/program.py", "exec", dont_inherit=True), module.__dict__)
    return module.__dict__


def show(error: BaseException) -> None:
    """Print what a program raised, cut, as Python does."""
    try:
        lines = traceback.format_exception(type(error), error, error.__traceback__, limit=20)
        text = "".join(lines)
        sys.stderr.write(text if len(text) < 10_000 else text[:5_000] + "\n…\n" + text[-5_000:])
    except BaseException:
        pass
