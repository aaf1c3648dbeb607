"""Priority of worker processes: a call that takes unusually long runs behind all others.

What it loses by that does not count against its time limit. A process may lower its priority, but only a
privileged one may raise it again; so a worker that cannot be raised is replaced when its call has ended.
"""

import contextlib
import os
import time
from pathlib import Path

NICE = 5
"""Added to the nice value: beside one usual process, such a call has a quarter of a core."""
STRETCH = 2.0
"""By how much its limit may be stretched at the most, where others never leave the cores.

So a call has as much run time before it is killed as with half a core, a usual process' share beside another.
"""
LOOK_NS = 10_000_000
"""How often it is asked what a call has lost."""


class Lowered:
    """A worker at a lower priority, and what its call lost by it.

    Args:
        pid: of the worker, which leads a process group and a session.
        limit_s: of its call; None: none.
    """

    def __init__(self, pid: int, limit_s: float | None) -> None:
        self._pid = pid
        self._most_ns = (STRETCH - 1.0) * (limit_s or 0.0) * 1e9
        self._lost_ns = 0.0
        self._looked_ns = time.monotonic_ns()
        self._waited_ns = _waited_ns(pid)
        self._was: int | None = None
        self.stood_in_for = False
        """Whether another worker was started in its place."""
        with contextlib.suppress(OSError):
            self._was = os.getpriority(os.PRIO_PROCESS, pid)
            os.setpriority(os.PRIO_PGRP, pid, min(19, self._was + NICE))
            _of_session(pid, NICE)

    def restore(self) -> bool:
        """Give the worker the priority that it had; False where this process may not."""
        try:
            if self._was is not None:
                os.setpriority(os.PRIO_PGRP, self._pid, self._was)
                _of_session(self._pid, 0)
        except OSError:
            return False
        return True

    def lost_ns(self, share: float) -> float:
        """Return how long the call waited for a core because of its priority.

        Args:
            share: of a core that each of the lowered ones would have, were they alone: that they wait for
                each other is no loss.
        """
        now = time.monotonic_ns()
        if now - self._looked_ns >= LOOK_NS:
            waited = _waited_ns(self._pid)
            lost = waited - self._waited_ns - (now - self._looked_ns) * (1.0 - share)
            self._lost_ns = min(self._most_ns, self._lost_ns + max(0.0, lost))
            self._looked_ns, self._waited_ns = now, waited
        return self._lost_ns


def _waited_ns(pid: int) -> int:
    """How long a process was ready to run while others did (Linux, sched-stats.rst); 0: nothing tells."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_bytes().split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _of_session(pid: int, nice: int) -> None:
    """Say it where Linux shares out cores by session (sched(7), autogroup): a worker has one of its own."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))
