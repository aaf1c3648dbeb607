"""The engine's view of one worker process."""

import itertools
import os
import pickle
import signal
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from mmap import mmap

from hub.engine import wire
from hub.engine.priority import Lowered
from hub.engine.work import Work
from hub.score import Failure

STALL_NS = 50_000_000
"""Run time of a call after which what waits behind it in its chunk is given to other workers."""
TAIL_BYTES = 2000
"""How much of what a worker printed is kept, for the message when it crashes."""

_numbers = itertools.count(1)


@dataclass(eq=False)
class Chunk:
    """Units of one reward that a worker was given, from one caller's work or several.

    Args:
        number: told apart from other chunks in frames and in the shared region.
        spans: indices into the units of each work, in the order the worker scores them.
        received: how many results are known.
        sent: how many results have been sent; fewer than are known where some were read from the region.
        given_ns: when it was handed out.
        given_up: a caller of one of the works gave up.
    """

    number: int
    spans: list[tuple[Work, list[int]]]
    received: int = 0
    sent: int = 0
    given_ns: int = field(default_factory=time.monotonic_ns)
    given_up: bool = False

    def __len__(self) -> int:
        return sum(len(units) for _, units in self.spans)

    @property
    def work(self) -> Work:
        """The first of the works: all are of one reward, so its number, definition and limits are theirs."""
        return self.spans[0][0]

    @property
    def is_warm_up(self) -> bool:
        """Whether the worker only constructs the reward with it."""
        work, units = self.spans[0]
        return len(units) > 0 and not work.units[units[0]]

    def calls(self, start: int, stop: int) -> Iterator[tuple[Work, list[int]]]:
        """Yield the part of each span that lies between two positions of the chunk."""
        for work, units in self.spans:
            if start < len(units) and stop > 0:
                yield work, units[max(0, start) : stop]
            start, stop = start - len(units), stop - len(units)

    def call(self, position: int) -> tuple[Work, int]:
        """Return the work and the unit at a position."""
        work, (unit,) = next(self.calls(position, position + 1))
        return work, unit


@dataclass(frozen=True)
class Verdict:
    """What a worker died of.

    Args:
        call: the work and its unit to blame; None: no unit is.
        reason: why that unit has no score; SETUP where the reward could not be constructed.
        detail: for a person.
        start_ns: when the unit was begun.
        certain: it would happen again.
        begun: the worker had begun its chunk.
    """

    call: tuple[Work, int] | None
    reason: Failure | None = None
    detail: str = ""
    start_ns: int = 0
    certain: bool = False
    begun: bool = True


@dataclass(eq=False)
class Handle:
    """One worker: its socket, shared region and output, and what it has been given."""

    number: int
    sock: socket.socket
    region: mmap
    output: int
    chunk: Chunk | None = None
    unsent: bytearray = field(default_factory=bytearray)
    pid: int | None = None
    dying: bool = False
    lowered: Lowered | None = None
    share: float = 1.0
    _theirs: list[int] = field(default_factory=list)
    _unread: bytearray = field(default_factory=bytearray)
    _tail: bytearray = field(default_factory=bytearray)
    _told: set[int] = field(default_factory=set)
    _doomed: tuple[int, int] | None = None

    @classmethod
    def create(cls) -> "Handle":
        """Make the socket, the region and the pipe of a worker that is yet to be forked."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        read, write = os.pipe()
        os.set_blocking(read, False)
        shared = _memory_file()
        os.truncate(shared, wire.REGION_BYTES)
        region = mmap(shared, wire.REGION_BYTES)
        return cls(next(_numbers), ours, region, read, _theirs=[theirs.detach(), shared, write])

    def lend(self) -> list[int]:
        """Return the worker's descriptors, for the server; the caller closes them."""
        descriptors, self._theirs = self._theirs, []
        return descriptors

    def give(self, spans: list[tuple[Work, list[int]]]) -> None:
        """Queue a chunk for sending, and the reward's definition before its first."""
        work = spans[0][0]
        if work.number not in self._told:
            self._told.add(work.number)
            definition = pickle.dumps((work.number, work.definition), pickle.HIGHEST_PROTOCOL)
            self.unsent += wire.HEAD.pack(wire.DEFINE, len(definition)) + definition
        chunk = Chunk(next(_numbers) & 0x7FFFFFFF, spans)
        payloads = [one.units[unit] for one, units in spans for unit in units]
        head = wire.CHUNK_HEAD.pack(chunk.number, work.number, len(payloads))
        lengths = struct.pack(f"<{len(payloads)}I", *map(len, payloads))
        body = b"".join((head, lengths, *payloads))
        self.unsent += wire.HEAD.pack(wire.CHUNK, len(body)) + body
        wire.set_stop(self.region, wire.NO_STOP)
        self.chunk = chunk

    def flush(self) -> bool:
        """Send what the socket takes; True if something is left."""
        try:
            while self.unsent:
                del self.unsent[: self.sock.send(self.unsent)]
        except BlockingIOError:
            return True
        except OSError:
            self.unsent.clear()  # the worker is dead; its socket's end says so to the reader
        return False

    def receive(self) -> bool:
        """Read what the worker sent; False once it has closed its end."""
        try:
            while data := self.sock.recv(1 << 18):
                self._unread += data
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def results(self) -> list[tuple[list[wire.Result], bool]]:
        """Take the complete frames of its chunk that came: results not known yet, whether it is done."""
        frames = []
        chunk = self.chunk
        while len(self._unread) >= wire.FRAME.size:
            number, length, flags = wire.FRAME.unpack_from(self._unread)
            end = wire.FRAME.size + length
            if len(self._unread) < end:
                break
            records = bytes(self._unread[wire.FRAME.size : end])
            del self._unread[:end]
            if chunk is not None and chunk.number == number:
                results = wire.unpack_results(records, bool(flags & wire.PLAIN))
                known, chunk.sent = chunk.received - chunk.sent, chunk.sent + len(results)
                frames.append((results[max(0, known) :], bool(flags & wire.DONE)))
        return frames

    def read_output(self) -> bool:
        """Drain what the worker printed, keeping the end of it; False once it is closed."""
        try:
            while data := os.read(self.output, 1 << 16):
                self._tail = (self._tail + data)[-TAIL_BYTES:]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def units_left(self, number: int) -> int:
        """How many units of this reward it has yet to score."""
        if self.chunk is None or self.dying or self.chunk.work.number != number:
            return 0
        current = self._current(self.chunk)[0]
        return len(self.chunk) - max(0, current or 0)

    def running(self) -> tuple[int, int]:
        """The reward of the call under way, and for how many nanoseconds; 0 while there is none."""
        if self.chunk is None or self.dying:
            return 0, 0
        current, start_ns, _ = self._current(self.chunk)
        if current is None or current < 0:
            return 0, 0
        return self.chunk.work.number, time.monotonic_ns() - start_ns

    def until_limit(self, stall_ns: Callable[[int], float]) -> float | None:
        """Seconds until something must be looked at again; None if nothing of this worker's."""
        if self.dying or self.chunk is None:
            return None
        current, start_ns, limit_s = self._current(self.chunk)
        if current is None:
            return 0.05  # not begun yet; nothing tells when it is
        left = None if limit_s is None else limit_s - self._spent_ns(start_ns) / 1e9
        if self.chunk.given_up or self._is_waited_for(self.chunk, current):
            # Nothing tells when it stalls, or comes to what nobody wants any more.
            soon = min(0.05, stall_ns(self.chunk.work.number) / 1e9)
            return soon if left is None else min(soon, left)
        if current == wire.SETUP and self.chunk.work.timeout_s is not None and left is not None:
            return min(left, self.chunk.work.timeout_s)  # nothing tells when the first call begins
        return left

    def is_overdue(self) -> bool:
        """Whether the call under way has run past its limit, or nobody wants it: it is the one to blame."""
        if self.dying or self.chunk is None:
            return False
        current, start_ns, limit_s = self._current(self.chunk)
        if current is None:
            return False
        late = limit_s is not None and self._spent_ns(start_ns) > limit_s * 1e9
        if not late and not (self.chunk.given_up and self._is_unwanted(self.chunk, current)):
            return False
        self._doomed = (self.chunk.number, current)
        return True

    def is_stalled(self, stall_ns: Callable[[int], float]) -> bool:
        """Whether a call takes so long that what came before it and waits behind it should not wait."""
        chunk = self.chunk
        if self.dying or chunk is None:
            return False
        current, start_ns, _ = self._current(chunk)
        if current is None or time.monotonic_ns() - start_ns <= stall_ns(chunk.work.number):
            return False
        return self._is_waited_for(chunk, current)

    def lower(self) -> None:
        """Let the call under way run behind those of other workers, until its chunk is done."""
        if self.pid and self.chunk is not None and self.lowered is None:
            self.lowered = Lowered(self.pid, self.chunk.work.timeout_s)

    def restore(self) -> bool:
        """Give the worker its priority back; False where that may not be."""
        lowered, self.lowered = self.lowered, None
        return lowered is None or lowered.restore()

    def _spent_ns(self, start_ns: int) -> float:
        """Nanoseconds of a call that count against its limit: not those that it lost by a lower priority."""
        ran = time.monotonic_ns() - start_ns
        return ran if self.lowered is None else ran - self.lowered.lost_ns(self.share)

    def take_back(self) -> list[tuple[Work, list[int]]]:
        """Have the worker leave what waits behind the call under way; return that.

        At the worst it begins one of these in the same moment; then that is called twice, and the first
        score counts.
        """
        assert self.chunk is not None
        current = self._current(self.chunk)[0]
        if current is None or current < 0:
            return []
        wire.set_stop(self.region, current + 1)
        if self._current(self.chunk)[0] != current:
            wire.set_stop(self.region, wire.NO_STOP)
            return []
        rest = list(self.chunk.calls(current + 1, len(self.chunk)))
        self.chunk.spans = list(self.chunk.calls(0, current + 1))
        return rest

    def is_stuck(self) -> bool:
        """Whether its chunk was not begun in the time that a construction may take."""
        if self.dying or self.chunk is None or self._current(self.chunk)[0] is not None:
            return False
        waited_ns = time.monotonic_ns() - self.chunk.given_ns
        return waited_ns > self.chunk.work.setup_timeout_s * 1e9

    def unsent_results(self, chunk: Chunk) -> list[wire.Result]:
        """Results that the worker has written but not sent."""
        number, first, records = wire.written_records(self.region)
        if number != chunk.number or first > chunk.received:
            return []
        return wire.unpack_results(records)[chunk.received - first :]

    def verdict(self, chunk: Chunk, status: int | None) -> "Verdict":
        """After its death: what it died of.

        Args:
            chunk: the one it had.
            status: its wait status; None where the server died with it.
        """
        current, start_ns, limit_s = self._current(chunk)
        if current is None:
            return Verdict(None, Failure.SETUP, f"it was not begun: {self.end(status)}", begun=False)
        doomed = self._doomed == (chunk.number, current)
        if current == wire.SETUP:
            why = f"ran past {limit_s:g} s (setup_timeout_s)" if doomed else f"failed: {self.end(status)}"
            return Verdict(None, Failure.SETUP, f"its construction {why}", certain=doomed)
        if current != chunk.received or (self._doomed and not doomed):
            return Verdict(None)  # killed for an earlier unit that finished just in time
        if current >= len(chunk):
            return Verdict(None)  # begun just as it was taken back
        call = chunk.call(current)
        if doomed:
            return Verdict(call, Failure.TIMEOUT, f"killed at its limit of {limit_s or 0:g} s", start_ns)
        return Verdict(call, Failure.CRASHED, self.end(status), start_ns)

    def close(self) -> None:
        """Release the descriptors and the region."""
        for descriptor in self._theirs:
            os.close(descriptor)
        self._theirs = []
        self.sock.close()
        os.close(self.output)
        self.region.close()

    @staticmethod
    def _is_waited_for(chunk: Chunk, current: int) -> bool:
        """Whether other units of the chunk wait for the one under way, or have waited."""
        return current >= 0 and (chunk.received < current or current + 1 < len(chunk))

    @staticmethod
    def _is_unwanted(chunk: Chunk, current: int) -> bool:
        """Whether what it does is for callers who gave up."""
        if current == wire.SETUP:
            return all(work.cancelled for work, _ in chunk.spans)
        return current < len(chunk) and chunk.call(current)[0].cancelled

    def _current(self, chunk: Chunk) -> tuple[int | None, int, float | None]:
        """The unit of the chunk that is being scored, its start and its limit in seconds."""
        # The unit is read before its start, and written after it: the start is never too early.
        _, unit, number, *_ = wire.PROGRESS.unpack_from(self.region)
        start_ns = wire.PROGRESS.unpack_from(self.region)[wire.START]
        if number != chunk.number or unit == wire.IDLE:
            return None, 0, None
        work = chunk.work
        return unit, start_ns, work.setup_timeout_s if unit == wire.SETUP else work.timeout_s

    def end(self, status: int | None) -> str:
        """Describe a worker's death, with the last of what it printed."""
        if status is None:
            how = "its worker was lost together with the fork server"
        elif os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            names = {int(known): known.name for known in signal.Signals}
            how = f"its worker was killed by {names.get(number, f'signal {number}')}"
            if number == signal.SIGKILL:
                how += " from outside (out of memory, or an operator)"
        else:
            how = f"its worker exited with status {os.waitstatus_to_exitcode(status)}"
        printed = self._tail.decode(errors="replace").strip()
        return f"{how}; it printed: {printed[-500:]}" if printed else how


def _memory_file() -> int:
    """Return a descriptor of memory that processes can share."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("hub-worker")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
