"""What runs tests: in a forked, confined process, against a solver in another one."""

import ast
import builtins
import contextlib
import json
import os
import socket
from typing import Any

from hub_local.candidate import CandidateError, Link, Remote
from hub_local.names import candidates, modules
from hub_local.pure import is_pure

_LONGEST_DETAIL = 1_000


class Tests:
    """Tests of a program.

    Names that they use and do not make themselves are the candidate's, or modules' (see `names`).

    Args:
        text: them.
        entry_point: the function that a `check` which they define is called with.
    """

    def __init__(self, text: str, entry_point: str | None) -> None:
        self.entry_point = entry_point
        self._tree: ast.Module | None = None
        self._nodes: list[ast.AST] = []
        self._broken: BaseException | None = None
        try:
            tree = ast.parse(text, "/tmp/tests.py")
            self._nodes = list(ast.walk(tree))
            self._tree = tree
        except BaseException as error:
            self._broken = error
        self.pure = self._tree is None or is_pure(self._nodes)
        """Whether they leave nothing behind."""

    def run(self, sock: socket.socket) -> dict[str, Any]:
        """Run them against the solver; returns the verdict, with why, and the calls that they made.

        Tests that end before they asked the candidate anything are "unusable", however they end: no program
        had a part in it.
        """
        link = Link(sock)
        verdict, detail = "passed", ""
        try:
            self._run(link)
            if not link.calls:
                verdict, detail = "error", "they never call the program"
        except AssertionError as error:
            verdict, detail = "failed", f"{_message(error)} {_where(error)}".strip()
        except MemoryError:
            verdict, detail = "memory" if link.raised == "MemoryError" else "error", "out of memory"
        except BaseException as error:
            name = "" if isinstance(error, CandidateError) else f"{type(error).__name__}: "
            verdict, detail = "error", f"{name}{_message(error)} {_where(error)}".strip()
        if link.gone:  # even where the tests caught that
            verdict, detail = "gone", link.gone
        elif not link.asked:
            verdict = "unusable"
        return {"verdict": verdict, "detail": detail[:_LONGEST_DETAIL], "calls": link.calls}

    def _run(self, link: Link) -> None:
        if self._tree is None:
            raise self._broken or AssertionError
        names = candidates(self._nodes, self.entry_point)
        namespace: dict[str, Any] = {
            **{name: Remote(link, name) for name in names},
            **modules(self._nodes, names - {self.entry_point}),
            "__name__": "__main__",
            "__builtins__": builtins,
            "CandidateError": CandidateError,
        }
        exec(compile(self._tree, "/tmp/tests.py", "exec", dont_inherit=True), namespace)
        if self.entry_point and "check" in namespace and not isinstance(namespace["check"], Remote):
            namespace["check"](Remote(link, self.entry_point))


def tell(verdict: dict[str, Any], verdict_to: int, sock: socket.socket) -> None:
    """Write a verdict, and close what was open for it.

    At once, for who waits for them: a process's own end comes after its memory is taken down.
    """
    data = json.dumps(verdict).encode("utf-8", "replace")
    while data:
        data = data[os.write(verdict_to, data) :]
    os.close(verdict_to)
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def _message(error: BaseException) -> str:
    try:
        return str(error)[:500]
    except BaseException as other:  # a number of too many digits, or what the tests' own class does
        return f"(its message cannot be shown: {type(other).__name__})"


def _where(error: BaseException) -> str:
    place, found = error.__traceback__, ""
    while place is not None:
        if place.tb_frame.f_code.co_filename == "/tmp/tests.py":
            found = f"(line {place.tb_lineno} of the tests)"
        place = place.tb_next
    return found
