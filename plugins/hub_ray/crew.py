"""The actors of one place: shares work out among them, and replaces those that are lost.

One thread runs everything here, so nothing but the inbox is locked; Ray's threads only put into it. Work is
pulled: an actor is given a chunk when it has room, of a size that by what was measured takes it a tenth of a
second, which is long against the cost of a message.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic_ns
from typing import Any

from hub import __version__
from hub.engine.wire import Result, unpack_results
from hub.engine.work import Work
from hub.errors import EngineError
from hub.reward import Lane
from hub.score import Failure
from hub_ray.actor import DONE, GIVEN_BACK
from hub_ray.backlog import Backlog, Item
from hub_ray.place import Place, shortage
from hub_ray.remote import AHEAD, Remote, Sent

CHUNK_NS = 100_000_000
"""Run time that a chunk should hold."""
CHUNK_UNITS = 8192
COST_NS = 2_000
"""What one unit costs beside its call."""
DEATHS = 3
"""Actors that may be lost before they answer, without one that does in between."""

_log = logging.getLogger(__name__)
Get = Callable[[], Any]
"""Returns what an actor answered, or raises why there is no answer."""


class Crew:
    """Actors that ask for the same resources. A lane, as far as the engine can see.

    Args:
        place: what they ask for, and how many there are.
        start: makes an actor.
        wait_s: seconds in which at least one must have found room.
        ships: by a reward's number its lane, and what an actor needs to know of it, pickled.
    """

    def __init__(
        self, place: Place, start: Callable[[Place], Any], wait_s: float, ships: dict[int, tuple[Lane, bytes]]
    ) -> None:
        self.place, self._start, self._wait_s, self._ships = place, start, wait_s, ships
        self._remotes: list[Remote] = []
        self._backlog = Backlog()
        self._cost_ns: dict[int, float] = {}
        self._deaths, self._why, self._had_any = 0, "", False
        self._numbers = count()
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._changed = threading.Condition()
        self._closed = self._stopped = False
        self._thread = threading.Thread(target=self._run, name="hub-ray", daemon=True)
        self._thread.start()
        self._inbox.put(self._fill)

    # What callers ask for, in their own threads

    def submit(self, work: Work) -> None:
        """Take work; return at once."""
        with self._changed:
            if not self._closed:
                self._inbox.put(lambda: self._add(work))
                return
        work.fail_all(Failure.CANCELLED, "the engine was closed")

    def cancel(self, work: Work) -> None:
        """Drop what is queued of this work, and have the actors drop the rest."""
        self._inbox.put(lambda: self._drop(work))

    def close(self) -> None:
        """End every actor; unsettled work fails with `cancelled`."""
        with self._changed:
            self._closed = True
            self._inbox.put(self._stop)
        self._thread.join(timeout=30)

    def handles(self) -> list[Any]:
        """Return the actors, once each has answered or has had its time to find room.

        Raises:
            EngineError: none has answered.
        """
        seen: Future[None] = Future()
        with self._changed:
            if self._closed:
                raise EngineError("this engine is closed")
            self._inbox.put(self._try_again)
            self._inbox.put(lambda: seen.set_result(None))
        seen.result()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._why or self._all_ready(), self._wait_s)
            ready = [remote.handle for remote in self._remotes if remote.is_ready]
        if not ready:
            raise EngineError(self._why or shortage(self.place, self._wait_s))
        return ready

    def tell_lost(self, handle: Any, error: Exception) -> None:
        """An actor did not answer: see that there is another one in its place."""
        lost = [remote for remote in self._remotes if remote.handle is handle]
        self._inbox.put(lambda: self._lose_once(lost, error))

    def _all_ready(self) -> bool:
        return len(self._remotes) == self.place.actors and all(each.is_ready for each in self._remotes)

    # Everything below runs in the crew's thread

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._inbox.get(timeout=self._until_late())()
                while not (self._inbox.empty() or self._stopped):
                    self._inbox.get()()
                self._dispatch()
            except Empty:
                self._complain()
            except Exception as error:
                _log.exception("the engine's dispatcher had an error; its actors are made anew")
                self._fail_everything(f"the engine's dispatcher had an error: {error!r}")
                for remote in list(self._remotes):
                    self._end(remote)

    def _add(self, work: Work) -> None:
        if work.units:
            self._backlog.add(work)
            self._try_again()

    def _drop(self, work: Work) -> None:
        self._backlog.forget(work)
        for remote in self._remotes:
            mine = [c.number for c in remote.chunks.values() if all(of is work for of, _ in c.rest())]
            for number in mine:
                del remote.chunks[number]
            if mine:  # what shares a chunk with others is left to end
                remote.handle.cancel.remote(mine)
        work.fail_all(Failure.CANCELLED, "the caller gave up")

    def _stop(self) -> None:
        for work in self._backlog:
            self._backlog.forget(work)
            work.fail_all(Failure.CANCELLED, "the engine was closed")
        for remote in list(self._remotes):
            self._end(remote)
        self._stopped = True

    # Actors that come and go

    def _try_again(self) -> None:
        self._deaths, self._why = 0, ""
        self._fill()

    def _fill(self) -> None:
        """Start actors until there are as many as there should be."""
        while len(self._remotes) < self.place.actors and self._deaths < DEATHS:
            remote = Remote(self._start(self.place))
            self._remotes.append(remote)
            self._expect(remote.handle.hello.remote(), partial(self._on_hello, remote))

    def _expect(self, reference: Any, then: Callable[[Get], None]) -> None:
        """Have something done with an answer, when it is there."""
        put = self._inbox.put
        reference.future().add_done_callback(lambda future: put(lambda: then(future.result)))

    def _on_hello(self, remote: Remote, get: Get) -> None:
        if remote not in self._remotes:
            return
        try:
            theirs = get()["version"]
            if theirs != __version__:
                self._deaths = DEATHS
                raise EngineError(f"a node has posttrain-hub {theirs}, the caller has {__version__}")
        except Exception as error:
            self._lose(remote, error)
            return
        self._expect(remote.handle.stay.remote(), partial(self._on_end, remote))
        with self._changed:
            remote.is_ready, self._had_any, self._deaths = True, True, 0
            self._changed.notify_all()

    def _on_end(self, remote: Remote, get: Get) -> None:
        try:
            get()
        except Exception as error:
            self._lose_once([remote], error)

    def _lose_once(self, remotes: list[Remote], error: Exception) -> None:
        for remote in remotes:
            if remote in self._remotes:
                self._lose(remote, error)

    def _lose(self, remote: Remote, error: Exception) -> None:
        """An actor is dead, or as good as that: account for what it had, and start another one."""
        why = first_lines(error)
        _log.warning("an actor that asked for %s was lost: %s", self.place, why)
        self._deaths += not remote.is_ready
        self._end(remote)
        self._backlog.lost(remote.rest(), why)
        self._fill()
        if not self._remotes:
            self._fail_everything(f"every actor that asked for {self.place} ended before it answered: {why}")

    def _replace(self, remote: Remote) -> None:
        """An actor is well, but a call runs in it that only its end can stop."""
        self._end(remote)
        self._backlog.put_back(remote.rest())
        self._fill()

    def _end(self, remote: Remote) -> None:
        import ray

        with self._changed:
            self._remotes.remove(remote)
        try:
            ray.kill(remote.handle, no_restart=True)
        except Exception as error:  # Ray itself may be gone
            _log.debug("an actor could not be ended: %s", error)

    def _until_late(self) -> float | None:
        """Seconds until it should be said that there is no room; None: nobody waits for any."""
        if not self._backlog.is_waiting or any(remote.is_ready for remote in self._remotes):
            return None
        latest = max((remote.waited_ns for remote in self._remotes), default=monotonic_ns())
        return max(0.01, self._wait_s - (monotonic_ns() - latest) / 1e9)

    def _complain(self) -> None:
        """No actor found room in time: whoever waits is told."""
        self._fail_everything(shortage(self.place, self._wait_s))
        for remote in self._remotes:
            remote.waited_ns = monotonic_ns()  # it may still find room: whoever comes next waits anew

    def _fail_everything(self, why: str) -> None:
        """Nothing can be scored: an error if it never could be, else failures of infrastructure."""
        for work in self._backlog:
            self._backlog.forget(work)
            if self._had_any:
                work.fail_all(Failure.UNAVAILABLE, why)
            else:
                work.abort(EngineError(why))
        with self._changed:
            self._why = why
            self._changed.notify_all()

    # Handing out chunks

    def _dispatch(self) -> None:
        with_room = [remote for remote in self._remotes if remote.is_ready]
        while with_room and self._backlog.is_waiting:  # in rounds: each gets something before one gets more
            with_room = [remote for remote in with_room if self._give(remote)]

    def _give(self, remote: Remote) -> bool:
        """Give an actor a chunk, if it has room and there is one; say whether."""
        if self._backlog.has_suspects:
            if not remote.chunks:
                self._send(remote, self._backlog.take_suspects(), alone=True)
                return True
            if not any(not other.chunks or other.is_apart for other in self._remotes):
                return False  # it shall become free for those
        items = self._backlog.take(lambda work: self._wanted(remote, work))
        if items:
            self._send(remote, items, alone=False)
        return bool(items)

    def _wanted(self, remote: Remote, work: Work) -> int:
        """How many units of a work's reward an actor should be given; 0: none."""
        lane, _ = self._ships[work.number]
        at_once = {Lane.PROCESS: self.place.workers, Lane.ASYNC: work.concurrency}.get(lane, 1)
        if not remote.has_room(lane, at_once):
            return 0
        cost = self._cost_ns.get(work.number)
        if cost is None:
            return at_once
        left = self._backlog.left(work.number)
        left += sum(each.units_left(work.number) for each in self._remotes)
        fair = -(-left // (AHEAD * sum(each.is_ready for each in self._remotes)))
        enough = max(int(CHUNK_NS * at_once / cost), at_once - remote.busy(lane))
        return max(1, min(enough, fair, CHUNK_UNITS))

    def _send(self, remote: Remote, items: list[Item], *, alone: bool) -> None:
        reward = items[0][0].number
        lane, definition = self._ships[reward]
        chunk = Sent(next(self._numbers), reward, lane, items, alone)
        remote.chunks[chunk.number] = chunk
        told = None if reward in remote.knows else definition
        sent = [work.units[unit] for work, unit in items]
        asked = remote.handle.score.remote(chunk.number, reward, told, sent)
        self._expect(asked, partial(self._on_reply, remote, chunk))

    def _on_reply(self, remote: Remote, chunk: Sent, get: Get) -> None:
        if chunk.number not in remote.chunks or remote not in self._remotes:
            return  # given up, or its actor was lost
        try:
            state, positions, records = get()
        except Exception as error:
            self._lose(remote, error)
            return
        remote.knows.add(chunk.reward)
        if state == GIVEN_BACK:
            del remote.chunks[chunk.number]
            self._backlog.put_back(chunk.items)
            return
        is_stuck = self._settle(chunk, positions, records)
        if state == DONE:
            del remote.chunks[chunk.number]
        else:
            chunk.lingers = True
            self._expect(remote.handle.more.remote(chunk.number), partial(self._on_reply, remote, chunk))
        if is_stuck:
            self._replace(remote)

    def _settle(self, chunk: Sent, positions: list[int], records: bytes) -> bool:
        """Report results; say whether a call runs on although its time is over."""
        results = [(scores, chunk.sent_ns + start, ran) for scores, start, ran in unpack_results(records)]
        if not results:
            return False
        cost = sum(ran for _, _, ran in results) / len(results) + COST_NS
        known = self._cost_ns.get(chunk.reward)
        self._cost_ns[chunk.reward] = cost if known is None else known + 0.3 * (cost - known)
        chunk.left.difference_update(positions)
        done: dict[Work, tuple[list[int], list[Result]]] = {}
        for position, result in zip(positions, results, strict=True):
            work, unit = chunk.items[position]
            units, theirs = done.setdefault(work, ([], []))
            units.append(unit)
            theirs.append(result)
        for work, (units, theirs) in done.items():
            work.settle(units, theirs)
            self._backlog.scored(work)
        return chunk.lane is Lane.BATCH and any(
            score.reason is Failure.TIMEOUT for scores, _, _ in results for score in scores
        )


def first_lines(error: Exception) -> str:
    """What Ray says of an actor's end, without its table of names and its guesses."""
    lines = [line.strip() for line in str(error).partition("Some common causes")[0].splitlines()]
    fields = ("class_name:", "actor_id:", "namespace:", "pid:")
    return " ".join(line for line in lines if line and not line.startswith(fields))[:300]
