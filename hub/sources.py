"""Where a benchmark's rows come from: told by whoever reads them, and kept in the result of a run.

This is for people; what decides whether two runs had the same rows is the hash over these.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_TOLD: ContextVar[list[dict[str, str]] | None] = ContextVar("_TOLD", default=None)


def tell_source(**facts: str) -> None:
    """Tell what rows are read from, e.g. a dataset and its revision; nobody may be listening.

    Args:
        facts: by name; those that are "" are left out.
    """
    told = _TOLD.get()
    known = {name: fact for name, fact in facts.items() if fact}
    if told is not None and known not in told:
        told.append(known)


def tell_file(path: str | Path) -> None:
    """Tell of a data file, with the SHA-256 of its content; one that cannot be read is for its reader."""
    if _TOLD.get() is None:
        return
    try:
        with open(path, "rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return
    tell_source(file=str(path), sha256=digest)


@contextmanager
def collect_sources() -> Iterator[list[dict[str, str]]]:
    """Listen to what is told while rows are read.

    >>> with collect_sources() as sources:
    ...     tell_source(dataset="openai/gsm8k", config="main", revision="")
    >>> sources
    [{'dataset': 'openai/gsm8k', 'config': 'main'}]
    """
    told: list[dict[str, str]] = []
    token = _TOLD.set(told)
    try:
        yield told
    finally:
        _TOLD.reset(token)
