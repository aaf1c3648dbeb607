"""The engine's side of the fork server: starts it, asks for workers, hears of their end."""

import contextlib
import fcntl
import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from hub.engine.handle import Handle
from hub.errors import EngineError

_log = logging.getLogger(__name__)

_MAIN = """
import json, sys
sys.path[:] = json.loads(sys.argv[2])
from hub.engine.server import main
main(int(sys.argv[1]))
"""


class ForkServer:
    """The server process, started when the first worker is needed and again when it is lost."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._buffer = b""
        self._wanted: list[tuple[str, str]] = []
        self._importing: list[list[tuple[str, str]]] = []
        self._deaths = 0

    def start(self) -> socket.socket:
        """Start the server unless it runs; return the control socket.

        Raises:
            EngineError: it could not be started, or died again and again.
        """
        if self._control is not None:
            return self._control
        if not hasattr(os, "fork"):
            raise EngineError(
                "the process lane needs a system with fork (Linux, macOS, WSL); on Windows use WSL, or "
                "lane='inline' for rewards whose cost is bounded"
            )
        if self._deaths > 5:
            raise EngineError(f"the fork server died {self._deaths} times; see its messages on stderr")
        mine, theirs = socket.socketpair()
        control = fcntl.fcntl(theirs, fcntl.F_DUPFD, 3)  # not 0, 1 or 2, where the caller closed those
        theirs.close()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _MAIN, str(control), json.dumps(_path())],
                pass_fds=[control],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if _is_open(2) else subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            mine.close()
            raise EngineError(f"cannot start {sys.executable} as fork server: {error}") from error
        finally:
            os.close(control)
        mine.settimeout(30)
        self._control, self._buffer = mine, b""
        self._import(self._wanted)
        return mine

    def preload(self, modules: list[tuple[str, str]]) -> None:
        """Have the server import modules (name, file or "") before its next fork."""
        new = [module for module in modules if module not in self._wanted]
        self._wanted += new
        if self._control is not None:
            self._import(new)

    def spawn(self, handle: Handle) -> None:
        """Ask for a worker; `spawned` follows."""
        descriptors = handle.lend()
        try:
            if self._control is not None:
                message = json.dumps({"spawn": handle.number}).encode() + b"\n"
                socket.send_fds(self._control, [message], descriptors)
        except OSError as error:
            _log.debug("spawn not sent: %s", error)  # the loss of the server is noticed by receive()
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def reap(self, handle: Handle) -> None:
        """Ask for a worker's status once it is dead; `exited` follows."""
        self._say(reap=handle.number)

    def receive(self) -> tuple[list[dict[str, Any]], bool]:
        """Read what the server said; False with it when the server is gone."""
        assert self._control is not None
        try:
            data = self._control.recv(1 << 16)
        except ConnectionError:
            data = b""
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        messages = [json.loads(line) for line in lines]
        for message in messages:
            if "ready" in message:
                self._importing.pop(0)
            if "spawned" in message:
                self._deaths = 0
        return messages, bool(data)

    def kill(self) -> None:
        """End a server that does not answer; its loss is noticed by `receive`."""
        if self.process is not None:
            self.process.kill()

    def lost(self) -> None:
        """The server died: the next `start` makes a new one, without the imports that it died of."""
        self._deaths += 1
        died_of = [module for batch in self._importing for module in batch]
        if died_of:
            _log.warning("the fork server died while importing %s; workers import it themselves", died_of)
            self._wanted = [module for module in self._wanted if module not in died_of]
        self.stop()

    def stop(self) -> None:
        """Close the control socket, which ends the server and all its workers."""
        if self._control is not None:
            self._control.close()
        self._control, self._importing = None, []
        if self.process is not None:
            try:
                self.process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def forget(self) -> None:
        """In a forked child: close its copy of the socket, without ending the server."""
        if self._control is not None:
            self._control.close()
        self._control = self.process = None

    def _import(self, modules: list[tuple[str, str]]) -> None:
        if modules:
            self._importing.append(list(modules))
            self._say(preload=modules)

    def _say(self, **message: Any) -> None:
        if self._control is not None:
            try:
                self._control.sendall(json.dumps(message).encode() + b"\n")
            except OSError as error:
                _log.debug("not said to the fork server: %s", error)


def _path() -> list[str]:
    """Where the caller finds modules, and this package first of all."""
    found = [str(Path(__file__).parents[2])]
    for entry in sys.path:
        with contextlib.suppress(FileNotFoundError):  # the current folder was deleted
            found.append(entry or os.getcwd())
    return found


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
