"""The file that `hub score` writes: one JSON line per sample, appended, and continued after a stop."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hub.errors import DataError
from hub.mix.combine import MixScore
from hub.sample import Sample
from hub.score import Outcome, Score


class ResultsFile:
    """Where results go.

    Args:
        path: a file, or "-" for standard output.
        keep: bytes of the file to keep; 0 begins anew.

    Raises:
        DataError: it cannot be written.
    """

    def __init__(self, path: str, keep: int = 0) -> None:
        self.path = path
        try:
            self._file: BinaryIO
            if path == "-":
                self._file = sys.stdout.buffer
            else:
                # Unbuffered: what was written stands, and closing has nothing left that could fail.
                self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by close()
                if os.path.isfile(path):
                    self._file.truncate(keep)
        except OSError as error:
            raise self._error(error) from error

    def write(self, lines: list[bytes]) -> None:
        """Append lines.

        Raises:
            DataError: the disk is full, or the file cannot be written for another reason.
            BrokenPipeError: nobody reads standard output any more.
        """
        left = memoryview(b"".join(lines))
        try:
            while left:
                left = left[self._file.write(left) :]
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Close the file."""
        if self.path != "-":
            self._file.close()

    def _error(self, error: OSError) -> DataError:
        can_resume = self.path != "-" and Path(self.path).is_file()
        rest = "; what it holds stands: make room and go on with --resume" if can_resume else ""
        name = "standard output" if self.path == "-" else self.path
        return DataError(f"{name} cannot be written: {error.strerror or error}{rest}")


def result_line(sample: Sample, result: MixScore) -> bytes:
    r"""Return one line of results.

    >>> from hub.mix.combine import MixScore
    >>> result_line(Sample(id=7), MixScore(Score(0.5), {"same": Score(1.0)}, {"same": 0.5}))
    b'{"id": 7, "score": 0.5, "scores": {"same": {"value": 1.0, "outcome": "scored", "reason": ""}}}\n'
    """
    scores = {name: score.as_dict() for name, score in result.scores.items()}
    record = {"id": sample.id, "score": result.value, "scores": scores}
    try:
        text = json.dumps(record, ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        for score in scores.values():
            if "info" in score:
                score["info"] = {"repr": repr(score["info"])[:2000]}
        text = json.dumps(record)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate in a detail or id
        return json.dumps(record, default=_plain).encode() + b"\n"


def read_results(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read back what was written: the offset behind each line, and the line.

    A last line that a stop has torn is left out.

    Raises:
        DataError: it cannot be read, or another line is no line of results.
    """
    end = 0
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            for number, line in enumerate(file, 1):
                end += len(line)
                record = _read(line)
                if record is not None:
                    yield end, record
                elif end < size:
                    raise DataError(f"{path}:{number}: not a line that `hub score` wrote")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_scores(record: dict[str, Any]) -> dict[str, Score]:
    """Return the scores of a line, by reward."""
    return {
        name: Score(plain["value"], plain["reason"], plain.get("detail", ""), {}, Outcome(plain["outcome"]))
        for name, plain in record["scores"].items()
    }


def _read(line: bytes) -> dict[str, Any] | None:
    """The record of a whole and valid line, else None."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
        read_scores(record)
        return record if record.keys() == {"id", "score", "scores"} else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _plain(value: object) -> object:
    """What stands in JSON for a value that JSON does not have."""
    return value.item() if hasattr(value, "item") else str(value)
