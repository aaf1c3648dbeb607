"""Installed rewards by dotted path: `hub_trl.rewards.math`."""

import importlib
import inspect
import pickle
from typing import Any

import pytest

import hub
import hub_trl.rewards

COMPLETIONS = [r"<think>a</think>\boxed{4}", r"\boxed{4}", r"\boxed{4}"]
COLUMNS = {"answer": ["4", "5", r"\frac{"]}
"""The last reference cannot be used, so that `math` fails on it."""


class Trainer:
    """What a trainer shows of itself, by the bound method that it passes."""

    def __init__(self, functions: list[Any], weights: list[float], aggregation: str) -> None:
        self.reward_funcs, self.reward_weights = functions, weights
        self.multi_objective_aggregation = aggregation
        self.logged: dict[str, float] = {}

    def log_metric(self, name: str, value: float) -> None:
        self.logged[name] = value


def named(name: str) -> Any:
    """The way that TRL's command takes (trl 1.16.0, scripts/grpo.py)."""
    module, name = f"hub_trl.rewards.{name}".rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def test_plain_functions_that_keep_the_rewards_names() -> None:
    math, think_format = named("math"), named("think_format")
    assert [math.__name__, think_format.__name__] == ["math", "think-format"]
    assert inspect.isfunction(math)
    assert named("math") is math
    assert pickle.loads(pickle.dumps([math, think_format])) == [math, think_format]


@pytest.mark.parametrize("name", ["mathh", "__path__", "_private"])
def test_what_is_not_there(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        named(name)
    assert not hasattr(hub_trl.rewards, name)


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(AttributeError, match="think-format"):
        named("think_formatt")


@pytest.mark.parametrize("aggregation", ["sum_then_normalize", "normalize_then_sum"])
def test_those_of_one_trainer_are_one_mix(aggregation: str) -> None:
    functions = [named("math"), lambda **_: [1.0] * 3, named("think_format")]
    trainer = Trainer(functions, [1.0, 7.0, 0.2], aggregation)
    arguments = {
        "prompts": ["q"] * 3,
        "completions": COMPLETIONS,
        "log_metric": trainer.log_metric,
        **COLUMNS,
    }
    values = [function(**arguments) for function in functions]
    assert values == [[1.0, 0.0, None], [1.0, 1.0, 1.0], [1.0, 0.0, None]]
    assert trainer.logged["hub/failed/math"] == pytest.approx(1 / 3)
    expected = hub.Mix({"math": 1.0, "think-format": 0.2}).score(
        [hub.Sample("q", c, {"answer": a}) for c, a in zip(COMPLETIONS, COLUMNS["answer"], strict=True)]
    )
    assert [result.scores["math"].value for result in expected] == [1.0, 0.0, None]


def test_alone_where_the_trainer_does_not_show_itself() -> None:
    arguments: dict[str, Any] = {"prompts": ["q"] * 3, "completions": COMPLETIONS, **COLUMNS}
    assert named("math")(**arguments) == [1.0, 0.0, None]
    assert named("think_format")(**arguments) == [1.0, 0.0, 0.0]
