"""`hub plugins`: what is installed, what it offers, what is broken."""

import json
import shutil
import textwrap
from typing import Any

import click

from hub.plugins import Hub, Plugin, load

KINDS = ("reward", "benchmark", "sandbox", "generator", "command")


@click.command("plugins")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, as_json: bool) -> int:
    """Show what is installed, and what of it is broken.

    With the NAME of a reward, benchmark, sandbox, generator or command: all that is known about it.

    Exit code 1 if a plugin has problems.
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
    from dataclasses import fields

    from hub.errors import UnknownName

    registries: tuple[Any, ...] = (hub.rewards, hub.benchmarks, hub.sandboxes, hub.generators, hub.commands)
    found = [(registry.kind, registry[name]) for registry in registries if name in registry]
    if not found:
        known = [key for registry in registries for key in registry.items]
        raise UnknownName("plugin offer", name, known, hub.hint(name))
    shown = []
    for kind, offer in found:
        facts = {
            f.name: getattr(offer, f.name) for f in fields(offer) if not callable(getattr(offer, f.name))
        }
        if kind == "reward":
            facts["options"] = _options(offer)
        shown.append({"kind": kind, **{key: _readable(value) for key, value in facts.items()}})
    if as_json:
        click.echo(json.dumps(shown, indent=2, default=str))
        return 0
    for facts in shown:
        for key, value in facts.items():
            click.echo(f"{key:16} {value}")
        click.echo()
    return 0


def _options(reward: Any) -> dict[str, str]:
    """Return the options of a reward as text: type and default."""
    from hub.options import describe_options
    from hub.target import Target

    target = Target.of(reward.target, reward.origin).load()
    if not isinstance(target, type):
        return {}
    return {name: str(p).partition(":")[2].strip() or str(p) for name, p in describe_options(target).items()}


def _readable(value: Any) -> Any:
    return (
        str(value) if not isinstance(value, str | int | float | list | tuple | dict | type(None)) else value
    )
