"""What a reward gives back: a value, or a reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import Any, final


class Outcome(StrEnum):
    """How scoring one sample ended. The three are never confused."""

    SCORED = "scored"
    """There is a finite value; 0 means that the model earned nothing."""
    ABSTAINED = "abstained"
    """The reward does not apply to this sample; nothing went wrong."""
    FAILED = "failed"
    """The reward, or what it runs on, broke; says nothing about the model."""


class Failure(StrEnum):
    """Why a score is missing: the closed list."""

    TIMEOUT = "timeout"
    """ran past its time limit and was killed"""
    CRASHED = "crashed"
    """its worker process died under it: a fault in C code, os._exit, a kill from outside"""
    MEMORY = "memory"
    """ran out of the memory it is allowed"""
    EXCEPTION = "exception"
    """raised an exception"""
    BAD_VALUE = "bad_value"
    """returned NaN, an infinity, or something that is not a score"""
    WRONG_LENGTH = "wrong_length"
    """a batch or group reward returned another number of scores than it was given samples"""
    SETUP = "setup"
    """could not be imported or constructed"""
    GATE = "gate"
    """the reward that gates it failed"""
    BAD_REFERENCE = "bad_reference"
    """the row's reference answer cannot be used"""
    MISSING_COLUMN = "missing_column"
    """the row lacks a column that the reward reads"""
    BAD_INPUT = "bad_input"
    """the prompt, completion or a column has a type that cannot be scored"""
    UNAVAILABLE = "unavailable"
    """a sandbox, server or model that the reward depends on did not answer"""
    NO_COMPLETION = "no_completion"
    """there is nothing to score: the model or server refused the prompt"""
    OVERLOADED = "overloaded"
    """a sandbox, server or lane had no room; the same call may succeed later"""
    CANCELLED = "cancelled"
    """the caller gave up before it was scored"""

    @property
    def fault(self) -> str:
        """Whose fault it is: "reward", "data", "infrastructure" or "caller"."""
        return _FAULT[self]


_FAULT = {
    Failure.TIMEOUT: "reward",
    Failure.CRASHED: "reward",
    Failure.MEMORY: "reward",
    Failure.EXCEPTION: "reward",
    Failure.BAD_VALUE: "reward",
    Failure.WRONG_LENGTH: "reward",
    Failure.SETUP: "reward",
    Failure.GATE: "reward",
    Failure.BAD_REFERENCE: "data",
    Failure.MISSING_COLUMN: "data",
    Failure.BAD_INPUT: "data",
    Failure.UNAVAILABLE: "infrastructure",
    Failure.NO_COMPLETION: "infrastructure",
    Failure.OVERLOADED: "infrastructure",
    Failure.CANCELLED: "caller",
}

INFRASTRUCTURE = frozenset(reason for reason in Failure if reason.fault == "infrastructure")
"""Why a score can be missing that may be there at another try."""


@final
@dataclass(frozen=True, slots=True)
class Score:
    """The result of one reward on one sample.

    `Score(0.5)` is scored; use `Score.abstained()` and `Score.failed()` for the other outcomes.

    Args:
        value: a finite float when scored, else None.
        reason: a short code. When failed, a member of `Failure`; otherwise free, e.g. "too_complex".
        detail: a sentence for a person: what was compared, what was raised.
        info: plain data worth keeping beside the value (extracted answer, verdict, judge's text).
        outcome: how it ended; follows from how the score was made.

    Raises:
        ValueError: the value is not finite, or does not fit the outcome.

    >>> Score(1.0).outcome, Score.abstained().value, Score.failed("timeout").fault
    (<Outcome.SCORED: 'scored'>, None, 'reward')
    """

    value: float | None
    reason: str = ""
    detail: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome.SCORED

    def __post_init__(self) -> None:
        if self.outcome is Outcome.SCORED:
            if self.value is None or not isfinite(self.value):
                raise ValueError(f"a scored value is a finite number, not {self.value!r}")
            if type(self.value) is not float:
                object.__setattr__(self, "value", float(self.value))
        elif self.value is not None:
            raise ValueError(f"a sample that {self.outcome} has no value, but {self.value!r} is given")
        elif self.outcome is Outcome.FAILED and type(self.reason) is not Failure:
            object.__setattr__(self, "reason", Failure(self.reason))

    @classmethod
    def abstained(cls, reason: str = "", detail: str = "") -> "Score":
        """The reward does not apply to this sample (the same as returning None)."""
        return cls(None, reason, detail, outcome=Outcome.ABSTAINED)

    @classmethod
    def failed(
        cls, reason: Failure | str, detail: str = "", info: Mapping[str, Any] | None = None
    ) -> "Score":
        """No value, for a reason of the closed list.

        Raises:
            ValueError: the reason is not a member of `Failure`.
        """
        if reason not in list(Failure):
            raise ValueError(f"{reason!r} is not a reason of failure; one of: {', '.join(Failure)}")
        return cls(None, Failure(reason), detail, info or {}, Outcome.FAILED)

    @property
    def fault(self) -> str | None:
        """Whose fault a failure is (see `Failure.fault`); None unless failed."""
        return Failure(self.reason).fault if self.outcome is Outcome.FAILED else None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: value, outcome, reason; detail and info where there are any."""
        plain: dict[str, Any] = {
            "value": self.value,
            "outcome": str(self.outcome),
            "reason": str(self.reason),
        }
        if self.detail:
            plain["detail"] = self.detail
        if self.info:
            plain["info"] = dict(self.info)
        return plain
