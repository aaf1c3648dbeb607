"""What a forked process does: confines itself for good, then becomes a program, a solver or a judge."""

import atexit
import os
import random
import resource
import signal
import socket
import sys
import threading
from typing import Any

from hub_local import confine, judge, kernel, seccomp, solver

OPEN_FILES = 64
FILE_BYTES = 32 << 20
MOST_PROCESSES = 64
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
    sys.argv = ["/tmp/program.py"]
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.default_int_handler)
    seccomp.strict(0, namespaces)
    seccomp.starting()


def become(request: dict[str, Any], descriptors: list[int], config: dict[str, Any], base: int) -> None:
    """Run what is asked for, behind every wall; does not return.

    Descriptors: standard input, output and error, then the program's text, then what its kind needs.
    """
    kernel.die_with_parent()
    kind = request["kind"]
    _place(descriptors)
    _limit(request, base, kind)
    namespaces = config["tier"] == "namespaces"
    if not namespaces:
        confine.restrict_files(config)
    kernel.drop_capabilities()
    starts = kind == "command"
    kernel.filter_calls(seccomp.starting() if starts else seccomp.strict(os.getpid(), namespaces))
    random.seed()
    text = _read(3)
    if kind == "command":
        _execute(request, text)
    elif kind == "script":
        _end(_script(text))
    elif kind == "solver":
        _end(_solver(text, socket.socket(fileno=4)))
    elif kind == "judge":
        judge.judge(text.decode("utf-8", "surrogatepass"), request["entry_point"], socket.socket(fileno=4), 5)
        os._exit(0)
    elif kind == "inprocess":
        _end(_in_process(text, _read(4), request["entry_point"], 5))


def _scratch(config: dict[str, Any]) -> dict[str, str]:
    return {"HOME": config["scratch"], "TMPDIR": config["scratch"]}


def _place(descriptors: list[int]) -> None:
    """Move the given descriptors to 0, 1, 2, … and close all others."""
    high = 200
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, high + place)
    for place in range(len(descriptors)):
        os.dup2(high + place, place, inheritable=place < 3)
    os.closerange(len(descriptors), high + len(descriptors) + 1)


def _limit(request: dict[str, Any], base: int, kind: str) -> None:
    memory = request["memory_mb"] << 20
    seconds = int(request["wall_s"]) + 2
    limits = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES if kind != "command" else 256,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_DATA: base + memory,
        resource.RLIMIT_AS: 2 * (base + memory) + (1 << 30),
    }
    if kind == "command":
        limits[resource.RLIMIT_NPROC] = MOST_PROCESSES
    for which, value in limits.items():
        resource.setrlimit(which, (value, value))


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
    """Write what was printed and kept; whether that went well."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        return False
    return True


def _execute(request: dict[str, Any], text: bytes) -> None:
    """Write the program's text to a file, then become the command that compiles or runs it."""
    if text:
        with open(request["file"], "wb") as file:
            file.write(text)
    os.execve(request["command"][0], request["command"], dict(os.environ))
