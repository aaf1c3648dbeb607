"""What is said to the server in a container: frames over Docker's attached stream, programs, executions.

A frame is a length in 8 bytes, least first, and JSON (the other side is hub_local/serve.py). What comes back
is cut by the engine into pieces of its own, each with 8 bytes before it: 1 for standard output or 2 for
standard error, three zeros, and the length, greatest first (Docker Engine API, "Attach to a container").
"""

import base64
import contextlib
import json
import pickle
import socket
import struct
import time
from dataclasses import fields
from typing import Any

from hub.errors import BadInput
from hub.sandbox import Execution, Limits, Program, Verdict

PROTOCOL = 1
LARGEST_SOURCE = 16 << 20
"""Characters of a program's text, its input or its tests; bytes of its cases."""
_LENGTH = struct.Struct("<Q")
_PIECE = struct.Struct(">BxxxI")
_PRINTED = 4_000


class Lost(Exception):
    """The container has ended, does not answer, or answers what is no answer."""


class Stream:
    """The attached stream of one container.

    Args:
        attached: what docker-py's `attach_socket` gave.
    """

    def __init__(self, attached: Any) -> None:
        self._attached = attached
        self._socket: socket.socket = getattr(attached, "_sock", attached)
        self._received = bytearray()
        self._printed = bytearray()
        self._output = bytearray()

    def send(self, message: dict[str, Any], until: float) -> None:
        """Send one frame.

        Raises:
            Lost: it cannot be sent before `until`, of `time.monotonic()`.
        """
        data = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
        try:
            self._socket.settimeout(max(0.1, until - time.monotonic()))
            self._socket.sendall(_LENGTH.pack(len(data)) + data)
        except OSError as error:
            raise Lost(f"it does not read: {error}") from error

    def receive(self, until: float, longest: int) -> dict[str, Any]:
        """Read one frame.

        Raises:
            Lost: there is none before `until`, or it is longer than `longest` bytes, or no JSON object.
        """
        while len(self._output) < _LENGTH.size:
            self._read(until)
        (length,) = _LENGTH.unpack_from(self._output)
        if length > longest:
            raise Lost("it sent a frame that is too long")
        while len(self._output) < _LENGTH.size + length:
            self._read(until)
        data = bytes(self._output[_LENGTH.size : _LENGTH.size + length])
        del self._output[: _LENGTH.size + length]
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise Lost("it sent a frame that is no JSON object")
        return message

    def interrupt(self) -> None:
        """End the connection for whoever waits on it, which ends the container."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back to the system."""
        self._attached.close()
        self._socket.close()

    def printed(self) -> str:
        """Return the end of what it wrote to standard error."""
        return self._printed.decode(errors="replace").strip()[-500:]

    def _read(self, until: float) -> None:
        try:
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            data = self._socket.recv(1 << 18)
        except TimeoutError:
            raise Lost("it does not answer") from None
        except OSError as error:
            raise Lost(str(error)) from error
        if not data:
            raise Lost(f"it has ended: {self.printed() or 'it printed nothing'}")
        self._received += data
        while len(self._received) >= _PIECE.size:
            kind, length = _PIECE.unpack_from(self._received)
            if len(self._received) < _PIECE.size + length:
                return
            piece = self._received[_PIECE.size : _PIECE.size + length]
            del self._received[: _PIECE.size + length]
            if kind == 1:
                self._output += piece
            else:
                self._printed = (self._printed + piece)[-_PRINTED:]


def request(program: Program, limits: Limits) -> dict[str, Any]:
    """Return what asks for a run.

    Raises:
        BadInput: a text is too large, or a case holds what cannot be sent.
    """
    for text in (program.source, program.stdin, program.tests or "", program.expected_stdout or ""):
        if len(text) > LARGEST_SOURCE:
            raise BadInput(f"a program's text, input or tests of more than {LARGEST_SOURCE} characters")
    given = {field.name: getattr(program, field.name) for field in fields(program)}
    cases = [(case.args, case.expected, dict(case.kwargs)) for case in given.pop("cases")]
    if cases:
        try:
            packed = pickle.dumps(cases)
        except Exception as error:  # whatever its own classes raise
            raise BadInput(f"a case is no plain data: {error}") from None
        if len(packed) > LARGEST_SOURCE:
            raise BadInput(f"cases of more than {LARGEST_SOURCE} bytes")
        given["cases"] = base64.b64encode(packed).decode()
    return {"program": given, "limits": {field.name: getattr(limits, field.name) for field in fields(limits)}}


def execution(given: Any) -> Execution:
    """Return the execution that an answer holds.

    Raises:
        Lost: it holds none.
    """
    try:
        code = given["exit_code"]
        if not isinstance(given["info"], dict) or not (code is None or type(code) is int):
            raise Lost("it sent an execution of no known form")
        return Execution(
            Verdict(given["verdict"]),
            str(given["stdout"]),
            str(given["stderr"]),
            code,
            float(given["wall_s"]),
            given["info"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Lost(f"it sent an execution of no known form: {error}") from None
