"""Groups of the hub in Tinker's own rollout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.training.export import export

HERE = Path(__file__).parent
REWARDS = HERE.parent / "hub_miles" / "rewards.py"
MIX = '[[reward]]\nuse = "rewards.py:same"\n\n[[reward]]\nuse = "rewards.py:short"\nweight = 0.0\n'
COMPARING = '[[reward]]\nuse = "rewards.py:rank"\nweight = [[0, 1.0], [10, 2.0]]\n'


@pytest.fixture(scope="module")
def found(in_trainers: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("tinker")
    (folder / "rewards.py").write_text(REWARDS.read_text())
    (folder / "mix.toml").write_text(MIX)
    (folder / "comparing.toml").write_text(COMPARING)
    return in_trainers(HERE / "in_tinker.py", folder / "mix.toml", folder / "comparing.toml")


def test_a_missing_value_has_no_advantage_and_changes_nobody_elses(found: Any) -> None:
    assert found["rewards"] == [1.0, pytest.approx(2 / 3), 0.0, 1.0]
    third = pytest.approx(1 / 3, abs=1e-6)
    assert found["advantages"] == [
        [third, pytest.approx(0.0, abs=1e-6), pytest.approx(-2 / 3), third],
        [0.0] * 4,
    ]
    assert [metrics["hub/missing"] for metrics in found["metrics"]] == [0.0, 1.0, 0.0, 0.0]
    assert [metrics["short"] for metrics in found["metrics"]] == pytest.approx([-0.1] * 4)
    assert all(metrics.keys() == found["metrics"][0].keys() for metrics in found["metrics"])


def test_whole_groups_at_any_step(found: Any) -> None:
    """The reasoning of the third is part of its text, so that it is the longest."""
    assert found["compared"] == [[0.0, 1.0, 3.0, 1.0], [0.0, 2.0, 6.0, 2.0]]


def test_what_is_printed(tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_text("[[reward]]\nuse = 'think-format'")
    got = export("tinker", tmp_path / "mix.toml", tmp_path, group_size=16)
    assert got.files == {}
    assert f"path={str(tmp_path / 'mix.toml')!r}" in got.instructions
    assert "group_size=16" in got.instructions
    compile(got.instructions, "instructions", "exec")
