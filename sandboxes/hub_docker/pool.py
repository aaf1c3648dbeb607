"""The pool: containers that wait for programs, and those that take the place of spent ones."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from hub.errors import SandboxUnavailable
from hub_docker.container import Container


class Pool:
    """Starts and removes containers beside what waits for them.

    Args:
        start: starts a container.
        places: how many programs run at once.
    """

    def __init__(self, start: Callable[[], Container], places: int) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._alive: set[Container] = set()
        self._closed = False
        self._workers = ThreadPoolExecutor(max_workers=places + 2, thread_name_prefix="hub-docker")

    def ask(self) -> "Future[Container]":
        """Have a container started."""
        with self._lock:
            if self._closed:
                raise SandboxUnavailable("the sandbox is closed; open another")
            return self._workers.submit(self._make)

    def remove(self, container: Container) -> None:
        """Have a container removed."""
        with self._lock:
            self._alive.discard(container)
            if not self._closed:
                self._workers.submit(container.close)
                return
        container.close()

    def close(self) -> None:
        """Remove every container, also those that are being started."""
        with self._lock:
            self._closed = True
            alive, self._alive = self._alive, set()
        for container in alive:
            container.interrupt()
        for container in alive:
            container.close()
        self._workers.shutdown()

    def _make(self) -> Container:
        container = self._start()
        with self._lock:
            if not self._closed:
                self._alive.add(container)
                return container
        container.close()
        raise SandboxUnavailable("the sandbox was closed")


class Place:
    """Holds one container for one program at a time; not for two threads at once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._next: Future[Container] | None = None

    def prepare(self) -> None:
        """Have a container started, so that the next program finds it."""
        if self._next is None:
            self._next = self._pool.ask()

    def container(self) -> Container:
        """Return the container, when it has started.

        Raises:
            SandboxUnavailable: it does not start; the next call tries again.
        """
        self.prepare()
        assert self._next is not None
        try:
            return self._next.result()
        except BaseException:
            self._next = None
            raise

    def replace(self, container: Container) -> None:
        """Have another take the place of a spent container."""
        self._pool.remove(container)
        self._next = self._pool.ask()


class Queue:
    """Places that are free, and callers that wait for one, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[Place] = []
        self._waiting: deque[Future[Place]] = deque()

    def take(self, seconds: float) -> Place:
        """Return the place that was used last, or wait for one.

        Raises:
            TimeoutError: none came free in time.
            SandboxUnavailable: the sandbox was closed meanwhile.
        """
        with self._lock:
            if self._free:
                return self._free.pop()
            turn: Future[Place] = Future()
            self._waiting.append(turn)
        try:
            return turn.result(seconds)
        except TimeoutError:
            with self._lock:
                if not turn.done():
                    self._waiting.remove(turn)
                    raise
            return turn.result()

    def give(self, place: Place) -> None:
        """Hand a place to whoever waits longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set_result(place)
            else:
                self._free.append(place)

    def refuse(self, error: Exception) -> None:
        """Have everyone who waits see an error."""
        with self._lock:
            while self._waiting:
                self._waiting.popleft().set_exception(error)
