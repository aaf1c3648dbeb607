"""The host's side of one zygote: starting it, having it run programs, ending it."""

import array
import contextlib
import json
import os
import socket
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

from hub.errors import SandboxUnavailable

_NOBODY = 65534
_INNER_ID = 1000
START_S = 30.0
# A package that starts threads when it is imported, as numpy's linear algebra does, could not be walled in.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR")},
}


_NOT_BEGUN = {
    "": "the program's process ended before it had the program",
    "read": "the program's process cannot have its limits, for those of this process (ulimit) are lower",
}


class Refused(SandboxUnavailable):
    """The kernel refuses a wall."""


class Lost(Exception):
    """The zygote has ended; what it ran has no verdict."""


class Slot:
    """One zygote, which runs one program at a time.

    Args:
        config: what the zygote is told (see `zygote`).

    Raises:
        SandboxUnavailable: it cannot give the walls that it was asked for; names the call that was refused.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        _open.add(self)
        self.control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.work, work = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs = [control.fileno(), work.fileno()]
        zygote = Path(__file__).with_name("zygote.py")
        command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", str(zygote), *map(str, theirs)]
        try:
            self.process = subprocess.Popen(
                command,
                pass_fds=theirs,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=_ENVIRONMENT,
                start_new_session=True,
            )
        except OSError as error:
            self.control.close()
            self.work.close()
            raise SandboxUnavailable(f"the sandbox's process cannot be started: {error}") from error
        finally:
            control.close()
            work.close()
        self.runs = 0
        self.clean = True
        """Whether nothing was left of the program before when its report came."""
        self.pid = 0
        self.control.settimeout(START_S)
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        self.control.settimeout(None)

    def _start(self) -> None:
        self.control.send(json.dumps(self.config).encode())
        while True:
            try:
                data = self.control.recv(1 << 16)
            except TimeoutError:
                data = b""
            if not data:
                raise SandboxUnavailable(f"the sandbox's process ended at its start: {self._printed()}")
            message = json.loads(data)
            if "unshared" in message:
                self._map_user()
                self.control.send(b"mapped")
            elif "refused" in message:
                raise Refused(f"{message['refused']} was refused: {message['error']}")
            else:
                self.pid = message["pid"]
                return

    def _map_user(self) -> None:
        """Give the zygote's namespace its one user: nobody where the host is root, else the host's."""
        root = os.geteuid() == 0
        folder = f"/proc/{self.process.pid}"
        try:
            if not root and Path(f"{folder}/setgroups").exists():  # gVisor maps groups without
                Path(f"{folder}/setgroups").write_text("deny")
            Path(f"{folder}/uid_map").write_text(f"{_INNER_ID} {_NOBODY if root else os.geteuid()} 1")
            Path(f"{folder}/gid_map").write_text(f"{_INNER_ID} {_NOBODY if root else os.getegid()} 1")
        except OSError as error:
            raise Refused(f"writing {error.filename} was refused: {error.strerror}") from error

    def begin(
        self, request: dict[str, Any], descriptors: dict[int, int], wall_s: float, keep: bool = False
    ) -> None:
        """Have it run a program; the report comes from `report`.

        Args:
            request: see `program.Waiting`.
            descriptors: what the program is given, by the number that it shall have there.
            wall_s: its time.
            keep: leave its files for the next one, if it ends with 0.

        Raises:
            Lost: the zygote has ended.
        """
        self.runs += 1
        order = {"id": self.runs, "wall_s": wall_s, **({"keep": True} if keep else {})}
        data = json.dumps({**request, **order, "places": list(descriptors)}).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors.values()))]
        try:
            self.work.sendmsg([data], rights if descriptors else [])
            self.control.send(json.dumps(order).encode())
        except OSError as error:
            raise Lost(str(error)) from error

    def end(self) -> None:
        """Have the running program killed; its report follows."""
        with contextlib.suppress(OSError):
            self.control.send(b'{"kill":true}')

    def report(self) -> dict[str, Any] | None:
        """Read a report; None if it is that of a program before, whose end nobody waited for.

        Raises:
            Lost: the zygote has ended, or the program was lost.
        """
        try:
            data = self.control.recv(1 << 16)
        except OSError as error:
            raise Lost(str(error)) from error
        if not data:
            raise Lost("the sandbox's process ended")
        message: dict[str, Any] = json.loads(data)
        self.clean = message["clean"]
        if message["id"] != self.runs:
            if not self.clean:  # this program may have had to wait for that, or what judges it
                raise Lost("its server cleans up after a program before, and goes on with it")
            return None
        if message["reached"] != "begun" and not message["killed"]:
            raise Lost(_NOT_BEGUN[message["reached"]])
        return message

    def kill(self) -> None:
        """End the zygote's process; its descriptors stay until `close`."""
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)
        self.process.kill()

    def let_go(self) -> None:
        """Have the zygote end when it has cleaned up; `close` does not wait for that."""
        self.control.close()
        self.work.close()

    def close(self) -> None:
        """End the zygote and all that runs in it."""
        self.control.close()
        self.work.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()

    def _printed(self) -> str:
        self.process.kill()
        _, printed = self.process.communicate()
        return printed.decode(errors="replace").strip()[-500:] or "it printed nothing"


_open: "weakref.WeakSet[Slot]" = weakref.WeakSet()


def _let_go() -> None:
    """Close a forked child's copies: with them a zygote would not see that its host is gone."""
    for slot in list(_open):
        for end in (getattr(slot, "control", None), getattr(slot, "work", None)):
            if end is not None:
                end.close()


os.register_at_fork(after_in_child=_let_go)
