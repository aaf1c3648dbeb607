"""Hands places out in the order in which they were asked for."""

import threading
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

Place = TypeVar("Place")


class Places(Generic[Place]):
    """Places of which each is used by one caller at a time.

    Args:
        places: all of them, idle.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._idle = deque(places)
        self._waiting: deque[_Ticket[Place]] = deque()
        self._lock = threading.Lock()

    def take(self, timeout_s: float) -> Place | None:
        """Return a place; None if none came free in time. Who came first is served first."""
        with self._lock:
            if self._idle and not self._waiting:
                return self._idle.popleft()
            ticket = _Ticket[Place]()
            self._waiting.append(ticket)
        ticket.ready.wait(timeout_s)
        with self._lock:
            if ticket.place is None:
                self._waiting.remove(ticket)
            return ticket.place

    def give_back(self, place: Place) -> None:
        """Give a place to who waits longest, else keep it."""
        with self._lock:
            if self._waiting:
                ticket = self._waiting.popleft()
                ticket.place = place
                ticket.ready.set()
            else:
                self._idle.append(place)

    def take_idle(self) -> list[Place]:
        """Take every place that nobody uses."""
        with self._lock:
            found = list(self._idle)
            self._idle.clear()
            return found


class _Ticket(Generic[Place]):
    def __init__(self) -> None:
        self.ready = threading.Event()
        self.place: Place | None = None
