"""Every hook a plugin can implement. Mark an implementation with `@hub.hookimpl`.

The seven hooks that offer things are called once, when the hub looks for plugins. They must be cheap:
a plugin module imports nothing but `hub`, and names what is heavy as "package.module:name".
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from hub.benchmark import Benchmark, BenchmarkFamily
    from hub.command import Command
    from hub.engine.offer import EnginePlugin
    from hub.generator import GeneratorPlugin
    from hub.mix.combine import ScoredBatch
    from hub.reward import Reward
    from hub.sandbox import SandboxPlugin
    from hub.training.trainer import TrainerPlugin

hookspec = pluggy.HookspecMarker("hub")
hookimpl = pluggy.HookimplMarker("hub")


@hookspec
def hub_rewards() -> "Iterable[Reward | Callable[..., Any]]":  # type: ignore[empty-body]
    """Offer rewards.

    Called once, when plugins are discovered.

    Returns:
        Functions and classes declared with `@hub.reward`, or `hub.Reward` objects that name their
        target. An empty iterable offers nothing.
    """


@hookspec
def hub_benchmarks() -> "Iterable[Benchmark | BenchmarkFamily]":  # type: ignore[empty-body]
    """Offer benchmarks, to evaluate on and to train on.

    Called once, when plugins are discovered. The rows are read only when a benchmark is used.

    Returns:
        `hub.Benchmark` objects, and `hub.BenchmarkFamily` objects for those of which there are too many to
        offer one by one. An empty iterable offers nothing.
    """


@hookspec
def hub_sandboxes() -> "Iterable[SandboxPlugin]":  # type: ignore[empty-body]
    """Offer sandboxes, in which rewards run code that nobody trusts.

    Called once, when plugins are discovered. A sandbox is opened by the rewards that ask for it.

    Returns:
        `hub.SandboxPlugin` objects. An empty iterable offers nothing.
    """


@hookspec
def hub_generators() -> "Iterable[GeneratorPlugin]":  # type: ignore[empty-body]
    """Offer generators, which make completions for `hub eval`.

    Called once, when plugins are discovered. A model is loaded only when a generator is used.

    Returns:
        `hub.GeneratorPlugin` objects. An empty iterable offers nothing.
    """


@hookspec
def hub_trainers() -> "Iterable[TrainerPlugin]":  # type: ignore[empty-body]
    """Offer trainers, for which `hub export` writes what they need to use a mix.

    Called once, when plugins are discovered. A trainer's library is not needed to export for it.

    Returns:
        `hub.TrainerPlugin` objects. An empty iterable offers nothing.
    """


@hookspec
def hub_engines() -> "Iterable[EnginePlugin]":  # type: ignore[empty-body]
    """Offer engines, which run rewards elsewhere than in the caller's own worker processes.

    Called once, when plugins are discovered. An engine is opened by `hub.open_engine`, or by a command that
    is told to use it.

    Returns:
        `hub.EnginePlugin` objects. An empty iterable offers nothing.
    """


@hookspec
def hub_commands() -> "Iterable[Command]":  # type: ignore[empty-body]
    """Offer subcommands of `hub`.

    Called once, when plugins are discovered. The command is imported when it is run.

    Returns:
        `hub.Command` objects. An empty iterable offers nothing.
    """


@hookspec
def hub_scored(batch: "ScoredBatch") -> None:
    """Be told of scored samples: for loggers, traces and metrics.

    Called after each batch that a mix has scored, in the thread that scored it. It should return
    quickly. What it raises is logged with the plugin's name and changes nothing.

    Args:
        batch: the samples, each one's total and scores by reward, and the training step.

    Returns:
        Nothing; the value is ignored.
    """
