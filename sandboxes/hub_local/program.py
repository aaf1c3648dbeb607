"""What a forked process does: confines itself for good, waits, and becomes a program, a solver or a judge."""

import array
import atexit
import contextlib
import json
import mmap
import os
import random
import re
import resource
import signal
import socket
import struct
import sys
import threading
import time
from typing import Any

from hub_local import fixed_place, judge, kernel, seccomp, solver

OPEN_FILES = 64
FILE_BYTES = 32 << 20
MOST_THREADS = 256
"""Threads of a program, or processes of a compiler; only where those of a namespace are counted alone."""
WORK = seccomp.WORK
_LONGEST_REQUEST = 1 << 18
MOST_JUDGED = 200
"""Programs that one process judges, where their tests leave nothing behind (see `pure`)."""
KEPT_BYTES = 8 << 20
"""Memory that a judge may keep from tests before; one that holds more of it does not stay."""
_READ, _BEGUN, _IDLE = 1, 2, 3
_REACHED = {_READ: "read", _BEGUN: "begun", _IDLE: "begun"}
_STATE = struct.Struct("Q")
ENVIRONMENT = {
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
}


def prepare(config: dict[str, Any]) -> None:
    """Make, once in the server, what every program would make for itself: it costs most of a short run."""
    namespaces = config["tier"] == "namespaces"
    os.environ.clear()
    os.environ.update(ENVIRONMENT, **({} if namespaces else _scratch(config)))
    if not namespaces and config["scratch"] != fixed_place.PLACE:
        fixed_place.lead(config["scratch"], [*config["readable"], *config["packages"]])
    sys.argv = ["/tmp/program.py"]
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115
    # The first process of a namespace gets the signals that it has a handler for, from programs too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Waiting:
    """What a forked process does: walls itself in, waits for a program, and becomes it.

    Args:
        work: where programs come from (see `take_work`).
        config: see `layers.configuration`.
        base: bytes of memory that are there before any program.
        ruleset: Landlock's, where it is not behind that already; -1 for none.
    """

    def __init__(self, work: socket.socket, config: dict[str, Any], base: int, ruleset: int) -> None:
        self.work, self.base, self.ruleset = work, base, ruleset
        self.counted = resource.RLIMIT_AS if config["gvisor"] else resource.RLIMIT_DATA
        """The limit of memory: gVisor holds to none of private memory alone."""
        self.state = mmap.mmap(-1, _STATE.size)
        self.judged = self.taken = 0
        """Programs that it has judged; the last one that it took after one over which it was killed."""
        self.namespaces = config["tier"] == "namespaces"
        own_files = self.namespaces and not config["gvisor"]  # whose devices are in no mount of their own
        keeps_sizes = self.namespaces or config["landlock_abi"] >= 3
        self.filter = kernel.Filter(*seccomp.strict(own_files, keeps_sizes))
        self.tools = config["tools"]
        if self.tools:
            self.starts = kernel.Filter(seccomp.command(starts=True, own_files=True))
            self.runs = kernel.Filter(seccomp.command(starts=False, own_files=own_files))
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        self.hard_address_bytes = hard if hard != resource.RLIM_INFINITY else 1 << 62
        # Before Linux 5.14 all processes of the user count, also the host's. gVisor calls itself 4.4.
        release = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
        self.counts_own = self.namespaces and (release >= (5, 14) or config["gvisor"])

    def reached(self, number: int) -> str:
        """Return how far the process came that has ended: it has "begun" its program, only "read" it, or "".

        A program that it did not read is taken away.

        Args:
            number: the program's.
        """
        told, phase = divmod(self._told(), 4)
        if told >= number:
            self.taken = told
            return _REACHED[phase] if told == number else "begun"
        with contextlib.suppress(BlockingIOError):
            _, descriptors = _receive(self.work, socket.MSG_DONTWAIT)
            for descriptor in descriptors:
                os.close(descriptor)
        return ""

    def stays(self, number: int) -> bool:
        """Tell whether the process has judged this program, and waits for the next one or has it."""
        return self._told() >= 4 * number + _IDLE

    def _told(self) -> int:
        told: int = _STATE.unpack(self.state)[0]
        return told

    def _tell(self, number: int, phase: int) -> None:
        self.state[:] = _STATE.pack(4 * number + phase)

    def become(self) -> None:
        """Wait for a program behind every wall, and run it; does not return.

        With it come descriptors, and the numbers that they shall have: standard input, output and error
        (each else a null device), 3 for a text that is long, then what its kind needs.
        """
        kernel.die_with_parent()
        null = os.open(os.devnull, os.O_RDWR)
        for place in (0, 1, 2):
            os.dup2(null, place)
        if self.ruleset != -1:
            kernel.restrict(self.ruleset)
        os.closerange(3, WORK)
        for which, value in _SAME_LIMITS.items():
            resource.setrlimit(which, (value, value))
        kernel.drop_capabilities()
        if not self.tools:
            self.filter.install(os.getpid())
        random.seed()
        _touch()
        while True:
            data, descriptors = _receive(self.work)
            if not data:
                os._exit(0)
            request = json.loads(data)
            self._tell(request["id"], _READ)
            if request["kind"] != "judge":
                self.work.close()
            _place(descriptors, request["places"])
            self._limit(request, request["kind"] != "judge")
            text = request["text"].encode("utf-8", "surrogatepass") if "text" in request else _read(3)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if request["kind"] == "judge":
                self._judge(request, text)
                continue
            if request["kind"] == "command":
                if "file" in request:
                    with open(request["file"], "wb") as file:
                        file.write(text)
                (self.starts if request["compiles"] else self.runs).install()
            self._tell(request["id"], _BEGUN)
            self.state.close()
            _run(request, text)

    def _judge(self, request: dict[str, Any], text: bytes) -> None:
        """Judge a program; returns only where its tests left nothing behind."""
        self._tell(request["id"], _BEGUN)
        tests = judge.Tests(text.decode("utf-8", "surrogatepass"), request["entry_point"])
        self.judged += 1
        stays = tests.pure and self.judged < MOST_JUDGED
        if not stays:
            self.work.close()
            self.state.close()
            self._limit(request, True)
        verdict = tests.run(calls := socket.socket(fileno=4))
        # Where the program is gone, the host waits for reports of how both ended.
        stays = stays and verdict["verdict"] != "gone" and self._holds_little()
        if stays:
            self._tell(request["id"], _IDLE)
        judge.tell(verdict, 5, calls)
        if not stays:
            os._exit(0)
        if "text" not in request:
            os.close(3)

    def _holds_little(self) -> bool:
        """Tell whether it holds hardly more memory than it began with.

        What is left, were it only to be collected, would be missing for the next tests, or take their time.
        """
        soft, hard = resource.getrlimit(self.counted)
        resource.setrlimit(self.counted, (self.base + KEPT_BYTES, hard))
        try:
            mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
        except (OSError, MemoryError):
            return False
        finally:
            resource.setrlimit(self.counted, (soft, hard))
        return True

    def _limit(self, request: dict[str, Any], for_good: bool) -> None:
        memory = self.base + (request["memory_mb"] << 20) + KEPT_BYTES * (request["kind"] == "judge")
        most = self.hard_address_bytes
        if most < memory:
            raise OSError("the host's own limit (ulimit -v) is lower")
        limits = {
            resource.RLIMIT_CPU: int(request["wall_s"] + time.process_time()) + 2,
            resource.RLIMIT_AS: min(2 * memory + (1 << 30), most),
        }
        limits[self.counted] = memory
        if self.counts_own:
            limits[resource.RLIMIT_NPROC] = MOST_THREADS
        if for_good:  # else other descriptors come, by way of numbers above it
            limits[resource.RLIMIT_NOFILE] = OPEN_FILES if request["kind"] != "command" else 256
        for which, value in limits.items():
            resource.setrlimit(which, (value, value if for_good else resource.getrlimit(which)[1]))


def take_work(work: socket.socket) -> socket.socket:
    """Move the socket that programs come from to a number that no program can have, and return it."""
    with work:
        os.dup2(work.fileno(), WORK, inheritable=False)
    return socket.socket(fileno=WORK)


def _run(request: dict[str, Any], text: bytes) -> None:
    kind = request["kind"]
    if kind == "command":
        os.execve(request["command"][0], request["command"], dict(os.environ))
    elif kind == "script":
        _end(_script(text))
    elif kind == "solver":
        _end(_solver(text, socket.socket(fileno=4)))
    elif kind == "inprocess":
        _end(_in_process(text, _read(4), request["entry_point"], 5))


def _receive(work: socket.socket, flags: int = 0) -> tuple[bytes, list[int]]:
    data, ancillary, _, _ = work.recvmsg(_LONGEST_REQUEST, socket.CMSG_SPACE(8 * 4), flags)
    descriptors = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content[: len(content) - len(content) % 4])
    return data, list(descriptors)


def _touch() -> None:
    """Use what every program uses: the memory that is copied for it is then there before the program is."""
    namespace: dict[str, Any] = {}
    exec(compile("def f(x):\n    return [str(n) for n in x]\nf([1.5, 2])\n", "/tmp", "exec"), namespace)
    json.loads(json.dumps({"kind": ["text", 1, 0.5]}))
    print(end="", flush=True)


def _scratch(config: dict[str, Any]) -> dict[str, str]:
    return {"HOME": config["scratch"], "TMPDIR": config["scratch"]}


def _place(descriptors: list[int], places: list[int]) -> None:
    """Move the given descriptors to their places."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, WORK + 1 + number)
        os.close(descriptor)
    for number, place in enumerate(places):
        os.dup2(WORK + 1 + number, place, inheritable=place < 3)
        os.close(WORK + 1 + number)


_SAME_LIMITS = {
    resource.RLIMIT_FSIZE: FILE_BYTES,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_MEMLOCK: 0,
}


def _read(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    if not size:
        return b""
    parts = []
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _script(text: bytes) -> int:
    """Run a program as `__main__`; returns its exit code."""
    try:
        solver.run_module(text, "__main__")
    except SystemExit as error:
        return _code(error)
    except BaseException as error:
        solver.show(error)
        return 1
    return 0


def _solver(text: bytes, calls: socket.socket) -> int:
    try:
        namespace = solver.run_module(text, "solution")
    except SystemExit as error:
        return _code(error) or 3
    except BaseException as error:
        solver.show(error)
        return 4 if isinstance(error, MemoryError) else 1
    solver.serve(namespace, calls)
    _flush()
    os._exit(0)


def _in_process(text: bytes, tests: bytes, entry_point: str | None, verdict_to: int) -> int:
    """Run the tests in the program's own process: weak, for the program can reach the verdict."""
    try:
        namespace = solver.run_module(text + b"\n\n" + tests, "__main__")
        if entry_point and callable(namespace.get("check")):
            namespace["check"](namespace[entry_point])
    except AssertionError as error:
        solver.show(error)
        os.write(verdict_to, b'{"verdict":"failed","detail":"","calls":1}')
        return 1
    except BaseException as error:
        solver.show(error)
        return 1
    os.write(verdict_to, b'{"verdict":"passed","detail":"","calls":1}')
    return 0


def _code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    sys.stderr.write(f"{error.code}\n"[:2_000])
    return 1


def _end(code: int) -> None:
    """End as Python ends a program: wait for threads, run what is registered, flush."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    except BaseException as error:
        solver.show(error)
    os._exit(code if _flush() else code or 120)


def _flush() -> bool:
    """Write what was printed and kept, and close it; whether that went well."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        return False
    os.closerange(1, 3)  # so that who reads it need not wait until the process's memory is taken down
    return True
