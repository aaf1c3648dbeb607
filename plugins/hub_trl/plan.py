"""How a mix is given to one of TRL's trainers: which functions, of what values, and with which arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub import Mix, MixScore
from hub.errors import ConfigError
from hub_trl.versions import LEAVES_OUT_MISSING, has

ALGORITHMS = ("grpo", "rloo", "async_grpo", "online_dpo")
Value = Callable[[MixScore], float | None]


@dataclass(frozen=True)
class Plan:
    """What the functions of a mix return to a trainer.

    Args:
        values: by function, what it takes from a sample's result.
        arguments: of the trainer's config, without which it would combine in another way.
        combined: whether there is one function, which returns totals.
        fills: whether the trainer has no notion of a missing value, so that something must stand for it.
        zero_is_none: whether the trainer takes None of one function as 0.
        whole_groups: what needs all completions of a prompt at once, in words.
        pairs: whether the batch is all first completions, and then all second ones.
    """

    values: Mapping[str, Value]
    arguments: Mapping[str, Any]
    combined: bool = False
    fills: bool = False
    zero_is_none: bool = True
    whole_groups: tuple[str, ...] = field(default=())
    pairs: bool = False


def plan(mix: Mix, algorithm: str, combined: bool) -> Plan:
    """Choose for a mix and an algorithm.

    Raises:
        ConfigError: the algorithm is unknown, or cannot do what the mix needs.
    """
    if algorithm not in ALGORITHMS:
        names = ", ".join(map(repr, ALGORITHMS))
        advice = "; for PPO see hub_trl.ppo" if algorithm == "ppo" else ""
        raise ConfigError(f"algorithm should be one of {names}, not {algorithm!r}{advice}")
    normalizes = mix.config.aggregate == "normalize_then_sum"
    if algorithm == "async_grpo" and mix.is_scheduled:
        raise ConfigError("the mix has weights that change over steps, but AsyncGRPOTrainer tells no step")
    combined = (
        combined or mix.is_scheduled or algorithm == "online_dpo" or (algorithm == "rloo" and normalizes)
    )
    in_trainer = normalizes and algorithm == "grpo" and not combined
    fills = algorithm == "online_dpo" or not has(LEAVES_OUT_MISSING)
    reasons = list(mix.groupwise)
    if normalizes and not in_trainer:
        reasons.append('aggregate = "normalize_then_sum" in the hub')
    if fills and algorithm != "online_dpo":
        reasons.append("a missing value in trl<1.6")
    return Plan(
        _values(mix, algorithm, combined),
        _arguments(mix, algorithm, combined),
        combined,
        fills,
        not in_trainer,
        tuple(reasons),
        algorithm == "online_dpo",
    )


def _values(mix: Mix, algorithm: str, combined: bool) -> dict[str, Value]:
    if combined:
        return {_total_name(mix): lambda result: result.value}
    take = _weighted if algorithm == "async_grpo" else _raw
    return {name: take(name) for name in mix.names}


def _arguments(mix: Mix, algorithm: str, combined: bool) -> dict[str, Any]:
    if algorithm == "async_grpo":
        return {}
    arguments: dict[str, Any] = {"reward_weights": [1.0] if combined else list(mix.weights().values())}
    if mix.config.aggregate == "normalize_then_sum" and algorithm == "grpo":
        if combined:
            # The total is normalised within groups already; GDPO's last step is over the batch.
            arguments["scale_rewards"] = "batch"
        else:
            arguments["multi_objective_aggregation"] = "normalize_then_sum"
    return arguments


def _raw(name: str) -> Value:
    return lambda result: result.scores[name].value


def _weighted(name: str) -> Value:
    return lambda result: result.weighted[name]


def _total_name(mix: Mix) -> str:
    name = "total"
    while name in mix.names:
        name = f"mix-{name}"
    return name
