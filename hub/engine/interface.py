"""What a mix needs of an engine. `hub.Engine` runs rewards here; others may run them elsewhere."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from hub.engine.component import Component
from hub.engine.waiting import Waiting
from hub.reward import BoundReward
from hub.sample import Sample
from hub.score import Score


class AnyEngine(Protocol):
    """Runs rewards, from any thread and from several at once.

    Whatever happens, n samples give n scores in their order; what one sample does costs no other one. See
    `hub.Engine` for the arguments, and for what is raised.
    """

    @property
    def closed(self) -> bool:
        """Whether it can score no more."""

    def add(
        self, bound: BoundReward, *, name: str | None = None, timeout_s: float | None = None
    ) -> Component:
        """Register a reward; the same one twice gives the same component, which keeps its accounts."""

    def submit(self, reward: Component | BoundReward, samples: Iterable[Sample]) -> Waiting:
        """Start scoring; `result()` waits for the scores, `cancel()` gives up."""

    def score(self, reward: Component | BoundReward, samples: Iterable[Sample]) -> list[Score]:
        """Score samples."""

    async def ascore(self, reward: Component | BoundReward, samples: Iterable[Sample]) -> list[Score]:
        """Score samples without blocking the event loop."""

    def warm(self, components: Sequence[Component]) -> dict[str, str]:
        """Construct rewards before they are needed; return what went wrong, by component name."""

    def stats(self) -> dict[str, dict[str, Any]]:
        """Return the accounts of every component, by name."""

    def close(self) -> None:
        """End what runs; what is under way fails with `cancelled`."""
