"""The process lane: hands chunks of work to worker processes, and kills at the time limit.

One thread runs everything here, so nothing but the inbox is locked. Workers are forked by a server
process (server.py); this side keeps, for each, a socket for chunks and results, a region of shared
memory that shows what it is doing, and a pipe with what it prints.
"""

import contextlib
import itertools
import logging
import os
import selectors
import signal
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable

from hub.engine.apart import Apart
from hub.engine.costs import UNUSUAL_NS, Costs
from hub.engine.forks import ForkServer
from hub.engine.handle import Chunk, Handle, Verdict
from hub.engine.wire import Result
from hub.engine.work import Work
from hub.errors import EngineError
from hub.score import Failure

CHUNK_BYTES = 4 << 20
RELIEF = 16
"""Workers beyond the pool's size, at most, while as many are held by calls that take unusually long."""
LOWER_NS = 10_000_000
"""Run time of a call that takes unusually long, after which it has a lower priority, and others stand in."""
APART_NS = 1_000_000
"""... and where it is to run on cores apart: that costs it little, and the others wait for it until then."""
STAND_IN_S = 5.0
"""How long workers that stood in for others are kept for the next time, and a worker is kept apart for it."""
NEVER = float("-inf")
DEATHS = 3
"""Workers that may die before the end of a reward's construction, until it is given up."""

_log = logging.getLogger(__name__)


class Pool:
    """Worker processes of one engine.

    Args:
        size: how many run at once.
        apart: calls that take unusually long run on cores apart.
    """

    def __init__(self, size: int, apart: bool = False) -> None:
        self.size = size
        self._apart = Apart() if apart else None
        self._lower_ns = APART_NS if apart else LOWER_NS
        self.pids: set[int] = set()
        self._pending: dict[int, dict[Work, deque[int]]] = {}  # by reward
        self._costs = Costs(APART_NS if apart else UNUSUAL_NS)
        self._broken: dict[int, str] = {}
        self._deaths: Counter[int] = Counter()
        self._handles: dict[int, Handle] = {}
        self._inbox: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._on_wake)
        self._server = ForkServer()
        self._watching_server: socket.socket | None = None
        self._lock = threading.Lock()
        self._closing = False
        self._relieved = 0.0
        self._parted = NEVER
        self._thread = threading.Thread(target=self._run, name="hub-pool", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> None:
        """Take work; return at once."""
        if not self._ask(lambda: self._add(work)):
            work.fail_all(Failure.CANCELLED, "the engine was closed")

    def cancel(self, work: Work) -> None:
        """Drop what is queued of this work and kill the workers that are busy with it."""
        self._ask(lambda: self._drop(work))

    def preload(self, modules: list[tuple[str, str]]) -> None:
        """Have workers forked from now on find these modules imported."""
        self._ask(lambda: self._server.preload(modules))

    def close(self) -> None:
        """Kill every worker and the server; unsettled work fails with `cancelled`."""
        if self._ask(self._stop):
            self._thread.join(timeout=30)

    def forget(self) -> None:
        """In a forked child: let go of what belongs to the parent, without ending it."""
        self._server.forget()
        for handle in self._handles.values():
            handle.sock.close()

    def _ask(self, action: Callable[[], None]) -> bool:
        """Have the pool's thread do something; False if it has ended."""
        with self._lock:
            if self._closing:
                return False
            self._inbox.append(action)
            with contextlib.suppress(OSError):
                self._wake_write.send(b"!")
            return True

    def _on_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_read.recv(4096)

    def _run(self) -> None:
        while not self._closing:
            try:
                while self._inbox and not self._closing:
                    self._inbox.popleft()()
                if not self._closing:
                    self._dispatch()
                    self._retire()
                    for key, _ in self._selector.select(self._until_next_limit()):
                        key.data()
                    self._kill_overdue()
                    self._relieve()
            except EngineError as error:
                self._fail_everything(Failure.UNAVAILABLE, str(error))
            except Exception as error:
                _log.exception("the engine's pool had an error; its workers are started anew")
                self._fail_everything(Failure.CRASHED, f"the engine's pool had an error: {error!r}")
        while self._inbox:  # asked before the end was known: work in it is failed by `_add`
            self._inbox.popleft()()
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _add(self, work: Work) -> None:
        if self._closing:
            work.fail_all(Failure.CANCELLED, "the engine was closed")
        elif work.number in self._broken:
            work.fail_all(Failure.SETUP, self._broken[work.number])
        elif work.units:
            self._pending.setdefault(work.number, {})[work] = deque(range(len(work.units)))

    def _drop(self, work: Work) -> None:
        work.cancelled = True
        works = self._pending.pop(work.number, {})
        works.pop(work, None)
        if works:
            self._pending[work.number] = works
        for handle in self._handles.values():
            if handle.chunk is not None and any(one is work for one, _ in handle.chunk.spans):
                handle.chunk.given_up = True
        work.fail_all(Failure.CANCELLED, "the caller gave up")
        self._kill_overdue()

    # Handing out chunks

    def _dispatch(self) -> None:
        room = self.size
        if len(self._handles) > room:
            busy = [one for one in self._handles.values() if one.chunk is not None and not one.dying]
            room -= sum(not self._is_unusual(handle) for handle in busy)
        for handle in self._handles.values():
            if room > 0 and not handle.dying and handle.chunk is None:
                if not self._give(handle):
                    return
                room -= 1
        room = self._room() if self._pending else 0
        if room > 0:
            works = [work for works in self._pending.values() for work in works.items()]
            starting = sum(h.chunk is not None and h.chunk.is_warm_up for h in self._handles.values())
            for _ in range(min(room, sum(len(units) for _, units in works) - starting)):
                self._spawn(works[0][0])

    def _room(self) -> int:
        """How many more workers there may be."""
        return self.size + self._relief() - sum(not handle.dying for handle in self._handles.values())

    def _make_whole(self, work: Work) -> None:
        """Start workers in place of those that are dead or held: the next sample need not wait for them."""
        for _ in range(self._room()):
            self._spawn(work)

    def _relief(self) -> int:
        """How many workers are held by calls that take unusually long, so that others must stand in."""
        held = min(RELIEF, sum(map(self._is_unusual, self._handles.values())))
        if held:
            self._relieved = time.monotonic()
        return held

    def _is_unusual(self, handle: Handle) -> bool:
        """Whether the call that this worker makes takes unusually long."""
        if handle.lowered is not None:
            return True
        number, ran = handle.running()
        return ran > self._costs.unusual_ns(number)

    def _retire(self) -> None:
        """End workers that stood in for others, once they are not needed."""
        surplus = len(self._handles) - self.size
        if surplus > 0 and not self._pending:
            surplus -= self._relief()
            if time.monotonic() < self._relieved + STAND_IN_S:
                return
            for handle in [one for one in self._handles.values() if one.chunk is None and not one.dying]:
                if surplus > 0:
                    self._kill(handle)
                    surplus -= 1

    def _give(self, handle: Handle) -> bool:
        """Give the worker a chunk of the reward that waited longest; False if there is none."""
        while self._pending:
            number = next(iter(self._pending))
            works = self._pending.pop(number)
            spans = self._take(number, works)
            if works:
                self._pending[number] = works  # behind the others
            if spans:
                handle.give(spans)
                self._flush(handle)
                return True
        return False

    def _take(self, number: int, works: dict[Work, deque[int]]) -> list[tuple[Work, list[int]]]:
        """Take units for a chunk: of the work that waited longest, and of others while there is room."""
        left = sum(map(len, works.values())) + sum(one.units_left(number) for one in self._handles.values())
        room, size = self._costs.chunk(number, left, self.size), 0
        spans = []
        while works and room > 0 and size < CHUNK_BYTES:
            work = next(iter(works))
            pending = works.pop(work)
            units: list[int] = []
            while pending and len(units) < room and size < CHUNK_BYTES:
                unit = pending.popleft()
                if not work.is_settled(unit):
                    units.append(unit)
                    size += len(work.units[unit])
            if pending:
                works[work] = pending  # behind the others
            if units:
                spans.append((work, units))
                room -= len(units)
        return spans

    # Workers

    def _spawn(self, work: Work) -> None:
        """Start a worker that constructs a reward, and is free then: another may be so before it."""
        control = self._server.start()
        if control is not self._watching_server:
            self._selector.register(control, selectors.EVENT_READ, self._on_server)
            self._watching_server = control
        handle = Handle.create()
        self._handles[handle.number] = handle
        self._server.spawn(handle)
        self._selector.register(handle.sock, selectors.EVENT_READ, lambda: self._on_worker(handle))
        self._selector.register(handle.output, selectors.EVENT_READ, lambda: self._on_output(handle))
        handle.give([(work.warm_up(), [0])])
        self._flush(handle)

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
        if not alive:
            self._selector.unregister(handle.sock)  # its end could be read for ever, until it is reaped
        self._take_results(handle)
        if handle.unsent and alive:
            self._flush(handle)
        if not alive and not handle.dying:
            self._kill(handle)  # dead, or alive with its socket closed by what it runs

    def _on_output(self, handle: Handle) -> None:
        if handle.number in self._handles and not handle.read_output():
            self._selector.unregister(handle.output)

    def _take_results(self, handle: Handle) -> None:
        for results, done in handle.results():
            chunk = handle.chunk
            assert chunk is not None
            self._settle(chunk, results)
            if done:
                self._deaths.pop(chunk.work.number, None)
                if chunk.received < len(chunk):  # it was told to stop, and nobody else was given the rest
                    self._requeue(chunk.work.number, chunk.calls(chunk.received, len(chunk)))
                handle.chunk = None
                if not handle.dying and not handle.restore():
                    self._kill(handle)

    def _settle(self, chunk: Chunk, results: list[Result]) -> None:
        start, results = chunk.received, results[: len(chunk) - chunk.received]
        chunk.received += len(results)
        if results and not chunk.is_warm_up:
            self._costs.learn(chunk.work.number, sum(ran for _, _, ran in results) // len(results))
        done = 0
        for work, units in chunk.calls(start, chunk.received):
            work.settle(units, results[done : done + len(units)])
            done += len(units)

    def _until_next_limit(self) -> float | None:
        if self._inbox:
            return 0.0
        waits = [handle.until_limit(self._costs.stall_ns) for handle in self._handles.values()]
        known = [wait for wait in waits if wait is not None]
        known += map(self._until_late, self._handles.values())
        if self._pending:
            known.append(self._costs.floor_ns / 1e9)  # then a call may take unusually long
        if len(self._handles) > self.size and not self._pending:
            known.append(max(0.05, self._relieved + STAND_IN_S - time.monotonic()))
        if self._parted > NEVER:
            known.append(max(0.05, self._parted + STAND_IN_S - time.monotonic()))
        until = min(known, default=float("inf"))
        return max(0.0, until) if until < float("inf") else None

    def _until_late(self, handle: Handle) -> float:
        """Seconds until something is to be done about the call under way, should it take that long."""
        number, ran = handle.running()
        unusual = self._costs.unusual_ns(number)
        late = [max(at, unusual) for at in (self._lower_ns, LOWER_NS)] if number else []
        return min(((at - ran) / 1e9 for at in late if at >= ran), default=float("inf"))

    def _kill_overdue(self) -> None:
        for handle in list(self._handles.values()):
            if handle.is_overdue():
                self._kill(handle)
            elif handle.is_stuck():
                if handle.pid is None:
                    self._server.kill()  # stuck in an import: the next one does without it
                    return
                self._kill(handle)

    def _part(self) -> None:
        """Keep apart who need not hurry: calls that take unusually long, workers that start, their server.

        And for some time after such a call one of the workers, which gets chunks before the others: where the
        next one hangs, it has a core to itself from its first moment.
        """
        if self._apart is not None and self._server.process is not None:
            behind, others, slow = [self._server.process.pid], list[int](), 0
            for handle in self._handles.values():
                slow += handle.lowered is not None and not handle.dying
                if handle.pid:
                    starts = handle.chunk is not None and handle.chunk.is_warm_up
                    hurries = not starts and not handle.dying and handle.lowered is None
                    (others if hurries else behind).append(handle.pid)
            now = time.monotonic()
            if slow:
                self._parted = now
            elif now >= self._parted + STAND_IN_S:
                self._parted = NEVER
            elif others:
                behind.append(others.pop(0))
                slow = 1
            self._apart.part(slow, behind, others)

    def _relieve(self) -> None:
        """Let nobody wait for a call that takes long but who asked for it."""
        self._part()
        lowered = sum(handle.lowered is not None for handle in self._handles.values())
        for handle in list(self._handles.values()):
            ran = handle.running()[1]
            if ran > self._lower_ns and self._is_unusual(handle):
                if handle.lowered is None:
                    handle.lower()
                    self._part()
                if ran > LOWER_NS and handle.lowered is not None and not handle.lowered.stood_in_for:
                    handle.lowered.stood_in_for = True
                    if handle.chunk is not None and not self._pending:
                        self._make_whole(handle.chunk.work)
            handle.share = min(1.0, self.size / max(1, lowered))
            if handle.is_stalled(self._costs.stall_ns):
                handle.receive()
                self._take_results(handle)
                if handle.chunk is not None:
                    number = handle.chunk.work.number
                    self._settle(handle.chunk, handle.unsent_results(handle.chunk))
                    self._requeue(number, handle.take_back())

    def _kill(self, handle: Handle) -> None:
        if handle.pid:
            if not handle.dying:
                handle.restore()  # so that it ends soon
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
            elif "died" in message and message["died"] in self._handles:
                self._kill(self._handles[message["died"]])  # and whatever it left behind
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
        del self._handles[handle.number]
        self.pids.discard(handle.pid or 0)
        for descriptor in (handle.sock, handle.output):
            if descriptor in self._selector.get_map():
                self._selector.unregister(descriptor)
        handle.receive()
        handle.read_output()
        self._take_results(handle)
        chunk = handle.chunk
        if chunk is not None:
            self._settle(chunk, handle.unsent_results(chunk))
            verdict = handle.verdict(chunk, status)
            self._blame(chunk, verdict, status is None)
            if not chunk.is_warm_up:
                self._requeue(chunk.work.number, chunk.calls(chunk.received, len(chunk)))
            if verdict.call and status is not None and not self._pending:
                self._make_whole(chunk.work)
        handle.close()

    def _blame(self, chunk: Chunk, verdict: Verdict, server_died: bool) -> None:
        number = chunk.work.number
        if verdict.reason is Failure.SETUP:
            self._deaths[number] += not server_died
            if verdict.certain or self._deaths[number] >= DEATHS:
                self._broken[number] = verdict.detail
                for work in {*self._pending.pop(number, {}), *(work for work, _ in chunk.spans)}:
                    work.fail_all(Failure.SETUP, verdict.detail)
        elif verdict.reason is not None and verdict.call is not None:
            work, unit = verdict.call
            if server_died and unit not in work.retried:
                work.retried.add(unit)
            else:
                work.fail(unit, verdict.reason, verdict.detail, verdict.start_ns)

    def _requeue(self, number: int, spans: Iterable[tuple[Work, list[int]]]) -> None:
        """Put units of a reward back in line, before the others."""
        works = self._pending.pop(number, {})
        first: dict[Work, deque[int]] = {}
        for work, units in spans:
            rest = [unit for unit in units if not work.is_settled(unit)]
            if rest:
                first[work] = deque([*rest, *works.pop(work, ())])
        if first or works:
            self._pending = {number: {**first, **works}, **self._pending}

    # Ends

    def _fail_everything(self, reason: Failure, detail: str) -> None:
        chunks = [handle.chunk for handle in self._handles.values() if handle.chunk is not None]
        busy = [work for chunk in chunks for work, _ in chunk.spans]
        for work in {*itertools.chain(*self._pending.values()), *busy}:
            work.fail_all(reason, detail)
        self._pending.clear()
        for handle in list(self._handles.values()):
            handle.chunk = None
            self._kill(handle)

    def _stop(self) -> None:
        with self._lock:
            self._closing = True
        self._fail_everything(Failure.CANCELLED, "the engine was closed")
        self._server.stop()
        for handle in self._handles.values():
            handle.close()
        self._handles.clear()
        if self._apart is not None:
            self._apart.part(0, [], [])
