r"""The file in which judges' answers are kept: one line of JSON per answer, only ever appended.

An answer is found by what was asked: the judge's name, how it samples, which repeat, and every message. Where
the judge is reached does not count. Several processes may write to one file at once; a line that a kill has
torn is passed over. Delete a line to have its question asked again.
"""

import fcntl
import hashlib
import json
import os
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.errors import OptionError


def key_of(request: Mapping[str, Any]) -> str:
    """Return what an answer is found by: a digest of the request.

    >>> key_of({"model": "m", "seed": 0}) == key_of({"seed": 0, "model": "m"})
    True
    """
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:32]


class AnswerFile:
    """Answers by key, in a file.

    Args:
        path: the file; made with its folder where it is missing, unless it is only read.
        read_only: answers are looked up and none is added.

    Raises:
        OptionError: it cannot be read or written.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._places: dict[str, tuple[int, int]] = {}
        self._read_to = 0
        try:
            if not read_only:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.open("ab").close()
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise OSError("is not a regular file")
            with self.path.open("rb"):
                pass
        except OSError as error:
            raise OptionError(f"the answers in {self.path}: {error.strerror or error}") from error

    def get(self, key: str) -> Any:
        """Return an answer, also one that another process has added; None if there is none."""
        with self._lock, self.path.open("rb") as file:
            if key not in self._places:
                self._index(file)
            if key not in self._places:
                return None
            start, size = self._places[key]
            file.seek(start)
            return json.loads(file.read(size))["answer"]

    def add(self, key: str, request: Mapping[str, Any], answer: Any) -> None:
        """Append an answer.

        Raises:
            OSError: the file cannot be written.
        """
        line = json.dumps({"key": key, "request": request, "answer": answer}).encode() + b"\n"
        with self._lock, self.path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                torn = file.read(1) != b"\n"
                line = b"\n" + line if torn else line
            file.write(line)
            file.flush()

    def _index(self, file: Any) -> None:
        """Note where the answers are that were added since the last look."""
        file.seek(self._read_to)
        for line in file:
            if not line.endswith(b"\n"):
                break  # another process is at it, or was killed
            start, self._read_to = self._read_to, self._read_to + len(line)
            try:
                entry = json.loads(line)
                self._places.setdefault(entry["key"], (start, len(line)))
            except (ValueError, KeyError, TypeError):
                continue
