"""How a test of `SandboxSuite` fails, and what it catches meanwhile."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from hub.sandbox import Execution


@contextlib.contextmanager
def caught(number: signal.Signals, into: list[Any]) -> Iterator[None]:
    """Catch a signal to this process."""
    before = signal.signal(number, lambda *found: into.append(found))
    try:
        yield
    finally:
        signal.signal(number, before)


def show(done: Execution) -> str:
    """Say in a sentence how a program ended."""
    return (
        f"It exited with {done.exit_code}, printed {done.stdout[:300]!r} and on standard error "
        f"{done.stderr[-700:]!r}; {dict(done.info)}"
    )


def fail(message: str) -> NoReturn:
    """Fail the test, in the words of the suite."""
    pytest.fail(f"the sandbox {message}" if message.startswith("cannot") else message, pytrace=False)
