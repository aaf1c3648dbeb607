"""Measures a sandbox: milliseconds of one program, and programs per second of several callers."""

import math
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from hub.errors import HubError
from hub.sandbox import Case, Limits, Program, Sandbox, Verdict

_SOURCE = "def add(a, b):\n    return a + b\n"
PROGRAMS = {
    "print(1)": Program("print(1)", expected_stdout="1"),
    "3 cases": Program(
        _SOURCE, cases=(Case((1, 2), 3), Case((2, 3), 5), Case(("a", "b"), "ab")), entry_point="add"
    ),
    "tests of 7 calls": Program(
        _SOURCE,
        tests="def check(candidate):\n    for n in range(7):\n        assert candidate(n, 1) == n + 1\n",
        entry_point="add",
    ),
}
LIMITS = Limits(wall_s=30.0)


def measure(sandbox: Sandbox, seconds: float, callers: int) -> list[dict[str, Any]]:
    """Return the rows of the table.

    Args:
        sandbox: it is called from this process.
        seconds: how long each row is measured.
        callers: threads that call at once, in the rows of programs per second.
    """
    rows = [{"what": "python -I -c 'print(1)'", "callers": 1, **timed(_plain_python, seconds)}]
    for name, program in PROGRAMS.items():
        for threads in dict.fromkeys((1, callers)):
            row: dict[str, Any] = {"what": name, "callers": threads}
            try:
                row |= timed(lambda program=program: passes(sandbox, program), seconds, threads)  # type: ignore[misc]
            except HubError as error:
                row["problem"] = str(error)
            rows.append(row)
    return rows


def passes(sandbox: Sandbox, program: Program) -> None:
    """Run a program that must pass.

    Raises:
        HubError: it did not.
    """
    done = sandbox.run(program, LIMITS)
    if done.verdict is not Verdict.PASSED:
        raise HubError(f"a program that is right was {done.verdict}: {done.stderr[-300:]}")


def timed(call: Callable[[], object], seconds: float, callers: int = 1) -> dict[str, Any]:
    """Call again and again from several threads, each at least once.

    Returns: median and 99th percentile of ms, and calls per s.
    """
    call()
    times: list[float] = []
    errors: list[HubError] = []
    until = time.perf_counter() + seconds

    def repeat() -> None:
        while not errors:
            start = time.perf_counter()
            try:
                call()
            except HubError as error:
                errors.append(error)
                return
            end = time.perf_counter()
            times.append(end - start)
            if end >= until:
                return

    begin = time.perf_counter()
    threads = [threading.Thread(target=repeat) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    elapsed = time.perf_counter() - begin
    times.sort()
    return {
        "median_ms": round(statistics.median(times) * 1000, 2),
        "p99_ms": round(times[math.ceil(0.99 * len(times)) - 1] * 1000, 2),
        "per_s": round(len(times) / elapsed, 1),
    }


def show(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table, with the ratio to the first."""
    lines = [f"{'program':26} {'callers':>7} {'median ms':>10} {'p99 ms':>8} {'per s':>8}"]
    for row in rows:
        head = f"{row['what']:26} {row['callers']:7}"
        if "problem" in row:
            lines.append(f"{head} {row['problem']}")
        else:
            lines.append(f"{head} {row['median_ms']:10.2f} {row['p99_ms']:8.2f} {row['per_s']:8.1f}")
    return "\n".join(lines)


def _plain_python() -> None:
    subprocess.run([sys.executable, "-I", "-c", "print(1)"], check=True, capture_output=True)
