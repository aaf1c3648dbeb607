"""The exported environments in SkyRL's own gym."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.errors import ConfigError
from hub.training.export import export

HERE = Path(__file__).parent
REWARDS = HERE.parent / "hub_miles" / "rewards.py"
MIX = '[[reward]]\nuse = "rewards.py:same"\n\n[[reward]]\nuse = "rewards.py:short"\nweight = 0.0\n'


def mix_file(folder: Path, text: str) -> Path:
    (folder / "rewards.py").write_text(REWARDS.read_text())
    (folder / "mix.toml").write_text(text)
    return folder / "mix.toml"


@pytest.fixture(scope="module")
def found(in_trainers: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("skyrl")
    export("skyrl", mix_file(folder, MIX), folder, group_size=4)
    return in_trainers(HERE / "in_skyrl.py", folder)


def test_a_failed_sample_waits_for_its_group_and_gets_its_mean(found: Any) -> None:
    rewards, metrics = zip(*found["group"], strict=True)
    assert rewards == (1.0, pytest.approx(2 / 3), 0.0, 1.0)
    assert [each["hub/missing"] for each in metrics] == [0.0, 1.0, 0.0, 0.0]
    assert all(each.keys() == metrics[0].keys() for each in metrics)
    assert [each["short"] for each in metrics] == [-2.0] * 4


def test_the_gym_averages_the_metrics(found: Any) -> None:
    averaged = found["averaged"]
    assert averaged["hub/missing"] == averaged["hub/failed/same"] == 0.25
    assert averaged["same"] == pytest.approx(2 / 3)


def test_in_an_evaluation_nothing_waits(found: Any) -> None:
    assert [reward for reward, _ in found["evaluated"]] == [0.0, 1.0, 1.0]
    assert [metrics["hub/missing"] for _, metrics in found["evaluated"]] == [1.0, 0.0, 1.0]
    assert found["own columns"]["short"] == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[reward]]\nuse = "rewards.py:rank"', "rank: needs all completions of a prompt"),
        ('[[reward]]\nuse = "rewards.py:same"\nweight = [[0, 0.0], [9, 1.0]]', "is not told the step"),
    ],
)
def test_what_it_cannot_do_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        export("skyrl", mix_file(tmp_path, text), tmp_path)
