"""Every error the hub raises on purpose.

    HubError
    ├── PluginError            a plugin is broken, or clashes with another
    ├── UnknownName            no plugin offers a thing of that kind and name
    ├── MissingDependency      a plugin's library is not installed
    ├── OptionError            an option of a plugin is unknown or unfit
    ├── ConfigError            a mix or recipe file (or the dict in its place) is wrong
    ├── DataError              a data file, or a row of it, cannot be used
    │   ├── MissingColumn      a reward needs a column that the row lacks (also a KeyError)
    │   └── BadInput           a prompt or completion is not text or messages
    ├── EngineError            the engine is closed or could not start its workers
    ├── RewardFailed           a reward failed and the mix says `on_failure = "raise"`
    ├── GeneratorError         a model or server could not produce completions
    └── SandboxError           a sandbox could not run a program; never the program's fault
        ├── SandboxUnavailable     it is not there, or refuses the isolation asked for
        └── SandboxOverloaded      it is there, and busy: try later

A message says what happened, to which plugin of which distribution and version, and what to do next.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any


class HubError(Exception):
    """Base of all errors the hub raises on purpose; shown without a traceback by the command line."""


class PluginError(HubError):
    """A plugin failed to import, uses an unknown hook, or offers something unusable."""


class UnknownName(HubError):
    """No such reward, benchmark, sandbox, generator, trainer, engine or command."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        """Compose the message.

        Args:
            kind: what was looked for, e.g. "reward".
            name: the name that was given.
            known: every name of that kind; the nearest are suggested.
            hint: what to do next, e.g. the pip command that brings it; left out where a known name
                is near.
        """
        self.kind, self.name = kind, name
        suggestion = nearest(name, known)
        more = f". {hint}" if hint and not suggestion.endswith("?") else ""
        super().__init__(f"unknown {kind} {name!r}{suggestion}{more}")

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


class MissingDependency(HubError):
    """A plugin needs a library that is not installed; the message holds the pip command."""


class OptionError(HubError):
    """An option given to a plugin is unknown, missing, or refused by it."""


class ConfigError(HubError):
    """A mix or recipe is wrong; the message starts with the file and line, or the key."""


class DataError(HubError):
    """A data file, or one row of it, cannot be used."""


class MissingColumn(DataError, KeyError):
    """A reward reads a column that the sample does not have, or that the reward did not declare."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""  # KeyError would show the repr


class BadInput(DataError):
    """A prompt or a completion is neither text nor a list of chat messages."""


class EngineError(HubError):
    """The engine is closed, or its workers could not be started."""


class RewardFailed(HubError):
    """A reward failed on a sample, and the mix asked for that to stop the run.

    Attributes:
        results: what the mix made of every sample of the batch (`hub.MixScore`), those that failed too.
    """

    results: Sequence[Any] = ()


class GeneratorError(HubError):
    """A model or a server could not produce completions."""


class SandboxError(HubError):
    """A sandbox could not run a program, for a reason that is not the program's."""


class SandboxUnavailable(SandboxError):
    """The sandbox is not there, or cannot give the isolation that was asked for."""


class SandboxOverloaded(SandboxError):
    """The sandbox is there but has no free slot; the same call may succeed later."""


SHOWN = 100
"""Names that an error lists at most."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ": did you mean …?" or the list of what is known, ready to end a message."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f": did you mean {' or '.join(map(repr, close))}?"
    more = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return f" (known: {', '.join([*names[:SHOWN], *more])})" if names else " (none is installed)"


def _rebuild(kind: type[Exception], args: tuple[object, ...], state: dict[str, object]) -> Exception:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error
