"""The server that programs are forked from: single-threaded, with its modules imported, behind its walls.

Started by `slot.Slot` with two sockets, one for orders and reports, one for programs. It never runs a program
itself, and never holds a program's text, input or tests. The process of a program is forked before the
program is there: it walls itself in, waits for it on the second socket, runs that one, and ends.
"""

import builtins
import contextlib
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
_LOOKS_MS = 200
"""How often it looks at what a program wrote, where no file system of its own limits all of that."""


def main() -> None:
    """Set up, say so, and serve until the host is gone."""
    control, work = (socket.socket(fileno=_moved(int(number))) for number in sys.argv[1:3])
    config = json.loads(control.recv(1 << 16))
    sys.path[:0] = [config["package"], *config["paths"]]
    confine = importlib.import_module("hub_local.confine")
    kernel = importlib.import_module("hub_local.kernel")
    program = importlib.import_module("hub_local.program")
    importlib.import_module("hub_local.scratch")
    work = program.take_work(work)
    quitter = importlib.import_module("_sitebuiltins").Quitter  # what `site` would have made
    builtins.exit, builtins.quit = quitter("exit", "Ctrl-D"), quitter("quit", "Ctrl-D")
    for name in config["preload"]:
        importlib.import_module(name)
    config["packages"] = sorted({*config["packages"], *_imported(config["paths"])})
    base = _base_bytes("VmSize:" if config["gvisor"] else "VmData:")
    ruleset = -1
    try:
        if config["tier"] == "namespaces":
            confine.enter_namespaces(control, config)
        else:
            ruleset = confine.enter_landlock(control, config)
        kernel.hide_memory()
        kernel.gain_nothing()
        kernel.Filter(importlib.import_module("hub_local.seccomp").server()).install()
    except OSError as error:
        control.send(json.dumps({"refused": str(error.filename), "error": error.strerror}).encode())
        os._exit(1)
    sys.path.remove(config["package"])
    server = Server(control, config, program.Waiting(work, config, base, ruleset))
    program.prepare(config)
    gc.collect()
    gc.freeze()
    server.fork()
    control.send(json.dumps({"ready": True, "pid": os.getpid()}).encode())
    server.serve()


class Server:
    """Forks programs, one at a time, and ends them at their limit.

    Args:
        control: orders come from it, reports go to it.
        config: see `layers.configuration`.
        waiting: what a forked process does.
    """

    def __init__(self, control: socket.socket, config: dict[str, Any], waiting: Any) -> None:
        self.control, self.config, self.waiting = control, config, waiting
        self.alone = config["tier"] == "namespaces"
        self.confine = importlib.import_module("hub_local.confine")
        self.kernel = importlib.import_module("hub_local.kernel")
        self.scratch = importlib.import_module("hub_local.scratch")
        self.watched = config["scratch"] if not self.alone else "/tmp" if config["gvisor"] else ""
        """The folder that no file system of its own keeps from being filled."""
        self.untouched = self.confine.scratch_state() if self.alone else ()
        self.child = 0
        """The process for the next program, or that runs one; 0 for none."""
        # Not by a descriptor of the process: gVisor has none.
        self.ended, ended = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(ended, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.poller = select.poll()
        self.poller.register(control, select.POLLIN)
        self.poller.register(self.ended, select.POLLIN)

    def serve(self) -> None:
        """Follow orders until the host is gone."""
        with contextlib.suppress(ConnectionError):  # so it says where something was left unread
            while data := self.control.recv(1 << 16):
                order = json.loads(data)
                if "wall_s" in order:
                    self.run(order)
        if self.child:
            os.kill(self.child, signal.SIGKILL)  # before its folder is removed
            self.reap()

    def fork(self) -> None:
        """Make the process for the next program; nothing of the one before must be there any more."""
        child = self.kernel.fork()
        if child == 0:
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                self.waiting.become()
            finally:
                os._exit(70)
        self.child = child

    def reap(self) -> tuple[int, resource.struct_rusage]:
        """Wait for the process's end; return its status and what it used."""
        _, status, usage = os.wait4(self.child, 0)
        self.child = 0
        return status, usage

    def run(self, order: dict[str, Any]) -> None:
        """Give the program its time and report its end."""
        start = time.monotonic()
        if self.waiting.taken == order["id"]:  # by the process that was killed over the one before
            report = {"id": order["id"], "status": 0, "killed": "", "reached": "", "clean": True}
            self.control.send(json.dumps(report).encode())
            return
        killed = self.wait(start + order["wall_s"])
        if self.waiting.stays(order["id"]):  # and may have ended since, over the next program
            report = {"id": order["id"], "status": 0, "killed": "host", "reached": "begun", "clean": True}
            self.control.send(json.dumps(report).encode())
            return
        if killed:
            os.kill(self.child, signal.SIGKILL)
        status, usage = self.reap()
        report = {
            "id": order["id"],
            "status": status,
            "killed": killed,
            "reached": self.waiting.reached(order["id"]),
            "wall_s": time.monotonic() - start,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_kb": usage.ru_maxrss,
        }
        keep = "keep" in order and status == 0
        clean = self.clean(keep, self.config["cleans_s"])
        self.control.send(json.dumps({**report, "clean": clean}).encode())
        if not clean:
            self.clean()
        os.sched_yield()  # who waits for the report goes first
        self.fork()

    def wait(self, until: float) -> str:
        """Wait for the program's end; return why it is to be killed: its limit, the host, the disk."""
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return "limit"
            events = dict(self.poller.poll(min(left * 1000, _LOOKS_MS if self.watched else _WAITS_MS)))
            if self.ended in events:
                os.read(self.ended, 1 << 16)
                if os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    return ""
            if self.control.fileno() in events:
                return "host" if self.control.recv(1 << 16) else "gone"
            if self.watched and self.scratch.is_full(self.watched, self.config["scratch_mb"]):
                return "disk"

    def clean(self, keep_files: bool = False, seconds: float = float("inf")) -> bool:
        """End whatever the program started, and empty what it could write to; False where time ran out."""
        if self.alone:
            try:
                os.kill(-1, signal.SIGKILL)
                while True:
                    os.waitpid(-1, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        if keep_files:
            return True
        if self.alone:
            self.renew()
            return True
        return bool(self.scratch.empty(self.config["scratch"], seconds))

    def renew(self) -> None:
        """Mount another /tmp, where a program left something of its own there, were it rights or times."""
        try:
            touched = self.confine.scratch_state() != self.untouched
        except PermissionError:
            touched = True
        if touched:
            self.confine.renew_scratch(self.config)
            self.untouched = self.confine.scratch_state()


def _moved(descriptor: int) -> int:
    """Give a descriptor the lowest number: what a program must not have is closed below `program.WORK`."""
    moved = os.dup(descriptor)
    os.close(descriptor)
    return moved


def _imported(folders: list[str]) -> list[str]:
    """Return the packages and files in these folders that others imported, which may ask for more of them."""
    found = set()
    for name, module in sys.modules.items():
        file = getattr(module, "__file__", None) or ""
        for folder in folders:
            if name.split(".")[0] != "hub_local" and file.startswith(f"{folder}/"):
                top = f"{folder}/{file[len(folder) + 1 :].split('/')[0]}"
                found |= {path for path in (top, f"{top}.libs") if os.path.exists(path)}
    return list(found)


def _base_bytes(what: str) -> int:
    """Return the memory of this process in bytes, of the kind that is limited: a program's limit is added."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(what):
                return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    main()
