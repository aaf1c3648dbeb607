"""The fork server: a clean, single-threaded process that workers are forked from.

Started by the engine as a fresh interpreter, never a fork of the caller, so threads,
locks, CUDA contexts and open files of the caller are not copied. It imports what rewards ask to have
preloaded, and forks: a replacement for a killed worker costs milliseconds. It ends when the engine's
end of the control socket closes, however that came about, and takes every worker with it.

Control messages are lines of JSON. From the engine: `preload` (modules), `spawn` (worker number; with it
come three descriptors: socket, shared region, output pipe), `reap` (the number of a worker that was killed
or that died). From the server: `ready`, `spawned` (pid), `died`, `exited` (wait status).
"""

import ctypes
import gc
import importlib
import json
import logging
import mmap
import os
import select
import signal
import socket
import sys
from typing import Any

from hub.engine import wire
from hub.engine.worker import run_worker
from hub.target import load_file

_log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1


def main(control_fd: int) -> None:
    """Serve until the engine goes away."""
    open_standard_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    control = socket.socket(fileno=control_fd)
    workers: dict[int, int] = {}
    dead: set[int] = set()
    wanted: set[int] = set()
    buffer, descriptors = b"", list[int]()
    try:
        while True:
            ready = select.select([control.fileno(), woken], [], [])[0]
            if woken in ready:
                os.read(woken, 4096)
                for number in list(workers):
                    if number in wanted:
                        reap(control, number, workers, wanted)
                    elif number not in dead and has_ended(workers[number]):
                        dead.add(number)
                        say(control, died=number)
            if control.fileno() not in ready:
                continue
            data, received, _, _ = socket.recv_fds(control, 1 << 16, 64)
            if not data:
                return
            descriptors += received
            buffer += data
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                message = json.loads(line)
                if "preload" in message:
                    preload(message["preload"])
                    say(control, ready=True)
                elif "spawn" in message:
                    mine, descriptors = descriptors[:3], descriptors[3:]
                    pid = spawn(control, mine, [*descriptors, woken, wake])
                    workers[message["spawn"]] = pid
                    say(control, spawned=message["spawn"], pid=pid)
                elif "reap" in message:
                    wanted.add(message["reap"])
                    reap(control, message["reap"], workers, wanted)
                    dead.discard(message["reap"])
    except (ConnectionError, BrokenPipeError):
        return
    finally:
        for pid in workers.values():
            kill_group(pid)


def open_standard_streams() -> None:
    """Open 0, 1 and 2 where the caller had closed them: descriptors that come later must not be those."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def has_ended(pid: int) -> bool:
    """Whether a worker has ended; it is not reaped, so that its pid is not given to another process."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def reap(control: socket.socket, number: int, workers: dict[int, int], wanted: set[int]) -> None:
    """Tell a worker's status if it has ended; one that was killed may take a while, and holds up no other."""
    pid, status = os.waitpid(workers[number], os.WNOHANG)
    if pid:
        del workers[number]
        wanted.discard(number)
        say(control, exited=number, status=status)


def preload(modules: list[tuple[str, str]]) -> None:
    """Import modules, by name and file; one that fails is left for the worker, which says why."""
    gc.disable()  # nothing is let go of meanwhile; looking for it takes a fifth of the time
    for module, file in modules:
        try:
            load_file(file, module) if file else importlib.import_module(module)
        except BaseException as error:
            _log.info("preload of %s failed: %r", module, error)
    gc.enable()
    gc.collect()
    gc.freeze()


def spawn(control: socket.socket, mine: list[int], others: list[int]) -> int:
    """Fork a worker that has `mine` (socket, region, output pipe) and none of `others`."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        for descriptor in mine:
            os.close(descriptor)
        return pid
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
        control.close()
        for descriptor in others:
            os.close(descriptor)
        sock, region, output = mine
        shared = mmap.mmap(region, wire.REGION_BYTES)
        os.close(region)
        run_worker(socket.socket(fileno=sock), shared, output)
        status = 0
    except BaseException as error:
        os.write(2, f"hub worker: {error!r}\n".encode(errors="replace"))
    finally:
        os._exit(status)


def kill_group(pid: int) -> None:
    """Kill a worker and what it started."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def say(control: socket.socket, **message: Any) -> None:
    """Send one control message to the engine."""
    control.sendall(json.dumps(message).encode() + b"\n")
