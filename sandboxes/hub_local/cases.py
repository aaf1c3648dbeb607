"""Literal cases: a solver is asked by the host, which compares what comes back without making values of it.

An answer is compared as the text's tree with that of what is expected, so nothing that a program sends can
cost the host more than reading it, and what is too long to be equal is not read.
"""

import contextlib
import json
import select
import socket
from collections import deque
from typing import Any

from hub.sandbox import Case
from hub_local.frames import Gone, TooLong, first, frame
from hub_local.plain import NotPlain, encode

_ROOM = 64 << 10
"""Bytes that an answer may be longer than eight times what is expected."""
_AHEAD = 64 << 10
"""Bytes of questions that are kept ready to be sent."""


class Asked:
    """A conversation with a solver, and what came of it. It never blocks: `step` goes on when it can.

    Args:
        sock: the stream to the solver.
        name: the function to call.
        cases: with what, and what it must return.
    """

    def __init__(self, sock: socket.socket, name: str, cases: tuple[Case, ...]) -> None:
        self.passed, self.problem, self.gone, self.unusable = 0, "", False, ""
        """How many returned what is expected; what the first one raised that did not return, "" for none;
        whether the program ended before the last one; why a case cannot be asked, "" if each can."""
        self.sock, self._name = sock, name
        self._cases, self._expected = deque(cases), deque[bytes]()
        self._out, self._in = bytearray(), bytearray()
        self.open = True
        sock.setblocking(False)
        self._prepare()

    @property
    def answered(self) -> bool:
        """Whether all was asked and answered, as far as it can be."""
        return not self.open and not self.gone

    def events(self) -> int:
        """Return what of its socket is worth waiting for."""
        return select.POLLIN | (select.POLLOUT if self._out else 0)

    def step(self) -> None:
        """Send and read as much as can be without waiting; closes the socket after the last answer."""
        try:
            with contextlib.suppress(BlockingIOError):
                while self._out:
                    del self._out[: self.sock.send(self._out)]
                    self._prepare()
            with contextlib.suppress(BlockingIOError):
                self._read()
        except TooLong:
            self.close()  # it cannot be equal, and what follows cannot be read
        except (OSError, Gone) as error:
            self._end(error)
        else:
            if not self._expected and not self._cases:
                self.close()

    def finish(self) -> None:
        """Read what a program that has ended had answered."""
        if self.open:
            self.step()
        if self.open:
            self._end(Gone("closed"))

    def close(self) -> None:
        """End the conversation, which ends the program."""
        self.open = False
        self.sock.close()

    def _end(self, error: Exception) -> None:
        with contextlib.suppress(OSError, Gone):
            self._read()  # what it answered before
        if self._expected or self._cases:
            self.gone, self.problem = True, self.problem or f"the program ended: {error}"
        self.close()

    def _prepare(self) -> None:
        while self._cases and len(self._out) < _AHEAD:
            case = self._cases.popleft()
            try:
                expected = encode(case.expected)
                self._out += frame(encode(["call", self._name, list(case.args), dict(case.kwargs)]))
            except NotPlain as error:
                self.unusable = str(error)
                self._cases.clear()
            else:
                self._expected.append(expected)

    def _read(self) -> None:
        """Compare every answer that is there."""
        while self._expected:
            while (answer := first(self._in, _ROOM + 8 * len(self._expected[0]))) is not None:
                self._compare(answer, self._expected.popleft())
                if not self._expected:
                    return
            part = self.sock.recv(1 << 18)
            if not part:
                raise Gone("closed")
            self._in += part

    def _compare(self, answer: bytes, expected: bytes) -> None:
        kind, content = _parse(answer)
        if kind == "raised":
            self.problem = self.problem or content
        elif kind == "value" and _same(content, json.loads(expected)):
            self.passed += 1


def _parse(answer: bytes) -> tuple[str, Any]:
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
