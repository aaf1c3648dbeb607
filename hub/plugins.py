"""Discovery: finds what is installed, and what of it is broken.

Our own loop over entry points. pluggy's stops at the first import that fails, without naming it, and
skips a second plugin of the same name in silence.
"""

import functools
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, distributions
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pluggy

from hub import hookspecs
from hub.benchmark import Benchmark, BenchmarkFamily
from hub.command import Command
from hub.engine.offer import EnginePlugin
from hub.errors import HubError, PluginError, UnknownName
from hub.generator import GeneratorPlugin
from hub.origin import Origin
from hub.reward import Reward, as_reward
from hub.sandbox import SandboxPlugin
from hub.training.trainer import TrainerPlugin

if TYPE_CHECKING:
    from hub.mix.combine import ScoredBatch

GROUP = "hub"
DISTRIBUTION = "posttrain-hub"
_log = logging.getLogger(__name__)
Offer = TypeVar(
    "Offer",
    Reward,
    Benchmark,
    BenchmarkFamily,
    SandboxPlugin,
    GeneratorPlugin,
    TrainerPlugin,
    EnginePlugin,
    Command,
)


@dataclass
class Plugin:
    """An entry point of the group `hub`, loaded or not.

    Args:
        name: the entry point's name.
        origin: its distribution and version.
        module: the module it names.
        import_ms: milliseconds that importing it took; None where it was not imported.
        offers: names by kind ("reward", "benchmark", "benchmark family", "sandbox", "generator", "trainer",
            "engine", "command").
        problems: what is wrong with it; empty when all is well.
        disabled: left out by `HUB_PLUGINS` or `HUB_DISABLE`.
    """

    name: str
    origin: Origin
    module: str
    import_ms: float | None = None
    offers: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    disabled: bool = False


@dataclass
class Registry(Generic[Offer]):
    """Everything of one kind, by name."""

    kind: str
    hub: "Hub"
    items: dict[str, Offer] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Offer:
        """Return the offer of that name.

        Raises:
            UnknownName: there is none; suggests the nearest, and names plugins that did not load.
        """
        if name in self.items:
            return self.items[name]
        raise UnknownName(self.kind, name, self.items, self.hub.hint(name))

    def __iter__(self) -> Iterator[Offer]:
        return iter(self.items.values())

    def __contains__(self, name: object) -> bool:
        return name in self.items


class Benchmarks(Registry[Benchmark]):
    """Every benchmark by name; one of a family, "family/rest", is made when it is asked for."""

    def __getitem__(self, name: str) -> Benchmark:
        """Return the benchmark of that name.

        Raises:
            UnknownName: there is none, or none in that family.
            PluginError: the family gives something else.
        """
        if name in self.items:
            return self.items[name]
        prefix, _, rest = name.partition("/")
        family = self.hub.families.items.get(prefix)
        if family is None:
            return super().__getitem__(name)
        if not rest:
            hint = f"It is a family: {prefix}/NAME; `hub plugins {prefix}` lists the names"
            raise UnknownName(self.kind, name, (), hint)
        made = open_target(family.target, family.origin)(rest)
        if not isinstance(made, Benchmark) or not made.name.startswith(f"{prefix}/"):
            raise PluginError(
                f"{family.target} of {family.origin} gave {made!r:.100}, not a benchmark of its own"
            )
        return replace(made, origin=family.origin)

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and bool(self[name])
        except UnknownName:
            return False


class Hub:
    """What is installed. Use `load()` to get the one of this process."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self.rewards: Registry[Reward] = Registry("reward", self)
        self.benchmarks = Benchmarks("benchmark", self)
        self.families: Registry[BenchmarkFamily] = Registry("benchmark family", self)
        self.sandboxes: Registry[SandboxPlugin] = Registry("sandbox", self)
        self.generators: Registry[GeneratorPlugin] = Registry("generator", self)
        self.trainers: Registry[TrainerPlugin] = Registry("trainer", self)
        self.engines: Registry[EnginePlugin] = Registry("engine", self)
        self.commands: Registry[Command] = Registry("command", self)
        self._manager = pluggy.PluginManager("hub")
        self._manager.add_hookspecs(hookspecs)

    def add_entry_point(self, entry: EntryPoint, origin: Origin) -> Plugin:
        """Load one plugin; what is wrong with it is recorded, not raised."""
        plugin = Plugin(entry.name, origin, entry.value)
        self.plugins.append(plugin)
        if not _is_wanted(entry.name):
            plugin.disabled = True
            return plugin
        if any(p is not plugin and p.name == entry.name and not p.disabled for p in self.plugins):
            other = next(p for p in self.plugins if p.name == entry.name)
            plugin.problems.append(f"the plugin name {entry.name!r} is taken by {other.origin}")
            return plugin
        start = time.perf_counter()
        try:
            module = entry.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: no plugin ends the program
            plugin.problems.append(f"cannot be imported: {type(error).__name__}: {error}")
            return plugin
        plugin.import_ms = (time.perf_counter() - start) * 1000
        self.add_module(module, plugin)
        return plugin

    def add_module(self, module: object, plugin: Plugin) -> None:
        """Register a plugin's hooks and collect what it offers."""
        try:
            self._manager.register(module, plugin.name)
            self._manager.check_pending()
        except Exception as error:
            if self._manager.has_plugin(plugin.name):
                self._manager.unregister(name=plugin.name)
            plugin.problems.append(f"{error} (hooks: {', '.join(self._hooks())})".replace("\n", " "))
            return
        for name in self._hooks():
            if callable(getattr(module, name, None)) and not self._implementations(name, plugin.name):
                plugin.problems.append(f"its {name} is not marked with @hub.hookimpl, so is not called")
        kinds: tuple[tuple[str, Registry[Any], type], ...] = (
            ("hub_rewards", self.rewards, Reward),
            ("hub_benchmarks", self.benchmarks, Benchmark),
            ("hub_sandboxes", self.sandboxes, SandboxPlugin),
            ("hub_generators", self.generators, GeneratorPlugin),
            ("hub_trainers", self.trainers, TrainerPlugin),
            ("hub_engines", self.engines, EnginePlugin),
            ("hub_commands", self.commands, Command),
        )
        for hook, registry, kind in kinds:
            for function in self._implementations(hook, plugin.name):
                self._collect(plugin, hook, function, registry, kind)

    def _collect(
        self, plugin: Plugin, hook: str, function: Callable[[], Any], registry: Registry[Any], kind: Any
    ) -> None:
        offers = []
        try:
            for thing in function() or ():
                offers.append(thing)
        except Exception as error:  # what it gave before stays
            plugin.problems.append(f"{hook} raised {type(error).__name__}: {error}")
        for thing in offers:
            if kind is Benchmark and isinstance(thing, BenchmarkFamily):
                self._add(plugin, thing, self.families)
                continue
            try:
                offer = as_reward(thing) if kind is Reward else thing
                if not isinstance(offer, kind):
                    raise PluginError(f"{hook} gave {offer!r:.100}, not a hub.{kind.__name__}")
            except HubError as error:
                plugin.problems.append(str(error))
                continue
            self._add(plugin, offer, registry)

    def _add(self, plugin: Plugin, offer: Any, registry: Registry[Any]) -> None:
        if offer.name in registry.items:
            owner = registry.items[offer.name].origin
            problem = f"the {registry.kind} name {offer.name!r} is taken by {owner}; this one is left out"
            plugin.problems.append(problem)
            return
        registry.items[offer.name] = replace(offer, origin=plugin.origin)
        plugin.offers.setdefault(registry.kind, []).append(offer.name)

    def scored(self, batch: "ScoredBatch") -> None:
        """Tell every plugin of a scored batch; one that raises is logged and changes nothing."""
        for implementation in self._manager.hook.hub_scored.get_hookimpls():
            try:
                arguments = {"batch": batch} if implementation.argnames else {}
                implementation.function(**arguments)
            except Exception:
                _log.exception("plugin %s failed in hub_scored", implementation.plugin_name)

    def hint(self, name: str) -> str:
        """What to do about a name that is not known."""
        for plugin in self.plugins:
            if plugin.disabled and plugin.name == name:
                return f"The plugin {name!r} is disabled by HUB_PLUGINS or HUB_DISABLE"
        broken = [f"{p.name} of {p.origin}" for p in self.plugins if p.problems]
        if broken:
            return f"These plugins have problems, see `hub plugins`: {', '.join(broken)}"
        if re.fullmatch(r"[a-z][a-z0-9-]*", name):
            return f"Install a plugin that offers it (pip install hub-{name}), or see `hub plugins`"
        return "See `hub plugins`"

    def _hooks(self) -> list[str]:
        return sorted(name for name in vars(hookspecs) if name.startswith("hub_"))

    def _implementations(self, hook: str, plugin: str) -> list[Callable[[], Any]]:
        found = getattr(self._manager.hook, hook).get_hookimpls()
        return [implementation.function for implementation in found if implementation.plugin_name == plugin]


@functools.cache
def load() -> Hub:
    """Return the hub with every installed plugin loaded; the same object each time.

    The environment variables `HUB_PLUGINS=a,b` (only these) and `HUB_DISABLE=a` (not these) limit it.
    """
    hub = Hub()
    for entry, origin in find_entry_points():
        hub.add_entry_point(entry, origin)
    return hub


def find_entry_points() -> list[tuple[EntryPoint, Origin]]:
    """Return the entry points of the group `hub`: ours first, then by distribution and name."""
    found: dict[tuple[str, str], tuple[EntryPoint, Origin]] = {}
    for distribution in distributions():
        for entry in distribution.entry_points:
            if entry.group == GROUP:
                name = distribution.metadata["Name"]
                origin = Origin(entry.name, name, distribution.version)
                found.setdefault((name, entry.name), (entry, origin))
    return [found[key] for key in sorted(found, key=lambda key: (key[0] != DISTRIBUTION, key))]


def open_target(target: str | Callable[..., Any], origin: Origin) -> Any:
    """Import "package.module:name" of a plugin; what is no text is the thing itself.

    Raises:
        MissingDependency: its module needs a library that is not installed; holds the pip command.
        PluginError: its module raises, or has no such name.
    """
    from hub.target import Target

    if not isinstance(target, str):
        return target
    return Target.of(target, origin).load()


def _is_wanted(name: str) -> bool:
    only, without = (_names(os.environ.get(key, "")) for key in ("HUB_PLUGINS", "HUB_DISABLE"))
    return (not only or name in only) and name not in without


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}
