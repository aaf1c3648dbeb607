r"""Verifies mathematical answers, as rewards of the hub and as plain functions.

>>> from hub_math import verify
>>> verify(r"\frac{3}{4}", "The answer is 0.75.").correct
True
"""

from hub_math.policy import Policy
from hub_math.reference import BadReference
from hub_math.verdict import Verdict, verify

__all__ = ["BadReference", "Policy", "Verdict", "verify"]
