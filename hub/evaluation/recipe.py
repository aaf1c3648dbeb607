"""What a run is known by: all that decides its numbers. Two different recipes never share a folder."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hub.mix.mix import Mix
from hub.mix.under_way import MixReward

if TYPE_CHECKING:
    from hub.evaluation.plan import Plan

WHERE = ("address", "batch_size", "device", "folder")
"""Keys of a model's description that say where it was and how it was run, not which model it is."""


def make_recipe(plan: "Plan", model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe as plain data.

    Args:
        plan: what is evaluated.
        model: the generator's description of itself.
    """
    recipe = {
        "benchmark": {
            "name": plan.benchmark.name,
            "split": plan.split,
            "options": dict(plan.options),
            "rows": len(plan.rows),
            "data_hash": plan.data_hash,
        },
        "model": {key: value for key, value in model.items() if key not in WHERE},
        "decoding": asdict(plan.decoding),
        "samples_per_prompt": plan.samples_per_prompt,
        "mix": describe_mix(plan.mix),
    }
    if plan.rows_decode:  # what was given counts more than a row's own, so the decoding alone does not tell
        recipe["decoding_given"] = sorted(plan.changes)
    return dict(json.loads(json.dumps(recipe, default=str)))


def describe_mix(mix: Mix) -> dict[str, Any]:
    """Return a mix as plain data, with each reward's code, version and, where it tells it, provenance."""
    rewards = []
    for reward in mix.rewards:
        config = reward.config
        rewards.append(
            {
                "name": reward.name,
                "use": config.use if isinstance(config.use, str) else str(reward.bound.target),
                "code": reward.bound.target.identity,
                "weight": [list(point) for point in config.weight.points],
                "when": dict(config.when),
                "gate": str(config.gate) if config.gate else None,
                "with": dict(config.options),
                "map": dict(config.map),
                "timeout_s": reward.bound.timeout_s if config.timeout_s is None else config.timeout_s,
                "on_timeout": config.on_timeout,
                **_provenance(reward),
            }
        )
    return {"on_failure": mix.config.on_failure, "aggregate": mix.config.aggregate, "rewards": rewards}


def _provenance(reward: MixReward) -> dict[str, Any]:
    """What a reward says that its values depend on beside its code and options, such as a model's weights."""
    tell = getattr(reward.bound.target.load(), "provenance", None)
    return {"provenance": dict(tell(**reward.bound.options))} if callable(tell) else {}


def hash_recipe(recipe: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that stand for a recipe."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]


def differences(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """Yield what differs between two recipes, e.g. "decoding.seed: 0, now 1".

    >>> list(differences({"decoding": {"seed": 0}}, {"decoding": {"seed": 1}}))
    ['decoding.seed: 0, now 1']
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from differences(old.get(key), new.get(key), f"{where}.{key}".lstrip("."))
    elif old != new:
        yield f"{where}: {old!r:.80}, now {new!r:.80}"
