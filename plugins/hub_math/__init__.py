r"""Verifies mathematical answers, as rewards of the hub and as plain functions.

>>> from hub_math import verify
>>> verify(r"\frac{3}{4}", "The answer is 0.75.").correct
True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_math.policy import Policy
    from hub_math.reference import BadReference
    from hub_math.verdict import Verdict, verify

__all__ = ["BadReference", "Policy", "Verdict", "verify"]

_HOMES = {"BadReference": "reference", "Policy": "policy", "Verdict": "verdict", "verify": "verdict"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: every command of the hub imports this package, to know its rewards."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
