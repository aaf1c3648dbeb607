"""The one boundary around every call of a reward: whatever it returns or raises becomes scores."""

import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, SupportsFloat

from hub.errors import (
    BadInput,
    HubError,
    MissingColumn,
    MissingDependency,
    SandboxError,
    SandboxOverloaded,
)
from hub.sample import Sample
from hub.score import Failure, Score

_ZERO, _ONE, _ABSTAINED = Score(0.0), Score(1.0), Score.abstained()

_FAILURE_OF: tuple[tuple[type[BaseException], Failure], ...] = (
    (MemoryError, Failure.MEMORY),
    (MissingColumn, Failure.MISSING_COLUMN),
    (BadInput, Failure.BAD_INPUT),
    (MissingDependency, Failure.SETUP),
    (SandboxOverloaded, Failure.OVERLOADED),
    (SandboxError, Failure.UNAVAILABLE),
)


def call_one(function: Callable[[Sample], Any], sample: Sample) -> Score:
    """Score one sample with a reward of one sample. Raises nothing but the user's Ctrl-C."""
    try:
        return as_score(function(sample))
    except BaseException as error:  # SystemExit too: a reward must not end its worker
        if is_from_user(error):
            raise
        return failure_of(error)


def call_many(function: Callable[[list[Sample]], Any], samples: list[Sample]) -> list[Score]:
    """Score samples with a batch or group reward: as many scores as samples, in their order."""
    try:
        return as_scores(function(samples), len(samples))
    except BaseException as error:
        if is_from_user(error):
            raise
        return [failure_of(error)] * len(samples)


def is_from_user(error: BaseException) -> bool:
    """Whether it is a Ctrl-C: only a main thread that does not ignore the signal gets one."""
    return (
        isinstance(error, KeyboardInterrupt)
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    )


def as_score(value: object) -> Score:
    """Turn what a reward returned for one sample into a score."""
    if type(value) is float:
        if value == 1.0:
            return _ONE
        if value == 0.0:
            return _ZERO
        if isfinite(value):
            return Score(value)
        return Score.failed(Failure.BAD_VALUE, f"returned {value}")
    if value is None:
        return _ABSTAINED
    if isinstance(value, Score):
        return value
    number = getattr(value, "item", lambda: value)()
    if isinstance(number, int | float) and isfinite(number):
        return as_score(float(number))
    return Score.failed(
        Failure.BAD_VALUE,
        f"returned {value!r:.100} ({type(value).__name__}); a reward returns a finite number, a bool, "
        "None or a hub.Score",
    )


def as_scores(values: object, count: int) -> list[Score]:
    """Turn what a batch or group reward returned into one score for each sample."""
    listed = getattr(values, "tolist", lambda: values)()
    if not isinstance(listed, Sequence) or isinstance(listed, str | bytes):
        detail = f"returned {type(values).__name__}, not a list of {count} scores"
        return [Score.failed(Failure.WRONG_LENGTH, detail)] * count
    if len(listed) != count:
        detail = f"returned {len(listed)} scores for {count} samples"
        return [Score.failed(Failure.WRONG_LENGTH, detail)] * count
    return [_guarded(value) for value in listed]


def failure_of(error: BaseException) -> Score:
    """Classify what a reward raised; the detail names the line that raised it."""
    for kind, failure in _FAILURE_OF:
        if isinstance(error, kind):
            return Score.failed(failure, _message(error) or type(error).__name__)
    if isinstance(error, HubError):  # written for people as it is
        return Score.failed(Failure.EXCEPTION, _message(error) or type(error).__name__)
    frames = traceback.extract_tb(error.__traceback__)
    frame = frames[-1] if frames else None
    where = f" ({Path(frame.filename).name}:{frame.lineno} in {frame.name})" if frame else ""
    return Score.failed(Failure.EXCEPTION, f"{type(error).__name__}: {_message(error)}{where}")


def _guarded(value: SupportsFloat | object) -> Score:
    try:
        return as_score(value)
    except Exception as error:
        return failure_of(error)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:500]
    except Exception:
        return "(its message cannot be shown)"
