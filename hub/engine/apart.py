"""Cores apart for what need not hurry: calls that take unusually long, and workers that start.

A process that is ready waits for up to a tick of the kernel (4 ms at 250 Hz) where another one computes on
the core that it is put on, though a core beside it may be idle, and a lower priority of the other does not
change that (Linux 6.18, seen with `perf sched`). So they have cores of their own while there are such calls,
and for some time after.
"""

import contextlib
import os
from collections.abc import Iterable


class Apart:
    """Tells processes which cores they may use; does nothing where there is one core only.

    At most half of the cores are for calls that take unusually long, and no more than there are such calls.
    """

    def __init__(self) -> None:
        self._all = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._own = frozenset(self._all)
        self._of: dict[int, frozenset[int]] = {}

    def part(self, slow: int, behind: Iterable[int], others: Iterable[int]) -> None:
        """Share out the cores.

        Args:
            slow: calls that take unusually long, now or soon; 0: everybody may use every core.
            behind: processes that make these calls, or may be the next to, or need not hurry.
            others: processes that are to be ready; this one is too, with all its threads.
        """
        taken = min(slow, len(self._all) // 2)
        first = len(self._all) - taken
        rest, theirs = frozenset(self._all[:first]), frozenset(self._all[first:] or self._all)
        of = {**dict.fromkeys(behind, theirs), **dict.fromkeys(others, rest)}
        for pid, cores in of.items():
            if self._of.get(pid) != cores:  # one that is new has the cores of the process that forked it
                _allow(pid, cores)
        self._of = of
        if rest != self._own:
            self._own = rest
            for thread in os.listdir("/proc/self/task"):
                _allow(int(thread), rest)


def _allow(pid: int, cores: frozenset[int]) -> None:
    """Let a process or thread run on these cores only; one that is gone is none."""
    if cores:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(pid, cores)
