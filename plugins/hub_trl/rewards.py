"""Installed rewards as functions with fixed names, for what takes a dotted path, as TRL's command line does.

    trl grpo --reward_funcs hub_trl.rewards.math hub_trl.rewards.think_format --reward_weights 1.0 0.2 ...

Dashes of a reward's name are underscores here. The functions of one trainer are one mix with that trainer's
weights: the batch is scored once, and a sample on which one of them fails has no value in any of them. Where
a trainer does not show itself (AsyncGRPOTrainer, OnlineDPOTrainer) each is a mix of its own, and there TRL
takes a failure for 0 beside the others' values; for those, and for options, gates, routes and schedules, make
a mix: `hub_trl.total`, or `hub export trl`.
"""

import threading
from functools import cache
from typing import Any

from hub import Mix, find_reward
from hub.errors import UnknownName
from hub_trl.plan import plan
from hub_trl.scorer import RewardFunction, Scorer

_lock = threading.Lock()
_functions: dict[str, RewardFunction] = {}


def __getattr__(name: str) -> RewardFunction:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _lock:
        if name not in _functions:
            _functions[name] = _make(name)
        return _functions[name]


def _make(name: str) -> RewardFunction:
    try:
        reward = find_reward(name.replace("_", "-")).name
    except UnknownName as error:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: {error}") from error

    def score(prompts: list[Any], completions: list[Any], **arguments: Any) -> list[float | None]:
        trainer = getattr(arguments.get("log_metric"), "__self__", None)
        scorer = _scorer(*_company(reward, trainer))
        function = next(function for function in scorer.functions if function.__name__ == reward)
        return list(function(prompts=prompts, completions=completions, **arguments))

    score.__name__, score.__qualname__ = reward, name
    score.__doc__ = f"Return the values of the installed reward {reward!r}, None where there is none."
    return score


def _company(reward: str, trainer: Any) -> tuple[tuple[tuple[str, float], ...], bool]:
    """The rewards of this module that a trainer has, with their weights, and whether it normalises each."""
    given = getattr(trainer, "reward_funcs", None)
    if given is None:
        return ((reward, 1.0),), False
    weights = [float(weight) for weight in trainer.reward_weights]
    ours = {id(function): function.__name__ for function in _functions.values()}
    found = {
        ours[id(function)]: weight
        for function, weight in zip(given, weights, strict=True)
        if id(function) in ours
    }
    normalizes = getattr(trainer, "multi_objective_aggregation", "") == "normalize_then_sum"
    return tuple(found.items()), normalizes


@cache
def _scorer(rewards: tuple[tuple[str, float], ...], normalizes: bool) -> Scorer:
    mix = Mix(dict(rewards), aggregate="normalize_then_sum" if normalizes else "sum")
    return Scorer(mix, plan(mix, "grpo", combined=False), asynchronous=False, engine=None)
