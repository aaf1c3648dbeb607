"""Conditions on another reward's score: `gate = "think-format >= 1"`."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_FORM = re.compile(r"\s*(\S+)\s*(>=|<=|==|!=|>|<)\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Gate:
    """A reward is scored only where this holds.

    Args:
        reward: name, in the mix, of the reward whose raw value is compared.
        comparison: one of >= <= == != > <.
        bound: what it is compared with.
    """

    reward: str
    comparison: str
    bound: float

    @classmethod
    def of(cls, text: object) -> "Gate":
        """Read "NAME >= NUMBER".

        Raises:
            ValueError: it has another form.
        """
        match = _FORM.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"should be like 'think-format >= 1', not {text!r}")
        return cls(match[1], match[2], float(match[3]))

    def holds(self, value: float) -> bool:
        """Whether a value of the gating reward opens the gate."""
        return _COMPARE[self.comparison](value, self.bound)

    def __str__(self) -> str:
        return f"{self.reward} {self.comparison} {self.bound:g}"
