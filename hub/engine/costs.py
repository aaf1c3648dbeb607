"""What calls of each reward took so far, and what follows: how many make a chunk, and which take too long."""

from hub.engine.handle import STALL_NS

CHUNK_NS = 20_000_000
"""Run time that a chunk should hold: long against the cost of a message, short against a batch."""
SHORT_NS = 2_000_000
"""Run time per worker below which all of the rest is handed out: a round more would cost more than it."""
FIRST_UNITS = 4
"""Units of a chunk while nothing is known of their cost."""
CHUNK_UNITS = 1024
COST_NS = 2_000
"""What one unit costs a worker beside its call."""
UNUSUAL = 20
"""A call takes unusually long past so many times what its reward's calls took so far."""
UNUSUAL_NS = 3_000_000
"""... and past this: for so long another process may hold the core."""


class Costs:
    """Run times of the calls of one engine's rewards, by the rewards' numbers.

    Args:
        floor_ns: no call takes unusually long before this.
    """

    def __init__(self, floor_ns: int = UNUSUAL_NS) -> None:
        self.floor_ns = floor_ns
        self._ns: dict[int, float] = {}

    def learn(self, number: int, run_ns: int) -> None:
        """Calls of a reward took this long on average."""
        cost = run_ns + COST_NS
        known = self._ns.get(number)
        self._ns[number] = cost if known is None else known + 0.3 * (cost - known)

    def unusual_ns(self, number: int) -> float:
        """Nanoseconds past which a call takes unusually long; without end while nothing is known."""
        return max(self.floor_ns, UNUSUAL * self._ns.get(number, float("inf")))

    def stall_ns(self, number: int) -> float:
        """Nanoseconds of a call past which nothing should wait behind it."""
        return min(STALL_NS, self.unusual_ns(number))

    def chunk(self, number: int, left: int, workers: int) -> int:
        """How many units the next chunk should hold.

        Args:
            number: of the reward.
            left: units of it that are not scored.
            workers: that may share them.
        """
        cost = self._ns.get(number)
        if cost is None:
            return FIRST_UNITS
        short = left * cost < SHORT_NS * workers
        fair = -(-left // (workers if short else 2 * workers))
        return max(1, min(int(CHUNK_NS / cost), fair, CHUNK_UNITS))
