"""Makes a mix of what the command line says: rewards with weights and options, or a mix file."""

from collections.abc import Sequence
from typing import Any

import click

from hub.find import find_reward
from hub.mix.mix import Mix
from hub.options import describe_options, read_value
from hub.plugins import open_target


def read_mix(rewards: tuple[str, ...], mix_file: str | None, options: tuple[str, ...]) -> Mix:
    """Make the mix.

    Args:
        rewards: each NAME or NAME=WEIGHT, where NAME may be FILE.py:NAME.
        mix_file: a mix file, in place of rewards and options.
        options: each REWARD.OPTION=VALUE.

    Raises:
        click.UsageError: one is not of its form, or both or neither of rewards and a file are given.
        HubError: as `hub.Mix` does.
    """
    if bool(rewards) == bool(mix_file):
        raise click.UsageError("give either --reward (once or more), or --mix")
    if mix_file:
        if options:
            raise click.UsageError("--with goes with --reward; a mix file has `with = { ... }`")
        return Mix.load(mix_file)
    tables = [_table(text) for text in rewards]
    for text in options:
        left, value = split(text, "--with", "REWARD.OPTION=VALUE")
        name, _, option = left.rpartition(".")
        if not (name and option):
            called = " or ".join(table["use"].rpartition(":")[2] for table in tables)
            raise click.UsageError(f"--with {text}: should be REWARD.OPTION=VALUE, where REWARD is {called}")
        mine = [table for table in tables if name in (table["use"], table["use"].rpartition(":")[2])]
        if not mine:
            used = ", ".join(table["use"] for table in tables)
            raise click.UsageError(f"--with {text}: no --reward is called {name!r} (there is: {used})")
        for table in mine:
            text_wanted = _takes_text(table["use"], option)
            table.setdefault("with", {})[option] = value if text_wanted else read_value(value)
    return Mix.from_tables({"reward": tables})


def read_reward_options(texts: Sequence[str], mixes: Sequence[Mix]) -> list[dict[str, dict[str, Any]]]:
    """Read options of rewards that are in mixes already; return for each mix those of its rewards.

    Args:
        texts: each REWARD.OPTION=VALUE, where REWARD is as a mix names it.
        mixes: each has some of these rewards, or none.

    Raises:
        click.UsageError: one is not of its form, or no mix has such a reward.
    """
    found: list[dict[str, dict[str, Any]]] = [{} for _ in mixes]
    for text in texts:
        left, value = split(text, "--with", "REWARD.OPTION=VALUE")
        name, _, option = left.rpartition(".")
        if not (name and option):
            raise click.UsageError(f"--with {text}: should be REWARD.OPTION=VALUE")
        having = [place for place, mix in enumerate(mixes) if name in mix.names]
        if not having:
            used = ", ".join(sorted({one for mix in mixes for one in mix.names}))
            raise click.UsageError(f"--with {text}: no benchmark is graded by {name!r} (there is: {used})")
        for place in having:
            use = mixes[place].rewards[mixes[place].names.index(name)].config.use
            wants_text = isinstance(use, str) and _takes_text(use, option)
            found[place].setdefault(name, {})[option] = value if wants_text else read_value(value)
    return found


def _table(text: str) -> dict[str, Any]:
    use, equals, weight = text.rpartition("=")
    if not equals or ".py:" in weight:
        return {"use": text}
    try:
        return {"use": use, "weight": float(weight)}
    except ValueError:
        raise click.UsageError(f"--reward {text}: the weight {weight!r} is not a number") from None


def _takes_text(use: str, option: str) -> bool:
    """Whether the option is text by its type hint, so that 4 is not to be read as a number."""
    reward = find_reward(use)
    target = reward.target
    found = open_target(target, reward.origin) if isinstance(target, str) else target
    parameter = describe_options(found).get(option)
    return parameter is not None and parameter.annotation in (str, "str")


def split(text: str, option: str, form: str) -> tuple[str, str]:
    """Read NAME=VALUE.

    Args:
        text: what was given.
        option: the command line's option that it was given to, for the message.
        form: the form it should have, for the message.

    Raises:
        click.UsageError: it has another form.
    """
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise click.UsageError(f"{option} {text}: should be {form}")
    return name, value
