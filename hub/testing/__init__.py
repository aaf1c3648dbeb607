"""Checks that any reward, benchmark and sandbox must pass, for a plugin author's own tests (needs pytest).

subject.py     a reward under test: its samples, and what may be compared with what
rewards.py     `RewardSuite`
benchmarks.py  `BenchmarkSuite`
sandboxes.py   `SandboxSuite`
programs.py    programs with their verdicts
probes.py      programs that look for what they should not find
cheats.py      programs that try to pass without the right answer
odd.py         completions that a model may produce, and values that are no completion
imports.py     what listing a plugin imports
"""

from hub.testing.benchmarks import BenchmarkSuite
from hub.testing.odd import NOT_TEXT, ODD_TEXTS
from hub.testing.rewards import RewardSuite
from hub.testing.sandboxes import SandboxSuite

__all__ = ["NOT_TEXT", "ODD_TEXTS", "BenchmarkSuite", "RewardSuite", "SandboxSuite"]
