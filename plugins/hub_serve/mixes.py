"""The mixes that a service has, by name: read from the operator's files, and read again while it runs."""

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.engine.interface import AnyEngine
from hub.errors import ConfigError, HubError, nearest
from hub.mix.mix import Mix
from hub.reward import Lane
from hub.training.gather import Gatherer
from hub_serve.refused import Refused, busy

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MOST_GATHERERS = 16
"""Group sizes that one mix is asked for at once; each has threads of its own while it has work."""
LARGEST_GROUP = 4096


@dataclass(eq=False)
class Served:
    """One mix of a service.

    Args:
        name: by which requests ask for it.
        path: its file.
        sha256: the file's digest when it was read.
        mix: what it says.
        engine: what scores it.
        group_wait_s: see `Settings`.
        gatherers: by group size, the one last asked for at the end.
        gathered: the counts of those that are no more.
        used: requests that wait for each of them.
    """

    name: str
    path: Path
    sha256: str
    mix: Mix
    engine: AnyEngine
    group_wait_s: float
    loaded: float = field(default_factory=time.time)
    gatherers: dict[int | None, Gatherer] = field(default_factory=dict)
    gathered: Counter[str] = field(default_factory=Counter)
    used: Counter[Gatherer] = field(default_factory=Counter)
    is_inline: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_inline = all(reward.bound.lane is Lane.INLINE for reward in self.mix.rewards)

    @classmethod
    def read(cls, name: str, path: Path, engine: AnyEngine, group_wait_s: float) -> "Served":
        """Read a mix file and construct its rewards.

        Raises:
            HubError: it cannot be read, is wrong, or a reward of it cannot be constructed.
        """
        try:
            before = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
        mix = Mix.load(path)
        mix.warm(engine)
        return cls(name, path, before, mix, engine, group_wait_s)

    def gatherer(self, group_size: int | None) -> Gatherer:
        """Return what gathers groups of this size; None: nothing waits for its group.

        Raises:
            Refused: the size is none, or requests with too many other sizes wait.
        """
        known = self.gatherers.pop(group_size, None)
        if known is None:
            if group_size is not None and not 1 <= group_size <= LARGEST_GROUP:
                raise Refused(422, "group_size", f"group_size should be from 1 to {LARGEST_GROUP}")
            if len(self.gatherers) >= MOST_GATHERERS:
                self._drop_one()
            known = Gatherer(self.mix, group_size=group_size, engine=self.engine, wait_s=self.group_wait_s)
        self.gatherers[group_size] = known
        return known

    @contextmanager
    def use(self, gatherer: Gatherer) -> Iterator[None]:
        """Keep a gatherer until the end of the block."""
        self.used[gatherer] += 1
        try:
            yield
        finally:
            self.used[gatherer] -= 1
            if not self.used[gatherer]:
                del self.used[gatherer]

    def _drop_one(self) -> None:
        """Forget a group size for which no request waits: one without open groups, or the longest unused."""
        free = [size for size, gatherer in self.gatherers.items() if not self.used[gatherer]]
        if not free:
            sizes = ", ".join(map(str, self.gatherers))
            raise busy(f"requests with too many group sizes wait: {sizes}; send this one again later")
        size = next((size for size in free if self.gatherers[size].is_idle), free[0])
        self.gathered.update(self.gatherers.pop(size).counts)

    def describe(self) -> dict[str, Any]:
        """Return what clients may know of it."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "rewards": list(self.mix.names),
            "weights": self.mix.weights(),
            "groupwise": list(self.mix.groupwise),
            "compares": list(self.mix.compares),
            "is_scheduled": self.mix.is_scheduled,
            "loaded": self.loaded,
        }


class Mixes:
    """The mixes of a service.

    Args:
        files: each mix's file, by name; the first is meant where a request names none.
        engine: what scores them.
        group_wait_s: see `Settings`.

    Raises:
        HubError: one cannot be read, is wrong, or a reward of it cannot be constructed.
    """

    def __init__(self, files: Mapping[str, Path], engine: AnyEngine, group_wait_s: float = 60.0) -> None:
        self.engine, self._group_wait_s = engine, group_wait_s
        self._served = {name: Served.read(name, path, engine, group_wait_s) for name, path in files.items()}
        self._default = next(iter(files))

    def __iter__(self) -> Any:
        return iter(self._served.values())

    def __len__(self) -> int:
        return len(self._served)

    def get(self, name: str | None) -> Served:
        """Return the mix of that name; None: the first.

        Raises:
            Refused: there is none of that name.
        """
        found = self._served.get(self._default if name is None else name)
        if found is None:
            near = nearest(str(name)[:100], self._served)
            raise Refused(404, "unknown_mix", f"no mix is called {str(name)[:100]!r}{near}")
        return found

    def has(self, name: str) -> bool:
        """Whether there is a mix of that name."""
        return name in self._served

    def reload(self) -> dict[str, str]:
        """Read every file again; return what is wrong, by name. What is wrong stays as it was.

        A group that is not whole is finished with the rewards it was begun with.
        """
        wrong = {}
        for name, old in list(self._served.items()):
            try:
                self._served[name] = Served.read(name, old.path, self.engine, self._group_wait_s)
            except HubError as error:
                wrong[name] = str(error)
            except Exception as error:  # a plugin's own mistake must not end the service
                wrong[name] = f"{type(error).__name__}: {error}"
        return wrong


def read_files(given: Sequence[str]) -> dict[str, Path]:
    """Return the files by name, of `mix.toml` (called by its stem) and `name=mix.toml`.

    Raises:
        ConfigError: a name is given twice, or is no name.
    """
    files: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or "/" in name:
            name, path = Path(text).stem, text
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{text}: {name!r} is no name for a mix (letters, digits, . _ -): give NAME=FILE"
            )
        if name in files:
            raise ConfigError(f"two mixes are called {name!r}: give one of them another name, NAME={path}")
        files[name] = Path(path).absolute()
    if not files:
        raise ConfigError("nothing to serve: give a mix file")
    return files
