"""A benchmark of the hub as a task of Inspect: the same prompts, decoding and rewards as in `hub eval`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from inspect_ai import Task, task  # noqa: TID253 - imported by Inspect, or with it
from inspect_ai.dataset import MemoryDataset  # noqa: TID253
from inspect_ai.model import GenerateConfig  # noqa: TID253
from inspect_ai.scorer import stderr  # noqa: TID253
from inspect_ai.solver import generate  # noqa: TID253

import hub
from hub.errors import ConfigError
from hub.evaluation.plan import Plan, make_plan
from hub.evaluation.turns import refuse_turns
from hub.generator import Decoding
from hub_inspect.convert import to_inspect
from hub_inspect.scorer import mean, mix


def make_task(use: str, split: str | None, mix_file: str | None, options: dict[str, Any]) -> Task:
    """Return a benchmark as a task.

    Args:
        use: the benchmark's name, or path/to/file.py:name.
        split: None: the benchmark's first.
        mix_file: grade with this mix instead; None: the benchmark's own.
        options: the benchmark's own.

    Raises:
        HubError: what `make_plan` raises, or the benchmark compares likelihoods or asks in turns.
    """
    plan = make_plan(use, split=split, options=options, mix=mix_file)
    if "continuations" in plan.rows[0]:
        raise ConfigError(
            f"benchmark {plan.benchmark.name!r} compares likelihoods, which Inspect has no place for"
        )
    refuse_turns(plan.rows, plan.benchmark.name, "Inspect's task of the hub")
    headline = plan.benchmark.headline if set(plan.benchmark.headline) <= set(plan.mix.names) else ()
    return Task(
        dataset=MemoryDataset([to_inspect(row) for row in plan.rows], name=plan.benchmark.name),
        solver=generate(),
        scorer=mix(
            str(Path(mix_file).resolve()) if mix_file else dict(plan.benchmark.rewards),
            **({"values": list(headline)} if headline else {}),
        ),
        metrics={name: [mean(), stderr()] for name in headline} or None,
        config=decode(plan.decoding),
        metadata=_provenance(plan),
    )


def decode(decoding: Decoding) -> GenerateConfig:
    """Return a decoding as Inspect's configuration."""
    samples = decoding.temperature > 0
    return GenerateConfig(
        max_tokens=decoding.max_new_tokens,
        temperature=decoding.temperature,
        top_p=decoding.top_p if samples and decoding.top_p < 1 else None,
        stop_seqs=list(decoding.stop) or None,
        seed=decoding.seed if samples else None,
    )


def register(name: str) -> Callable[..., Task]:
    """Register a benchmark with Inspect as "hub/NAME"."""

    def of_benchmark(split: str | None = None, mix: str | None = None, **options: Any) -> Task:
        return make_task(name, split, mix, options)

    return _register(name, of_benchmark, hub.load().benchmarks[name].summary)


def register_any() -> Callable[..., Task]:
    """Register the task "hub/benchmark", which takes the benchmark's name: for families and files."""

    def of_any(use: str, split: str | None = None, mix: str | None = None, **options: Any) -> Task:
        return make_task(use, split, mix, options)

    return _register("benchmark", of_any, "Any benchmark of the hub, by its name.")


def _register(name: str, make: Callable[..., Task], summary: str) -> Callable[..., Task]:
    make.__doc__ = summary
    # Inspect puts the name of the function's package before it, unless it finds none; ours is to be "hub".
    make.__module__ = "hub:inspect"
    found: Callable[..., Task] = task(name=f"hub/{name}")(make)
    return found


def _provenance(plan: Plan) -> dict[str, Any]:
    return {
        "hub": hub.__version__,
        "benchmark": plan.benchmark.name,
        "offered_by": str(plan.benchmark.origin),
        "split": plan.split,
        "options": dict(plan.options),
        "data_hash": plan.data_hash,
        "mix": plan.mix_name or "the benchmark's own",
    }
