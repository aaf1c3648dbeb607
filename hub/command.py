"""A subcommand of `hub` as a plugin offers it."""

from dataclasses import dataclass, field

from hub.origin import Origin


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Args:
        name: `hub NAME`.
        target: "package.module:name" of a `click.Command`, imported when the command is run.
        summary: one line for `hub --help`.
        origin: set when it is discovered.
    """

    name: str
    target: str
    summary: str
    origin: Origin = field(default=Origin(), compare=False)
