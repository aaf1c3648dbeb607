"""The server that programs are forked from: single-threaded, with its modules imported, behind its walls.

Started by `slot.Slot` with a control socket; never runs a program itself, and never holds a program's text,
input or tests: the descriptors that carry these go straight to the forked process.
"""

import array
import builtins
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import Any

_WAITS_MS = 1_000


def main() -> None:
    """Set up, say so, and serve until the host is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    config = json.loads(control.recv(1 << 16))
    sys.path[:0] = [config["package"], *config["paths"]]
    confine = importlib.import_module("hub_local.confine")
    kernel = importlib.import_module("hub_local.kernel")
    importlib.import_module("hub_local.program")
    importlib.import_module("hub_local.scratch")
    quitter = importlib.import_module("_sitebuiltins").Quitter  # what `site` would have made
    builtins.exit, builtins.quit = quitter("exit", "Ctrl-D"), quitter("quit", "Ctrl-D")
    for name in config["preload"]:
        importlib.import_module(name)
    base = _data_bytes()
    try:
        if config["tier"] == "namespaces":
            confine.enter_namespaces(control, config)
        else:
            kernel.empty_bounding_set()
            os.chdir(config["scratch"])
        kernel.hide_memory()
        kernel.gain_nothing()
        kernel.filter_calls(importlib.import_module("hub_local.seccomp").server())
    except OSError as error:
        control.send(json.dumps({"refused": str(error.filename), "error": error.strerror}).encode())
        os._exit(1)
    sys.path.remove(config["package"])
    server = Server(control, config, base)
    server.program.prepare(config)
    gc.collect()
    gc.freeze()
    control.send(json.dumps({"ready": True, "pid": os.getpid()}).encode())
    server.serve()


class Server:
    """Forks programs, one at a time, and ends them at their limit."""

    def __init__(self, control: socket.socket, config: dict[str, Any], base: int) -> None:
        self.control, self.config, self.base = control, config, base
        self.alone = config["tier"] == "namespaces"
        self.program = importlib.import_module("hub_local.program")
        self.confine = importlib.import_module("hub_local.confine")
        self.scratch = importlib.import_module("hub_local.scratch")

    def serve(self) -> None:
        """Answer requests until the host closes its end."""
        while True:
            request, descriptors = self.receive()
            if request is None:
                return
            if "wall_s" in request:
                self.run(request, descriptors)
            elif "forget" in request:
                self.clean()
            for descriptor in descriptors:
                os.close(descriptor)

    def receive(self) -> tuple[dict[str, Any] | None, list[int]]:
        """Read one request and the descriptors that come with it."""
        data, ancillary, _, _ = self.control.recvmsg(1 << 16, socket.CMSG_SPACE(16 * 4))
        if not data:
            return None, []
        descriptors = array.array("i")
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(content[: len(content) - len(content) % 4])
        return json.loads(data), list(descriptors)

    def run(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Fork one program and report its end."""
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            try:
                self.control.close()
                self.program.become(request, descriptors, self.config, self.base)
            finally:
                os._exit(70)
        pidfd = os.pidfd_open(child)
        killed = self.wait(pidfd, start + request["wall_s"])
        if killed:
            os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
        os.close(pidfd)
        wall = time.monotonic() - start
        if not request.get("keep"):
            self.clean()
        report = {
            "id": request["id"],
            "status": status,
            "killed": killed,
            "wall_s": wall,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_kb": usage.ru_maxrss,
        }
        self.control.send(json.dumps(report).encode())

    def wait(self, pidfd: int, until: float) -> str:
        """Wait for the program's end; return why it is to be killed instead, by its limit or the host."""
        poller = select.poll()
        poller.register(pidfd, select.POLLIN)
        poller.register(self.control, select.POLLIN)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return "limit"
            events = dict(poller.poll(min(left * 1000, _WAITS_MS)))
            if pidfd in events:
                return ""
            if self.control.fileno() in events:
                request, descriptors = self.receive()
                for descriptor in descriptors:
                    os.close(descriptor)
                return "host" if request is not None else "gone"

    def clean(self) -> None:
        """End whatever the program started, and empty what it could write to."""
        if self.alone:
            try:
                os.kill(-1, signal.SIGKILL)
                while True:
                    os.waitpid(-1, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
            self.confine.renew_scratch(self.config["scratch_mb"])
        else:
            self.scratch.empty(self.config["scratch"])


def _data_bytes() -> int:
    """Private memory of this process in bytes, to which a program's limit is added."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmData:"):
                return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    main()
