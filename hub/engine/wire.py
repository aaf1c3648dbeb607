"""What the engine, the fork server and the workers say to each other.

Engine to worker, over a stream socket: frames of DEFINE (a reward, once) and CHUNK (units to score).
A unit is what one call is given: the pickled fields of one sample, or a list of them.

Worker to engine: FRAME headers, each followed by records, one record per unit in order. The same
records are first written to a region of shared memory, beside which unit is being scored and since
when. So the engine can time a sample without a message per sample, and when a worker is killed the
results that it had not yet sent are still there: none is lost and none is scored twice.
"""

import pickle
import struct
from collections.abc import Mapping, Sequence
from mmap import mmap
from typing import Any

from hub.score import Outcome, Score

HEAD = struct.Struct("<cI")
"""Engine to worker: kind, length of the body."""
DEFINE, CHUNK = b"D", b"C"
CHUNK_HEAD = struct.Struct("<III")
"""Chunk number, reward number, count of units; then the units' lengths as uint32, then the units."""
FRAME = struct.Struct("<IIB")
"""Worker to engine: chunk number, length of the records, flags."""
DONE, PLAIN = 1, 2
"""Flags of a frame: the chunk is done; every record is a value and nothing else."""

Result = tuple[list[Score], int, int]
"""What one call gave: scores, its start (monotonic ns), its run time in ns."""

PROGRESS = struct.Struct("qqqqqq")
"""Head of the shared region: start of the current call (monotonic ns), number of the unit being
scored, chunk number, index of the first record in the region, bytes of records; and, written by the
engine, the number of the first unit that the worker must not begin any more. The start is written
before the unit's number, so a reader who sees the number sees a start at least as late.

The worker writes each field as one machine word (see `cells`), and native order reads each as one. Not
`struct.pack_into`: it first zeroes what it will write, and a reader in another process sees the zeros.
"""
START, UNIT, CHUNK_NUMBER, FIRST, WRITTEN, STOP = range(6)
NO_STOP = 1 << 62
REGION_BYTES = 1 << 20

IDLE, SETUP = -1, -2
"""In place of a unit's number: nothing is being scored; the reward is being constructed."""

RECORD = struct.Struct("<qqdI")
"""A result: start (monotonic ns), run time in ns, value, length of the pickled rest (0: none)."""


def pack_rest(scores: Sequence[Score], start_ns: int, elapsed_ns: int) -> bytes:
    """Encode what one call gave where it is more than one value."""
    rest = pickle.dumps([_plain(score) for score in scores], pickle.HIGHEST_PROTOCOL)
    return RECORD.pack(start_ns, elapsed_ns, 0.0, len(rest)) + rest


def is_plain(scores: Sequence[Score]) -> bool:
    """Whether a call gave one value and nothing else."""
    if len(scores) != 1:
        return False
    score = scores[0]
    return score.value is not None and not (score.reason or score.detail or score.info)


def unpack_results(records: bytes, plain: bool = False) -> list[Result]:
    """Decode records; `plain` where the frame said so."""
    if plain:
        return [(_plain_scores(value), start, ran) for start, ran, value, _ in RECORD.iter_unpack(records)]
    results, at = [], 0
    while at < len(records):
        start_ns, elapsed_ns, value, length = RECORD.unpack_from(records, at)
        at += RECORD.size
        if length:
            scores = [_restore(fields) for fields in pickle.loads(records[at : at + length])]
        else:
            scores = _plain_scores(value)
        results.append((scores, start_ns, elapsed_ns))
        at += length
    return results


def cells(region: mmap) -> memoryview:
    """Return the fields of the region's head, each of which is written at once."""
    return memoryview(region)[: PROGRESS.size].cast("q")


def set_stop(region: mmap, unit: int) -> None:
    """Have the worker begin no unit from this one on."""
    with memoryview(region) as whole, whole[: PROGRESS.size] as head, head.cast("q") as words:
        words[STOP] = unit


def written_records(region: mmap) -> tuple[int, int, bytes]:
    """Read what a worker has written since it last sent: chunk number, index of the first record, records.

    A worker that is alive may begin to write anew meanwhile; then there are no records.
    """
    head = PROGRESS.unpack_from(region)
    chunk, first, length = head[CHUNK_NUMBER], head[FIRST], head[WRITTEN]
    records = region[PROGRESS.size : PROGRESS.size + length]
    after = PROGRESS.unpack_from(region)
    whole = (chunk, first, length) == (after[CHUNK_NUMBER], after[FIRST], after[WRITTEN])
    return chunk, first, records if whole else b""


_ZERO, _ONE = [Score(0.0)], [Score(1.0)]


def _plain_scores(value: float) -> list[Score]:
    """A call's scores that are one value: the same list each time for 0 and 1."""
    return _ONE if value == 1.0 else _ZERO if value == 0.0 else [Score(value)]


def _plain(score: Score) -> tuple[Any, ...]:
    info = plain_data(score.info) if score.info else {}
    return score.value, str(score.reason), str(score.detail), info, str(score.outcome)


def plain_data(value: Any, depth: int = 0) -> Any:
    """Return the value made of plain types only, which any process can read; else its text."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if depth < 20:
        if isinstance(value, Mapping):
            return {str(key): plain_data(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain_data(item, depth + 1) for item in value]
    try:
        return repr(value)
    except Exception as error:
        return f"({type(value).__name__}, whose text cannot be had: {type(error).__name__})"


def _restore(plain: tuple[Any, ...]) -> Score:
    value, reason, detail, info, outcome = plain
    return Score(value, reason, detail, info, Outcome(outcome))
