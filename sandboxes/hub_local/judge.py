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

_LONGEST_DETAIL = 1_000


def judge(tests: str, entry_point: str | None, sock: socket.socket, verdict_to: int) -> None:
    """Run tests against the solver, and write the verdict.

    Names that the tests use and do not make themselves are the candidate's, but for those of modules (see
    `names`). Where the tests define `check`, it is called with the function `entry_point`. Tests that end
    before they asked the candidate anything are "unusable", however they end: no program had a part in it.
    """
    link = Link(sock)
    verdict, detail = "passed", ""
    try:
        tree = ast.parse(tests, "/tmp/tests.py")
        names = candidates(tree, entry_point)
        namespace: dict[str, Any] = {
            **{name: Remote(link, name) for name in names},
            **modules(tree, names - {entry_point}),
            "__name__": "__main__",
            "__builtins__": builtins,
            "CandidateError": CandidateError,
        }
        exec(compile(tree, "/tmp/tests.py", "exec", dont_inherit=True), namespace)
        if entry_point and "check" in namespace and not isinstance(namespace["check"], Remote):
            namespace["check"](Remote(link, entry_point))
        if not link.calls:
            verdict, detail = "error", "they never call the program"
    except AssertionError as error:
        verdict, detail = "failed", f"{str(error)[:500]} {_where(error)}".strip()
    except MemoryError:
        verdict, detail = "memory" if link.raised == "MemoryError" else "error", "out of memory"
    except BaseException as error:
        name = "" if isinstance(error, CandidateError) else f"{type(error).__name__}: "
        verdict, detail = "error", f"{name}{str(error)[:500]} {_where(error)}".strip()
    if link.gone:  # even where the tests caught that
        verdict, detail = "gone", link.gone
    elif not link.asked:
        verdict = "unusable"
    _write(verdict_to, {"verdict": verdict, "detail": detail[:_LONGEST_DETAIL], "calls": link.calls})
    # At once, for who waits for them: a process's own end comes after its memory is taken down.
    os.close(verdict_to)
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _where(error: BaseException) -> str:
    place, found = error.__traceback__, ""
    while place is not None:
        if place.tb_frame.f_code.co_filename == "/tmp/tests.py":
            found = f"(line {place.tb_lineno} of the tests)"
        place = place.tb_next
    return found


def _write(descriptor: int, verdict: dict[str, Any]) -> None:
    data = json.dumps(verdict).encode("utf-8", "replace")
    while data:
        data = data[os.write(descriptor, data) :]
