"""Frames in the engine's pieces, and answers that are none; a socket pair plays the engine."""

import base64
import json
import pickle
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest

from hub.errors import BadInput
from hub.sandbox import Case, Limits, Program, Verdict
from hub_docker import wire
from hub_docker.wire import Lost, Stream

LONGEST = 1 << 20


@pytest.fixture
def pair() -> Iterator[tuple[Stream, socket.socket]]:
    ours, theirs = socket.socketpair()
    stream = Stream(ours)
    yield stream, theirs
    stream.close()
    theirs.close()


def soon() -> float:
    return time.monotonic() + 20


def frame(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + data


def pieces(data: bytes, size: int, kind: int = 1) -> bytes:
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(struct.pack(">BxxxI", kind, len(part)) + part for part in parts)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 1000])
def test_a_frame_in_pieces(pair: tuple[Stream, socket.socket], size: int) -> None:
    stream, engine = pair
    message = {"text": "żółw\n" * 50, "number": 1}
    engine.sendall(pieces(frame(json.dumps(message).encode()), size))
    assert stream.receive(soon(), LONGEST) == message


def test_two_frames_at_once_and_errors_between(pair: tuple[Stream, socket.socket]) -> None:
    stream, engine = pair
    engine.sendall(pieces(b"a warning", 3, kind=2) + pieces(frame(b'{"n": 1}') + frame(b'{"n": 2}'), 100))
    assert [stream.receive(soon(), LONGEST)["n"] for _ in range(2)] == [1, 2]
    assert stream.printed() == "a warning"


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (pieces(frame(b"[1]"), 50), "no JSON object"),
        (pieces(frame(b"{"), 50), "no JSON object"),
        (pieces(frame(b"\xff"), 50), "no JSON object"),
        (pieces(frame(b"[" * 100_000), 50_000), "no JSON object"),
        (pieces(struct.pack("<Q", LONGEST + 1), 8), "too long"),
        (pieces(b"killed by the kernel", 50, kind=2), "killed by the kernel"),
        (b"\x01\x00", "has ended"),
        (b"", "has ended"),
    ],
)
def test_what_is_no_frame(pair: tuple[Stream, socket.socket], sent: bytes, says: str) -> None:
    stream, engine = pair
    engine.sendall(sent)
    engine.shutdown(socket.SHUT_WR)
    with pytest.raises(Lost, match=says):
        stream.receive(soon(), LONGEST)


def test_no_answer(pair: tuple[Stream, socket.socket]) -> None:
    with pytest.raises(Lost, match="does not answer"):
        pair[0].receive(time.monotonic() + 0.05, LONGEST)


def test_nobody_reads(pair: tuple[Stream, socket.socket]) -> None:
    with pytest.raises(Lost, match="does not read"):
        pair[0].send({"text": "x" * (8 << 20)}, time.monotonic() + 0.2)


def test_interrupting_wakes_who_waits(pair: tuple[Stream, socket.socket]) -> None:
    pair[0].interrupt()
    with pytest.raises(Lost, match="ended"):
        pair[0].receive(soon(), LONGEST)


def test_any_text_is_sent(pair: tuple[Stream, socket.socket]) -> None:
    stream, engine = pair
    program = Program("x = '\ud800\x00'", stdin="🐢", cases=(Case((1, {2}), (3, b"4"), {"k": 5j}),))
    stream.send(wire.request(program, Limits(memory_mb=9)), soon())
    (length,) = struct.unpack("<Q", engine.recv(8))
    given = json.loads(engine.recv(length).decode("utf-8", "surrogatepass"))
    assert given["program"]["source"] == program.source
    assert given["limits"] == {"wall_s": 5.0, "memory_mb": 9, "output_bytes": 1_000_000}
    assert pickle.loads(base64.b64decode(given["program"]["cases"])) == [((1, {2}), (3, b"4"), {"k": 5j})]


@pytest.mark.parametrize(
    "program",
    [
        Program("x" * (wire.LARGEST_SOURCE + 1)),
        Program("", stdin="x" * (wire.LARGEST_SOURCE + 1)),
        Program("", tests="x" * (wire.LARGEST_SOURCE + 1)),
        Program("", expected_stdout="x" * (wire.LARGEST_SOURCE + 1)),
        Program("", cases=(Case((lambda: None,), 1),)),
        Program("", cases=(Case((b"x" * (wire.LARGEST_SOURCE + 1),), 1),)),
    ],
)
def test_what_cannot_be_sent(program: Program) -> None:
    with pytest.raises(BadInput):
        wire.request(program, Limits())


GOOD = {"verdict": "failed", "stdout": "1", "stderr": "", "exit_code": 1, "wall_s": 0.5, "info": {"a": 1}}


def test_an_execution() -> None:
    found = wire.execution(GOOD)
    assert (found.verdict, found.stdout, found.exit_code, found.info) == (Verdict.FAILED, "1", 1, {"a": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "won"},
        {"exit_code": "0"},
        {"exit_code": True},
        {"info": []},
        {"wall_s": "long"},
        {"wall_s": None},
    ],
)
def test_no_execution(change: dict[str, Any]) -> None:
    with pytest.raises(Lost):
        wire.execution({**GOOD, **change})


@pytest.mark.parametrize("given", [None, [], {}, "passed", {"verdict": "passed"}])
def test_not_even_a_form(given: Any) -> None:
    with pytest.raises(Lost):
        wire.execution(given)
