"""A reward as it travels to an actor."""

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any

from hub.engine.component import Component
from hub.engine.work import Report, Work
from hub.engine.worker import Definition
from hub.errors import PluginError
from hub.reward import BoundReward, Lane
from hub.target import Target, missing_dependency


@dataclass(frozen=True)
class Shipped:
    """What an actor needs to know of a reward.

    Args:
        number: its number in the engine.
        lane: where an actor runs it.
        definition: how a worker finds it.
        timeout_s: seconds for one call; None for no limit.
        setup_timeout_s: seconds for its construction.
        concurrency: calls under way at once in the async lane of one actor.
        modules: (name, file) worth importing before workers are forked.
    """

    number: int
    lane: Lane
    definition: Definition
    timeout_s: float | None
    setup_timeout_s: float
    concurrency: int
    modules: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, component: Component) -> "Shipped":
        """Take from a component what travels."""
        reward = component.bound.reward
        # A file's own module comes with the definition; another node may not have the file.
        modules = tuple((name, file) for name, file in component.modules if not file)
        return cls(
            component.number,
            component.bound.lane,
            component.definition,
            component.timeout_s,
            reward.setup_timeout_s,
            reward.concurrency,
            modules,
        )

    def work(self, units: Any, report: Report) -> Work:
        """Return work for the actor's lane."""
        limits = (self.timeout_s, self.setup_timeout_s, self.concurrency)
        return Work(self.number, self.definition, *limits, units, report)


@dataclass(frozen=True)
class FileTarget(Target):
    """A function or class of a Python file, whose text goes with it.

    Args:
        text: what the file holds.
    """

    text: bytes = b""

    def load(self) -> Any:
        """Return the function or class, running the file's text if need be.

        Raises:
            MissingDependency: it imports a library that is not installed.
            PluginError: it raises, or has no such name.
        """
        if self.module not in sys.modules:
            folder = str(Path(self.file).parent)
            if folder not in sys.path:
                sys.path.append(folder)
            module = ModuleType(self.module)
            module.__file__ = self.file
            sys.modules[self.module] = module
            try:
                exec(compile(self.text, self.file, "exec"), vars(module))
            except BaseException as error:
                del sys.modules[self.module]
                if isinstance(error, ModuleNotFoundError):
                    raise missing_dependency(error, str(self), self.origin) from error
                raise PluginError(f"{self.file} cannot be run: {type(error).__name__}: {error}") from error
        return Target(self.module, self.name, origin=self.origin).load()


def travelling(bound: BoundReward) -> Target:
    """Return how a reward's code is found on another machine.

    What is installed there is imported; what is in a file travels as that file's text; what a notebook or a
    function defines travels by value.

    Raises:
        PluginError: it cannot be sent.
    """
    target = bound.target
    if target.here is not None:
        target = Target.of(target.here, target.origin)
    if not target.file:
        return target
    try:
        text = Path(target.file).read_bytes()
    except OSError as error:
        raise PluginError(f"{target.file} cannot be read, so not be sent: {error.strerror}") from error
    return FileTarget(**{field.name: getattr(target, field.name) for field in fields(Target)}, text=text)
