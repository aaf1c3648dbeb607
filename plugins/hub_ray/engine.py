"""What callers use: an engine whose worker processes and models are on Ray actors."""

import asyncio
import atexit
import functools
import os
import pickle
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.engine.component import Component, accounts
from hub.engine.engine import Engine
from hub.engine.submission import Submission
from hub.engine.waiting import Waiting, begin
from hub.errors import EngineError
from hub.reward import BoundReward, Lane, Per
from hub.sample import Sample
from hub.score import Score
from hub_ray.backlog import TRIES
from hub_ray.crew import Crew, first_lines
from hub_ray.place import Place, default_place, read_places
from hub_ray.ship import Shipped, travelling

STAY = (Lane.INLINE, Lane.ASYNC)
"""Lanes of rewards that stay with the caller unless `resources` names them: what costs less than being sent,
and what only waits, whose `concurrency` then holds for the whole run."""


class RayEngine:
    """Runs rewards on Ray actors: `mix.score(samples, engine=RayEngine(actors=4, cpus=8))`.

    Each actor has worker processes of its own, which are killed at time limits, as `hub.Engine` has. What one
    sample does costs no other one, on whatever node; an actor or node that is lost costs a second try. The
    cache and the accounts are the caller's. Safe to use from any thread; a forked child makes its own.

    Args:
        actors: how many, for the rewards that ask for nothing.
        cpus: of each of these, and its worker processes.
        resources: what rewards ask for, by their name in the mix, e.g. `{"reward-model": {"num_gpus": 0.5},
            "code": {"sandbox": 1, "num_cpus": 2, "actors": 3}}`: Ray's `num_cpus` (default 1), `num_gpus` and
            `memory` (bytes) for each actor, resources that nodes were started with, and `actors` (default 1).
            Rewards that ask for the same share actors.
        address: of the Ray cluster; None: the one that this process is connected to, or else what `ray.init`
            finds (`RAY_ADDRESS`), or starts on this machine.
        placement_s: seconds in which the first actor must find room.
        cache: keep scores of deterministic rewards, and score duplicates once.

    Raises:
        OptionError: a number is not at least 1, or `resources` is no such mapping.
        MissingDependency: Ray is not installed.
    """

    def __init__(
        self,
        actors: int = 1,
        cpus: int = 1,
        resources: Mapping[str, Mapping[str, float]] | None = None,
        address: str | None = None,
        placement_s: float = 60.0,
        cache: bool = True,
    ) -> None:
        self._default = default_place(actors, cpus)
        self._places = read_places(resources or {})
        self._placement_s, self._cache = placement_s, cache
        self._started_ray = _connect(address)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._local = Engine(1, cache=cache)
        self._components: dict[Any, Component] = {}
        self._ships: dict[int, tuple[Lane, bytes]] = {}
        self._crews: dict[Place, Crew] = {}
        self._closed = False
        atexit.register(self.close)

    def __enter__(self) -> "RayEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called, or this process is a fork of the one that made the engine."""
        return self._closed or os.getpid() != self._pid

    def add(
        self, bound: BoundReward, *, name: str | None = None, timeout_s: float | None = None
    ) -> Component:
        """Register a reward; the same one twice gives the same component. Its actors are started.

        Args:
            bound: the reward with its options.
            name: what its accounts are kept under, and what `resources` calls it; by default its own name.
            timeout_s: overrides its own limit.

        Raises:
            EngineError: the engine is closed.
            PluginError: it cannot be sent to an actor.
        """
        self._check_open()
        name = name or bound.reward.name
        if bound.lane in STAY and name not in self._places:
            made = self._local.add(bound, name=name, timeout_s=timeout_s)
        else:
            made = Component.of(bound, name, timeout_s, travelling(bound), stays=False)
        with self._lock:
            self._check_open()
            component = self._components.setdefault(made.key, made)
            if component is made and made.definition.here is None:
                made.number = len(self._components)
                self._ships[made.number] = (bound.lane, pickle.dumps(Shipped.of(made)))
                self._crew(made)
        return component

    def submit(self, reward: Component | BoundReward, samples: Iterable[Sample]) -> Waiting:
        """Start scoring; `result()` of what is returned waits for the scores, `cancel()` gives up.

        `result()` raises `EngineError` where not one actor could be had.
        """
        component = reward if isinstance(reward, Component) else self.add(reward)
        self._check_open()
        if component.definition.here is not None:
            return self._local.submit(component, samples)
        crew = self._crew(component)
        # A batch is cut so that every actor has a part of it; a group is never cut.
        parts = crew.place.actors if component.bound.reward.per is Per.BATCH else 1
        return begin(crew, Submission(component, list(samples), self._cache, parts))

    def score(self, reward: Component | BoundReward, samples: Iterable[Sample]) -> list[Score]:
        """Score samples: as many scores as samples, in their order; Ctrl-C cancels what is under way."""
        waiting = self.submit(reward, samples)
        try:
            return waiting.result()
        except BaseException:
            waiting.cancel()
            raise

    async def ascore(self, reward: Component | BoundReward, samples: Iterable[Sample]) -> list[Score]:
        """Score samples without blocking the event loop; cancelling it cancels the work."""
        listed = list(samples)
        waiting = await asyncio.to_thread(self.submit, reward, listed)
        try:
            return await asyncio.wrap_future(waiting)
        except asyncio.CancelledError:
            waiting.cancel()
            raise

    def warm(self, components: Sequence[Component]) -> dict[str, str]:
        """Wait for actors, and construct rewards in each; return what went wrong, by component name."""
        here = [component for component in components if component.definition.here is not None]
        broken = self._local.warm(here)
        for component in components:
            if component not in here:
                wrong = self._construct(component)
                if wrong:
                    broken[component.name] = wrong
        return broken

    def stats(self) -> dict[str, dict[str, Any]]:
        """Return the accounts of every component, wherever it runs, by name."""
        return accounts(list(self._components.values()))

    def close(self) -> None:
        """End every actor; what is under way fails with `cancelled`.

        Ray itself is left as it was found: shut down if the engine started it.
        """
        atexit.unregister(self.close)
        with self._lock:
            already, self._closed = self._closed, True
        if already or os.getpid() != self._pid:
            return
        for crew in self._crews.values():
            crew.close()
        self._local.close()
        if self._started_ray:
            import ray

            ray.shutdown()

    def _construct(self, component: Component) -> str:
        """Construct a reward in every actor of its place; return what went wrong, or ""."""
        import ray

        crew, (_, shipped) = self._crew(component), self._ships[component.number]
        limit = component.bound.reward.setup_timeout_s + 30.0
        lost = ""
        for _ in range(TRIES):
            try:
                handles = crew.handles()
            except EngineError as error:
                return str(error)
            asked = [(handle, handle.construct.remote(shipped)) for handle in handles]
            is_whole = True
            for handle, reference in asked:
                try:
                    wrong: str = ray.get(reference, timeout=limit)
                except ray.exceptions.GetTimeoutError:
                    wrong = f"it was not constructed in {limit:g} s"
                except ray.exceptions.RayError as error:
                    crew.tell_lost(handle, error)
                    wrong, lost, is_whole = "", first_lines(error), False
                if wrong:
                    return wrong
            if is_whole:
                return ""
        return f"{TRIES} times an actor was lost while it was constructed: {lost}"

    def _crew(self, component: Component) -> Crew:
        place = self._places.get(component.name, self._default)
        if place not in self._crews:
            self._crews[place] = Crew(place, _start, self._placement_s, self._ships)
        return self._crews[place]

    def _check_open(self) -> None:
        if self.closed:
            raise EngineError("this engine is closed, or a fork's parent made it; make a new one")


def _connect(address: str | None) -> bool:
    """Connect to Ray, and say whether that was done here."""
    from hub.errors import MissingDependency

    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingDependency(
            "the engine 'ray' needs 'ray', which is not installed: pip install 'posttrain-hub[ray]'"
        ) from error
    if ray.is_initialized():
        return False
    ray.init(address=address, include_dashboard=False, log_to_driver=False)
    return True


def _start(place: Place) -> Any:
    """Ask Ray for an actor; returns before there is room for it."""
    made = _actor_class().options(
        max_restarts=0,
        max_task_retries=0,
        max_concurrency=10_000,
        scheduling_strategy="SPREAD",
        **place.options(),
    )
    return made.remote(place.workers)


@functools.cache
def _actor_class() -> Any:
    """Ray looks through the class each time that it is told of it."""
    import ray

    from hub_ray.actor import Actor

    return ray.remote(Actor)
