"""The process lane: hands chunks of work to worker processes, and kills at the time limit.

One thread runs everything here, so nothing but the inbox is locked. Workers are forked by a server
process (server.py); this side keeps, for each, a socket for chunks and results, a region of shared
memory that shows what it is doing, and a pipe with what it prints.
"""

import contextlib
import logging
import os
import selectors
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable

from hub.engine.forks import ForkServer
from hub.engine.handle import Chunk, Handle
from hub.engine.work import Work
from hub.errors import EngineError
from hub.score import Failure

CHUNK_NS = 20_000_000
"""Run time that a chunk should hold: long against the cost of a message, short against a batch."""
CHUNK_UNITS = 1024
CHUNK_BYTES = 4 << 20
COST_NS = 3_000
"""What one unit costs a worker beside its call."""
STILLBORN = 10
"""Workers that may die in a row before they begin anything."""

_log = logging.getLogger(__name__)


class Pool:
    """Worker processes of one engine.

    Args:
        size: how many run at once.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.pids: set[int] = set()
        self._works: deque[Work] = deque()
        self._pending: dict[Work, deque[int]] = {}
        self._cost_ns: dict[int, float] = {}
        self._broken: dict[int, str] = {}
        self._handles: dict[int, Handle] = {}
        self._inbox: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._on_wake)
        self._server = ForkServer()
        self._watching_server: socket.socket | None = None
        self._closing = False
        self._stillborn = 0
        self._thread = threading.Thread(target=self._run, name="hub-pool", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> None:
        """Take work; return at once."""
        self._ask(lambda: self._add(work))

    def cancel(self, work: Work) -> None:
        """Drop what is queued of this work and kill the workers that are busy with it."""
        self._ask(lambda: self._drop(work))

    def preload(self, modules: list[tuple[str, str]]) -> None:
        """Have workers forked from now on find these modules imported."""
        self._ask(lambda: self._server.preload(modules))

    def close(self) -> None:
        """Kill every worker and the server; unsettled work fails with `cancelled`."""
        if not self._closing:
            self._ask(self._stop)
            self._thread.join(timeout=30)

    def forget(self) -> None:
        """In a forked child: let go of what belongs to the parent, without ending it."""
        self._server.forget()
        for handle in self._handles.values():
            handle.sock.close()

    def _ask(self, action: Callable[[], None]) -> None:
        self._inbox.append(action)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_write.send(b"!")

    def _on_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_read.recv(4096)

    def _run(self) -> None:
        while not self._closing:
            try:
                while self._inbox:
                    self._inbox.popleft()()
                if self._closing:
                    break
                self._dispatch()
                for key, _ in self._selector.select(self._until_next_limit()):
                    key.data()
                self._kill_overdue()
            except EngineError as error:
                self._fail_everything(Failure.UNAVAILABLE, str(error))
            except Exception as error:
                _log.exception("the engine's pool had an error; workers are started anew")
                self._fail_everything(Failure.CRASHED, f"the engine's pool had an error: {error!r}")
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _add(self, work: Work) -> None:
        if work.number in self._broken:
            for unit in range(len(work.units)):
                work.fail(unit, Failure.SETUP, self._broken[work.number])
        elif work.units:
            self._works.append(work)
            self._pending[work] = deque(range(len(work.units)))

    def _drop(self, work: Work) -> None:
        work.cancelled = True
        self._forget_work(work)
        for handle in list(self._handles.values()):
            if handle.chunks and handle.chunks[0].work is work:
                self._kill(handle)
        for unit in range(len(work.units)):
            work.fail(unit, Failure.CANCELLED, "the caller gave up")

    def _forget_work(self, work: Work) -> None:
        if self._pending.pop(work, None) is not None:
            self._works.remove(work)

    # Handing out chunks

    def _dispatch(self) -> None:
        for handle in self._handles.values():
            if not handle.dying and not handle.chunks and not self._give(handle):
                return
        while self._works and len(self._handles) < self.size:
            self._give(self._spawn())

    def _give(self, handle: Handle) -> bool:
        """Give the worker a chunk of the work that waited longest; False if there is none."""
        if not self._works:
            return False
        work = self._works[0]
        self._works.rotate(-1)
        pending = self._pending[work]
        cost = self._cost_ns.get(work.number)
        wanted = 4 if cost is None else int(CHUNK_NS / cost)
        fair = -(-len(pending) // (2 * self.size))
        count = max(1, min(wanted, fair, CHUNK_UNITS, len(pending)))
        units: list[int] = []
        size = 0
        while pending and len(units) < count and size < CHUNK_BYTES:
            unit = pending.popleft()
            if not work.is_settled(unit):
                units.append(unit)
                size += len(work.units[unit])
        if not pending:
            self._forget_work(work)
        if units:
            handle.give(work, units)
            self._flush(handle)
        return True

    # Workers

    def _spawn(self) -> Handle:
        control = self._server.start()
        if control is not self._watching_server:
            self._selector.register(control, selectors.EVENT_READ, self._on_server)
            self._watching_server = control
        handle = Handle.create()
        self._handles[handle.number] = handle
        self._server.spawn(handle)
        self._selector.register(handle.sock, selectors.EVENT_READ, lambda: self._on_worker(handle))
        self._selector.register(handle.output, selectors.EVENT_READ, lambda: self._on_output(handle))
        return handle

    def _flush(self, handle: Handle) -> None:
        """Write what the socket takes now; wait for room for the rest."""
        more = handle.flush()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if more else 0)
        if self._selector.get_key(handle.sock).events != events:
            self._selector.modify(handle.sock, events, lambda: self._on_worker(handle))

    def _on_worker(self, handle: Handle) -> None:
        if handle.number not in self._handles:
            return  # settled earlier in the same round of events
        alive = handle.receive()
        self._take_results(handle)
        if handle.unsent and alive:
            self._flush(handle)
        if not alive and not handle.dying:
            self._kill(handle)  # dead, or alive with its socket closed by what it runs

    def _on_output(self, handle: Handle) -> None:
        if handle.number in self._handles and not handle.read_output():
            self._selector.unregister(handle.output)

    def _take_results(self, handle: Handle) -> None:
        for chunk, results, done in handle.results():
            units = chunk.units[chunk.received : chunk.received + len(results)]
            chunk.received += len(results)
            if results:
                self._learn(chunk.work.number, sum(ran for _, _, ran in results) // len(results))
                chunk.work.settle(units, results)
            if done:
                handle.chunks.popleft()
                self._stillborn = 0

    def _learn(self, number: int, run_ns: int) -> None:
        cost = run_ns + COST_NS
        known = self._cost_ns.get(number)
        self._cost_ns[number] = cost if known is None else known + 0.3 * (cost - known)

    def _until_next_limit(self) -> float | None:
        if self._inbox:
            return 0.0
        waits = [handle.until_limit() for handle in self._handles.values() if handle.chunks]
        known = [wait for wait in waits if wait is not None]
        return max(0.0, min(known)) if known else None

    def _kill_overdue(self) -> None:
        for handle in list(self._handles.values()):
            if handle.chunks and not handle.dying and handle.is_overdue():
                self._kill(handle)

    def _kill(self, handle: Handle) -> None:
        if handle.pid:
            for kill in (os.killpg, os.kill):
                try:
                    kill(handle.pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    continue
        self._bury(handle)

    def _bury(self, handle: Handle) -> None:
        """The worker is dead or dying: ask the server for its status; `_settle_dead` follows."""
        if not handle.dying:
            handle.dying = True
            self._server.reap(handle)

    # The fork server

    def _on_server(self) -> None:
        messages, alive = self._server.receive()
        for message in messages:
            if "spawned" in message and message["spawned"] in self._handles:
                handle = self._handles[message["spawned"]]
                handle.pid = message["pid"]
                self.pids.add(handle.pid)
                if handle.dying:
                    self._kill(handle)
            elif "exited" in message and message["exited"] in self._handles:
                self._settle_dead(self._handles[message["exited"]], message["status"])
        if not alive:
            self._selector.unregister(self._watching_server)  # type: ignore[arg-type]
            self._watching_server = None
            self._server.lost()
            for handle in list(self._handles.values()):
                if handle.pid:
                    self._kill(handle)
                self._settle_dead(handle, None)

    def _settle_dead(self, handle: Handle, status: int | None) -> None:
        """Account for a dead worker: its results, the unit it died of, and all others back in line."""
        handle.receive()
        self._take_results(handle)
        handle.read_output()
        self._selector.unregister(handle.sock)
        if handle.output in self._selector.get_map():
            self._selector.unregister(handle.output)
        del self._handles[handle.number]
        self.pids.discard(handle.pid or 0)
        if handle.chunks:
            chunk = handle.chunks[0]
            results = handle.unsent_results()
            chunk.work.settle(chunk.units[chunk.received : chunk.received + len(results)], results)
            chunk.received += len(results)
            self._blame(handle, chunk, status)
        for chunk in handle.chunks:
            self._requeue(chunk)
        handle.close()

    def _blame(self, handle: Handle, chunk: Chunk, status: int | None) -> None:
        verdict = handle.verdict(status)
        if verdict is None:
            self._stillborn += not chunk.received
            if self._stillborn > STILLBORN:
                self._fail_everything(Failure.CRASHED, "workers die before they begin: " + handle.end(status))
            return
        unit, reason, detail, start_ns = verdict
        if reason is Failure.SETUP:
            self._broken[chunk.work.number] = detail
            self._forget_work(chunk.work)
            for index in range(len(chunk.work.units)):
                chunk.work.fail(index, reason, detail)
        elif status is None and unit not in chunk.work.retried:
            chunk.work.retried.add(unit)
        else:
            chunk.work.fail(unit, reason, detail, start_ns)

    def _requeue(self, chunk: Chunk) -> None:
        rest = [unit for unit in chunk.units[chunk.received :] if not chunk.work.is_settled(unit)]
        if rest and not chunk.work.cancelled:
            if chunk.work not in self._pending:
                self._works.appendleft(chunk.work)
                self._pending[chunk.work] = deque()
            self._pending[chunk.work].extendleft(reversed(rest))

    # Ends

    def _fail_everything(self, reason: Failure, detail: str) -> None:
        works = set(self._pending) | {c.work for h in self._handles.values() for c in h.chunks}
        for work in works:
            for unit in range(len(work.units)):
                work.fail(unit, reason, detail)
        self._works.clear()
        self._pending.clear()
        for handle in self._handles.values():
            handle.chunks.clear()
            self._kill(handle)

    def _stop(self) -> None:
        self._closing = True
        self._fail_everything(Failure.CANCELLED, "the engine was closed")
        self._server.stop()
        for handle in self._handles.values():
            handle.close()
        self._handles.clear()
