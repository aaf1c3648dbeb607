"""Tasks of lm-eval in a process of their own, so that a command can load its model meanwhile.

Importing what lm-eval's tasks need (datasets, pandas, pyarrow, ...) takes as long as importing torch. One
process serves all tasks of a command, for as long as that lives; it is asked one thing after the other.
"""

import atexit
import pickle
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hub.errors import DataError
from hub.generator import Decoding

_START = """\
import sys
sys.path[:] = sys.argv[1:]
from hub_lm_eval.task_server import serve
serve()
"""


class TaskProcess:
    """The process, seen from the one that asks."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = threading.Lock()

    def rows(self, path: Path, decoding: Decoding | None, *options: Any) -> list[dict[str, Any]]:
        """Return a task's rows; see `hub_lm_eval.tasks`.

        Raises:
            Exception: what was raised there.
            DataError: the process ended.
        """
        found: list[dict[str, Any]] = self._ask("rows", path, decoding, *options)
        return found

    def aggregate(self, path: Path, values: Mapping[str, Sequence[Any]]) -> dict[str, float]:
        """Return each metric over its values, as the task says.

        Raises:
            Exception: what was raised there.
            DataError: the process ended.
        """
        found: dict[str, float] = self._ask("aggregate", path, values)
        return found

    def _ask(self, *request: Any) -> Any:
        with self._one_at_a_time:
            process = self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                pickle.dump(request, process.stdin)
                process.stdin.flush()
                kind, answer = pickle.load(process.stdout)
            except BaseException as error:  # after Ctrl-C too, the next answer would be to this request
                _end(process)
                if isinstance(error, EOFError | OSError | pickle.UnpicklingError):
                    raise DataError(
                        "the process that reads lm-eval's tasks ended "
                        f"(exit code {process.returncode}); was there too little memory?"
                    ) from error
                raise
        if kind == "raised":
            raise answer
        return answer

    def _start(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            atexit.register(self._process.kill)
        return self._process


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(1)  # its exit code says why it ended
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


shared = TaskProcess()
"""That of this process."""
