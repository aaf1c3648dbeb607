"""What runs tests: in a forked, confined process, against a solver in another one."""

import ast
import builtins
import contextlib
import json
import os
import socket
from typing import Any

from hub_local.candidate import CandidateError, CandidateGone, Link, Remote

_LONGEST_DETAIL = 1_000
_BUILTINS = frozenset(dir(builtins))


def judge(tests: str, entry_point: str | None, sock: socket.socket, verdict_to: int) -> None:
    """Run tests against the solver, and write the verdict.

    Names that the tests use and do not make themselves are the candidate's. Where the tests define
    `check`, it is called with the function `entry_point`.
    """
    link = Link(sock)
    verdict, detail = "passed", ""
    try:
        tree = ast.parse(tests, "/tmp/tests.py")
        namespace = _namespace(tree, entry_point, link)
        exec(compile(tree, "/tmp/tests.py", "exec", dont_inherit=True), namespace)
        if entry_point and "check" in namespace and not isinstance(namespace["check"], Remote):
            namespace["check"](Remote(link, entry_point))
        if not link.calls:
            verdict, detail = "error", "the tests never called the candidate"
    except AssertionError as error:
        verdict, detail = "failed", f"{str(error)[:500]} {_where(error)}".strip()
    except CandidateGone as error:
        verdict, detail = "gone", str(error)
    except MemoryError:
        verdict, detail = "memory" if link.raised == "MemoryError" else "error", "out of memory"
    except BaseException as error:
        name = "" if isinstance(error, CandidateError) else f"{type(error).__name__}: "
        verdict, detail = "error", f"{name}{str(error)[:500]} {_where(error)}".strip()
    _write(verdict_to, {"verdict": verdict, "detail": detail[:_LONGEST_DETAIL], "calls": link.calls})
    # At once, for who waits for them: a process's own end comes after its memory is taken down.
    os.close(verdict_to)
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _namespace(tree: ast.Module, entry_point: str | None, link: Link) -> dict[str, Any]:
    names: dict[str, Any] = {
        "__name__": "__main__",
        "__builtins__": builtins,
        "CandidateError": CandidateError,
    }
    used: set[str] = set()
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            made.add(node.name)
    for name in used - made - _BUILTINS:
        names[name] = Remote(link, name)
    if entry_point and entry_point not in made:
        names[entry_point] = Remote(link, entry_point)
    return names


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
