"""The other side's view of a solver: its functions are called by name, with plain data.

Used by the judge's process, and by the host for literal cases. A remote function is callable; what it returns
is plain data, or a remote object that can be called, asked for attributes, items and its length, iterated and
tested for truth, and that is equal to nothing but itself.
"""

import builtins
import socket
from collections.abc import Iterator
from typing import Any, NoReturn

from hub_local.frames import Frames, Gone
from hub_local.plain import NotPlain, decode, encode

_NEVER_RAISED = (AssertionError, StopIteration, StopAsyncIteration, GeneratorExit)


class CandidateError(Exception):
    """What the candidate raised, where it is no built-in exception."""


class CandidateGone(BaseException):
    """The solver has ended, or does not answer as it should."""


class Link:
    """The connection to a solver.

    Args:
        sock: a stream.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.frames = Frames(sock)
        self.asked = self.calls = 0
        self.raised = self.gone = ""
        """The last exception's name; why the solver is of no more use, "" as long as it is."""

    def ask(self, what: str, target: Any, *arguments: Any) -> Any:
        """Have the solver do something; return its answer as plain data or remote objects."""
        try:
            request = encode([what, target, *arguments], self._number_of)
        except NotPlain as error:
            raise CandidateGone(str(error)) from None
        self.asked += 1
        try:
            self.frames.send(request)
            answer = decode(self.frames.receive(), lambda number: Remote(self, number))
        except (Gone, NotPlain) as error:
            self._lose(str(error))
        if type(answer) is list and len(answer) == 4 and answer[0] == "raised":
            self.raised = str(answer[1])
            raise _exception(self.raised, str(answer[2]), answer[3])
        if type(answer) is not list or len(answer) != 3 or answer[0] != "value":
            self._lose("an answer of no known form")
        if what == "call":
            _update(arguments, answer[2])
        return answer[1]

    def _lose(self, why: str) -> NoReturn:
        self.gone = why or "gone"
        raise CandidateGone(why) from None

    def _number_of(self, value: Any) -> int:
        if type(value) is not Remote:
            raise NotPlain(f"a {type(value).__name__} cannot be given to the candidate")
        number: int = object.__getattribute__(value, "_number")
        return number


class Remote:
    """A function or object of the candidate."""

    __slots__ = ("_link", "_number")
    __hash__ = object.__hash__

    def __init__(self, link: Link, number: int | str) -> None:
        object.__setattr__(self, "_link", link)
        object.__setattr__(self, "_number", number)

    def _ask(self, what: str, *arguments: Any) -> Any:
        link: Link = object.__getattribute__(self, "_link")
        return link.ask(what, object.__getattribute__(self, "_number"), *arguments)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the candidate's function, in the solver."""
        link: Link = object.__getattribute__(self, "_link")
        link.calls += 1
        return self._ask("call", list(arguments), named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__name__", "__doc__"):
            raise AttributeError(name)
        return self._ask("get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("set", name, value)

    def __bool__(self) -> bool:
        return bool(self._ask("bool"))

    def __len__(self) -> int:
        return int(self._ask("len"))

    def __getitem__(self, key: Any) -> Any:
        return self._ask("item", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._ask("put", key, value)

    def __contains__(self, key: Any) -> bool:
        # Compared here: asked, the program would learn what is expected of it, and could say yes to anything.
        return any(item is key or item == key for item in self)

    def __iter__(self) -> Iterator[Any]:
        iterator = self._ask("iter")
        while True:
            batch = self._ask("next", iterator) if not isinstance(iterator, Remote) else iterator._ask("next")
            yield from batch[0]
            if batch[1]:
                return

    def __next__(self) -> Any:
        batch = self._ask("one")
        if not batch:
            raise StopIteration
        return batch[0]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return "<an object of the candidate>"


def _exception(name: str, message: str, arguments: Any) -> BaseException:
    """Return what to raise for an exception of the candidate: a built-in one, never one that judges."""
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, _NEVER_RAISED):
        try:
            return kind(*arguments) if type(arguments) is list else kind(message)
        except Exception:  # what the candidate says that it was made of is not
            return CandidateError(f"{name}: {message}")
    return CandidateError(f"{name}: {message}")


def _update(arguments: tuple[Any, ...], changed: Any) -> None:
    """Carry changes that the candidate made to lists, dicts and sets in place back to the caller's."""
    if type(changed) is not list or not arguments:
        return
    for place, value in changed:
        original = arguments[0][place] if type(place) is int else arguments[1].get(place)
        if type(original) is list and type(value) is list:
            original[:] = value
        elif type(original) in (dict, set) and type(value) is type(original):
            original.clear()
            original.update(value)
        elif type(original) is bytearray and type(value) is bytearray:
            original[:] = value
