"""A trainer as a plugin offers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.origin import Origin


@dataclass(frozen=True)
class Exported:
    """What a trainer needs to use a mix.

    Args:
        files: the text of each file to write, by its path inside the output folder.
        instructions: the exact flags, YAML or lines of Python that the user gives to the trainer, and what
            this trainer cannot do with the mix; printed as it is.
    """

    files: Mapping[str, str]
    instructions: str


@dataclass(frozen=True)
class TrainerPlugin:
    """A trainer for which mixes can be exported.

    Args:
        name: e.g. "verl"; `hub export NAME mix.toml --out dir`.
        target: "package.module:name" of a function `(mix, *, path, sha256, out, **options) -> Exported`:
            a checked `hub.Mix`, its file's absolute path and digest, the output folder's absolute path, and
            options of its own. It writes nothing itself, and raises `ConfigError` where the trainer cannot
            do what the mix needs.
        summary: one line.
        origin: set when it is discovered.
        columns: "package.module:name" of a function `(row, **options) -> columns`: what rewards get of a row
            of the trainer's data file, of the options of the export those that matter to it; for
            `hub export --data`. It raises `ConfigError` where a row is not of the trainer's form. None: rows
            do not come from a file.
    """

    name: str
    target: str
    summary: str
    origin: Origin = field(default=Origin(), compare=False)
    columns: str | None = None
