"""`hub plugins`: what is installed, what it offers, what is broken."""

import json
import shutil
import textwrap
from enum import StrEnum
from typing import Any

import click

from hub.options import describe_options
from hub.plugins import Hub, Plugin, load
from hub.reward import DEFAULT_TIMEOUT_S, Reward

_NOT_OPTIONS = {"benchmark": 1, "generator": 1, "trainer": 4}
"""First parameters of what an offer names that are no options: a split, a model, what is exported."""


@click.command("plugins")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, as_json: bool) -> int:
    """Show what is installed, and what of it is broken.

    With the NAME of a reward, benchmark, family of benchmarks, sandbox, generator, trainer, engine or
    command: all that is known about it.

    Exit code 1 if a plugin has problems, or what NAME is offered as cannot be imported.
    """
    hub = load()
    if name is not None:
        return _show_one(hub, name, as_json)
    if as_json:
        click.echo(json.dumps([_plain(plugin) for plugin in hub.plugins], indent=2))
    else:
        _show_list(hub.plugins)
    return int(any(plugin.problems for plugin in hub.plugins))


def _plain(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "distribution": plugin.origin.distribution,
        "version": plugin.origin.version,
        "module": plugin.module,
        "import_ms": plugin.import_ms,
        "offers": plugin.offers,
        "problems": plugin.problems,
        "disabled": plugin.disabled,
    }


def _show_list(plugins: list[Plugin]) -> None:
    # Plain text: rich takes longer to import than everything else here together.
    width = max(20, shutil.get_terminal_size().columns - 4)
    for plugin in plugins:
        took = "" if plugin.import_ms is None else f"  {plugin.import_ms:.1f} ms"
        state = "  disabled" if plugin.disabled else ""
        click.echo(f"{click.style(plugin.name, bold=True)}  {plugin.origin}{took}{state}")
        for kind, names in plugin.offers.items():
            text = f"{kind}{'s' * (len(names) > 1)}: {', '.join(names)}"
            wrapped = textwrap.wrap(text, width, break_on_hyphens=False, subsequent_indent="    ")
            click.echo(textwrap.indent("\n".join(wrapped), "    "))
        for problem in plugin.problems:
            click.echo(click.style(f"    {plugin.name} of {plugin.origin}: {problem}", fg="red"))
    if not plugins:
        click.echo("No plugins are installed.")


def _show_one(hub: Hub, name: str, as_json: bool) -> int:
    from hub.errors import UnknownName

    kinds = (
        hub.rewards,
        hub.benchmarks,
        hub.families,
        hub.sandboxes,
        hub.generators,
        hub.trainers,
        hub.engines,
        hub.commands,
    )
    registries: tuple[Any, ...] = kinds
    found = [(registry.kind, registry[name]) for registry in registries if name in registry]
    if not found:
        known = [key for registry in registries for key in registry.items]
        raise UnknownName("plugin offer", name, known, hub.hint(name))
    shown = [_facts(kind, offer) for kind, offer in found]
    broken = int(any("problem" in facts for facts in shown))
    if as_json:
        click.echo(json.dumps(shown, indent=2, default=str))
        return broken
    for facts in shown:
        options, names = facts.pop("options", None), facts.pop("names", ())
        for key, value in facts.items():
            click.echo(f"{key:16} {'no limit' if key == 'timeout_s' and value is None else value}")
        _show_options(options)
        if names:
            width = max(40, shutil.get_terminal_size().columns)
            click.echo(f"{'names':16} {len(names)}")
            indent = " " * 4
            click.echo(
                textwrap.fill(
                    ", ".join(names),
                    width,
                    initial_indent=indent,
                    subsequent_indent=indent,
                    break_on_hyphens=False,
                    break_long_words=False,
                )
            )
        click.echo()
    return broken


def _facts(kind: str, offer: Any) -> dict[str, Any]:
    """Return what is known of an offer: its fields, and of what it names the options."""
    from dataclasses import fields

    from hub.errors import HubError

    facts = {f.name: getattr(offer, f.name) for f in fields(offer) if not callable(getattr(offer, f.name))}
    try:
        if kind == "reward":
            facts |= _reward_facts(offer)
        elif kind == "benchmark family":
            facts["names"] = [f"{offer.name}/{rest}" for rest in _open(offer.names, offer)()]
        elif kind != "command":
            target = offer.rows if kind == "benchmark" else offer.target
            facts["options"] = _options(_open(target, offer), leave_out=_NOT_OPTIONS.get(kind, 0))
    except HubError as error:
        facts["problem"] = str(error)
    return {"kind": kind, **{key: _readable(value) for key, value in facts.items()}}


def _open(target: Any, offer: Any) -> Any:
    from hub.plugins import open_target

    return open_target(target, offer.origin) if isinstance(target, str) else target


def _reward_facts(reward: Reward) -> dict[str, Any]:
    """Return the options of a reward, and the lane and time limit that hold for it."""
    target = _open(reward.target, reward)
    is_class = isinstance(target, type)
    lane = reward.lane_for(target.__call__ if is_class else target)
    limit = DEFAULT_TIMEOUT_S[lane] if reward.timeout_s is None else reward.timeout_s
    return {"lane": lane, "timeout_s": limit, "options": _options(target) if is_class else {}}


def _options(target: Any, leave_out: int = 0) -> dict[str, dict[str, str]]:
    """Return type, default and description of each option, as text.

    Args:
        target: the class or function that takes the options by name.
        leave_out: how many first parameters are no options.
    """
    import inspect

    about = _described(target)
    options = {}
    for name, parameter in list(describe_options(target).items())[leave_out:]:
        options[name] = {"type": "", "default": "", "about": about.get(name, "")}
        if parameter.annotation is not parameter.empty:
            options[name]["type"] = inspect.formatannotation(parameter.annotation).strip("'\"")
        if parameter.default is not parameter.empty:
            options[name]["default"] = repr(parameter.default)
    return options


def _described(target: Any) -> dict[str, str]:
    """Read the section `Args:` of a docstring, by argument; of a class, that of `__init__` too."""
    import inspect
    import re

    found: dict[str, str] = {}
    for documented in (getattr(target, "__init__", None), target):
        _, _, section = (inspect.getdoc(documented) or "").partition("\nArgs:\n")
        section = re.split(r"^\S", section, maxsplit=1, flags=re.MULTILINE)[0]
        for argument in re.finditer(r"^ {4}\*{0,2}(\w+)[^:\n]*: (.*(?:\n {5,}.*)*)", section, re.MULTILINE):
            found[argument[1]] = " ".join(argument[2].split())
    return found


def _show_options(options: dict[str, dict[str, str]] | None) -> None:
    if options is None:
        return
    click.echo(f"{'options':16} {'' if options else 'none'}".rstrip())
    width = max(40, shutil.get_terminal_size().columns)
    for name, facts in options.items():
        kind = f": {facts['type']}" if facts["type"] else ""
        default = f" = {facts['default']}" if facts["default"] else " (must be given)"
        click.echo(f"    {name}{kind}{default}")
        indent = " " * 8
        if facts["about"]:
            click.echo(textwrap.fill(facts["about"], width, initial_indent=indent, subsequent_indent=indent))


def _readable(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return str(value)
    return (
        str(value) if not isinstance(value, str | int | float | list | tuple | dict | type(None)) else value
    )
