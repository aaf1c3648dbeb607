"""posttrain-hub: rewards and evaluations as plugins, scored by one engine, the same number everywhere."""

import importlib
from typing import TYPE_CHECKING, Any

from hub.benchmark import Benchmark, BenchmarkFamily
from hub.command import Command
from hub.engine.offer import EnginePlugin
from hub.generator import Completion, Decoding, Generator, GeneratorPlugin, LikelihoodGenerator
from hub.hookspecs import hookimpl
from hub.reward import Lane, Per, Reward, reward
from hub.sample import Sample
from hub.sandbox import Case, Execution, Layer, Limits, Program, Sandbox, SandboxPlugin, Verdict
from hub.score import Failure, Outcome, Score
from hub.training.trainer import Exported, TrainerPlugin

if TYPE_CHECKING:
    from hub.engine.engine import Engine, default_engine
    from hub.engine.interface import AnyEngine
    from hub.find import find_reward
    from hub.mix.combine import MixScore, ScoredBatch
    from hub.mix.mix import Mix
    from hub.open import open_engine, open_reward, open_sandbox
    from hub.plugins import Hub, load
    from hub.training.gather import Gatherer
    from hub.training.lower import Lowered, lower

__version__ = "0.1.0"

# What running needs and declaring does not is imported when it is first asked for: plugins import
# this module, and listing them must stay cheap.
_LATER = {
    "AnyEngine": "hub.engine.interface",
    "Engine": "hub.engine.engine",
    "Gatherer": "hub.training.gather",
    "Hub": "hub.plugins",
    "Lowered": "hub.training.lower",
    "Mix": "hub.mix.mix",
    "MixScore": "hub.mix.combine",
    "ScoredBatch": "hub.mix.combine",
    "default_engine": "hub.engine.engine",
    "find_reward": "hub.find",
    "load": "hub.plugins",
    "lower": "hub.training.lower",
    "open_engine": "hub.open",
    "open_reward": "hub.open",
    "open_sandbox": "hub.open",
}

__all__ = [
    "AnyEngine",
    "Benchmark",
    "BenchmarkFamily",
    "Case",
    "Command",
    "Completion",
    "Decoding",
    "Engine",
    "EnginePlugin",
    "Execution",
    "Exported",
    "Failure",
    "Gatherer",
    "Generator",
    "GeneratorPlugin",
    "Hub",
    "Lane",
    "Layer",
    "LikelihoodGenerator",
    "Limits",
    "Lowered",
    "Mix",
    "MixScore",
    "Outcome",
    "Per",
    "Program",
    "Reward",
    "Sample",
    "Sandbox",
    "SandboxPlugin",
    "Score",
    "ScoredBatch",
    "TrainerPlugin",
    "Verdict",
    "default_engine",
    "find_reward",
    "hookimpl",
    "load",
    "lower",
    "open_engine",
    "open_reward",
    "open_sandbox",
    "reward",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module 'hub' has no attribute {name!r}")
