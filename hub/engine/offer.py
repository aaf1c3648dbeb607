"""An engine as a plugin offers it."""

from dataclasses import dataclass, field

from hub.origin import Origin


@dataclass(frozen=True)
class EnginePlugin:
    """An engine that runs rewards elsewhere than in the caller's own worker processes.

    Args:
        name: what `hub.open_engine` and `hub serve --engine` call it.
        target: "package.module:name" of a callable that takes options by name and returns a `hub.AnyEngine`.
        summary: one line: where rewards run.
        origin: set when it is discovered.
    """

    name: str
    target: str
    summary: str
    origin: Origin = field(default=Origin(), compare=False)
