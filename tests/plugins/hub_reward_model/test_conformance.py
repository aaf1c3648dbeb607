"""Both rewards hold to what every reward must. Their models are random, so what scores highest is found first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hub
import hub.testing
from hub.find import find_reward

TEXTS = ["Four.", "It is 4, as 2 and 2 are 4.", "Five!\n\nOr six.", "no idea\n\nat all", "2 + 2 = 4"]


def choose(cls: type[hub.testing.RewardSuite], name: str, folder: Path) -> None:
    """Set up a suite: the model, and which of the texts earns most."""
    cls.options = {"model": str(folder)}
    samples = [hub.Sample("2 + 2?", text) for text in TEXTS]
    with hub.Engine(1) as engine:
        scores = engine.score(find_reward(name).bind(cls.options), samples)
    values = [score.value or 0.0 for score in scores]
    best = values.index(max(values))
    cls.full, cls.gold = values[best], [samples[best]]
    cls.wrong = [sample for sample in samples if sample is not samples[best]]


class TestRewardModel(hub.testing.RewardSuite):
    reward = "reward-model"
    tolerance = 1e-4

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def model(cls, saved: Callable[..., Path]) -> None:
        choose(cls, cls.reward, saved())


class TestProcessRewardModel(hub.testing.RewardSuite):
    reward = "process-reward-model"
    tolerance = 1e-4

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def model(cls, saved: Callable[..., Path]) -> None:
        keys: dict[str, Any] = {"more": ("<extra_0>",), "num_labels": 2}
        choose(cls, cls.reward, saved("Qwen2ForTokenClassification", **keys))
