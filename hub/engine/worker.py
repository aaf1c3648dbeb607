"""A worker process: scores units one after the other until its socket closes. Forked by the server."""

import faulthandler
import importlib
import os
import pickle
import random
import resource
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from mmap import mmap
from typing import IO, Any

from hub.engine import wire
from hub.engine.call import call_many, call_one, failure_of
from hub.errors import SandboxError
from hub.sample import Sample, quick_sample
from hub.score import Failure, Score
from hub.target import Target, missing_dependency


@dataclass(frozen=True)
class Definition:
    """A reward as a worker needs to know it.

    Args:
        many: its units are lists of samples, not single ones.
        columns: names of the columns that each sample carries, in order; None: a dict of them all.
        optional: some of the columns may be absent.
        memory_mb: MiB it may add to what the worker holds without it.
        code: cloudpickle of its target and options, where it goes to another process.
        here: its target and options, where it stays in this one.
    """

    many: bool
    columns: tuple[str, ...] | None
    optional: bool
    memory_mb: int
    code: bytes = b""
    here: tuple[Target, dict[str, Any]] | None = None

    def construct(self) -> Callable[..., Any]:
        """Return the function that scores: the target, or an instance of it."""
        target, options = self.here or pickle.loads(self.code)
        found = target.load()
        try:
            scorer: Callable[..., Any] = found(**options) if isinstance(found, type) else found
        except ModuleNotFoundError as error:
            raise missing_dependency(error, str(target), target.origin) from error
        return scorer


class Worker:
    """The state of one worker process."""

    def __init__(self, sock: socket.socket, region: mmap) -> None:
        self.sock, self.region, self.cells = sock, region, wire.cells(region)
        self.definitions: dict[int, Definition] = {}
        self.scorers: dict[int, Callable[..., Any] | Score] = {}
        self.memory = Memory()

    def serve(self) -> None:
        """Read frames until the engine closes the socket."""
        with self.sock.makefile("rb", buffering=1 << 18) as stream:
            while head := stream.read(wire.HEAD.size):
                kind, length = wire.HEAD.unpack(head)
                body = stream.read(length)
                if kind == wire.DEFINE:
                    number, definition = pickle.loads(body)
                    self.definitions[number] = definition
                else:
                    self.score_chunk(memoryview(body))

    def score_chunk(self, body: memoryview) -> None:
        """Score the units of one chunk and send their records."""
        chunk, number, count = wire.CHUNK_HEAD.unpack_from(body)
        lengths = struct.unpack_from(f"<{count}I", body, wire.CHUNK_HEAD.size)
        at = wire.CHUNK_HEAD.size + 4 * count
        region, cells, clock = self.region, self.cells, time.monotonic_ns
        self.begin_records(0)
        cells[wire.START], cells[wire.UNIT], cells[wire.CHUNK_NUMBER] = clock(), wire.SETUP, chunk
        self.memory.limit(number, self.definitions[number].memory_mb)
        score = _unit_scorer(self.scorer(number), self.definitions[number])
        first, end, plain = 0, wire.PROGRESS.size, wire.PLAIN
        is_plain, put, put_size = wire.is_plain, wire.RECORD.pack_into, wire.RECORD.size
        for index, length in enumerate(lengths):
            if index >= cells[wire.STOP]:
                break
            unit = body[at : at + length]
            at += length
            cells[wire.START] = start = clock()
            cells[wire.UNIT] = index
            scores = score(unit)
            ran = clock() - start
            record, size = b"", put_size
            if not is_plain(scores):
                record, plain = wire.pack_rest(scores, start, ran), 0
                size = len(record)
            if end + size > wire.REGION_BYTES:
                self.send(chunk, end, b"", plain)
                first, end = index, wire.PROGRESS.size
                self.begin_records(first)
            if end + size > wire.REGION_BYTES:
                self.send(chunk, end, record, plain)
                first = index + 1
                self.begin_records(first)
                continue
            if record:
                region[end : end + size] = record
            else:
                put(region, end, start, ran, scores[0].value, 0)
            end += size
            cells[wire.WRITTEN] = end - wire.PROGRESS.size
        cells[wire.START], cells[wire.UNIT] = clock(), wire.IDLE
        self.send(chunk, end, b"", plain | wire.DONE)

    def begin_records(self, first: int) -> None:
        """Empty the region of records; the next one written is that of this unit of the chunk."""
        self.cells[wire.WRITTEN] = 0  # before `first`, which would count the old records wrongly
        self.cells[wire.FIRST] = first

    def send(self, chunk: int, end: int, record: bytes, flags: int) -> None:
        """Send the records in the region, which end there, or one that is too long for it."""
        records = record or self.region[wire.PROGRESS.size : end]
        self.sock.sendall(wire.FRAME.pack(chunk, len(records), flags) + records)

    def scorer(self, number: int) -> Callable[..., Any] | Score:
        """Return the constructed reward, or the score that says why it cannot be."""
        if number not in self.scorers:
            try:
                self.scorers[number] = self.definitions[number].construct()
            except SandboxError as error:
                return failure_of(error)  # it may be there for the next chunk
            except BaseException as error:
                score = failure_of(error)
                self.scorers[number] = Score.failed(Failure.SETUP, score.detail)
        return self.scorers[number]


class Memory:
    """Limits the private memory of this process by what each reward adds to it.

    What one reward keeps, such as a library or a model, is not another's to answer for.
    """

    def __init__(self) -> None:
        try:
            self._file: int | None = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = None
        self._seen, self._last = self._bytes(), 0
        self._added: Counter[int] = Counter()  # by reward

    def limit(self, number: int, megabytes: int) -> None:
        """Let a reward hold this much, with what it added before; it is the one that scores from now on."""
        now = self._bytes()
        self._added[self._last] = max(0, self._added[self._last] + now - self._seen)
        self._seen, self._last = now, number
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (now - self._added[number] + (megabytes << 20), hard))

    def _bytes(self) -> int:
        """Memory that counts against RLIMIT_DATA, and the stack; 0 where /proc is missing."""
        pages = os.pread(self._file, 200, 0).split()[5] if self._file is not None else 0
        return int(pages) * resource.getpagesize()


def _unit_scorer(
    scorer: Callable[..., Any] | Score, definition: Definition
) -> Callable[[memoryview], list[Score]]:
    """Return what scores one unit."""
    if isinstance(scorer, Score):
        return lambda _: [scorer]
    loads, many = pickle.loads, definition.many

    def score(unit: memoryview) -> list[Score]:
        try:
            fields = loads(unit)
        except BaseException as error:
            detail = f"cannot be read in a worker process: {type(error).__name__}: {error}"
            return [Score.failed(Failure.BAD_INPUT, detail)]
        if many:
            return call_many(scorer, [read_sample(loads(one), definition) for one in fields])
        return [call_one(scorer, read_sample(fields, definition))]

    return score


def read_sample(fields: tuple[Any, ...], definition: Definition) -> Sample:
    """Rebuild what a reward sees of a sample."""
    prompt, completion, values = fields
    columns = definition.columns
    if columns is not None:
        values = dict(zip(columns, values))  # noqa: B905 - made of these columns; each sample pays for it
        if definition.optional:
            values = {name: value for name, value in values.items() if value is not ABSENT}
    return quick_sample(prompt, completion, values)


class _Absent:
    """Stands for a column that the row does not have; one object in every process."""

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


def run_worker(sock: socket.socket, region: mmap, output: int) -> None:
    """Become a worker: the life of a forked process. Returns when the engine is gone."""
    null = os.open(os.devnull, os.O_RDWR)
    for target, source in ((0, null), (1, output), (2, output)):
        os.dup2(source, target)
    stderr: IO[str] = os.fdopen(2, "w", buffering=1, errors="replace", closefd=False)
    sys.stdin = open(os.devnull)  # noqa: SIM115 - lives as long as the process
    sys.stderr = stderr
    sys.stdout = os.fdopen(1, "w", buffering=1, errors="replace", closefd=False)
    faulthandler.enable(stderr)
    random.seed()
    if "numpy" in sys.modules:
        importlib.import_module("numpy").random.seed()
    Worker(sock, region).serve()
