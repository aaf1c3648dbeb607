"""Checks that any reward and any benchmark must pass, for a plugin author's own tests (needs pytest).

subject.py     a reward under test: its samples, and what may be compared with what
rewards.py     `RewardSuite`
benchmarks.py  `BenchmarkSuite`
odd.py         completions that a model may produce, and values that are no completion
imports.py     what listing a plugin imports
"""

from hub.testing.benchmarks import BenchmarkSuite
from hub.testing.odd import NOT_TEXT, ODD_TEXTS
from hub.testing.rewards import RewardSuite

__all__ = ["NOT_TEXT", "ODD_TEXTS", "BenchmarkSuite", "RewardSuite"]
