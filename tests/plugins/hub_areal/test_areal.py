"""The hub's workflow in AReaL's own code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.errors import ConfigError
from hub.training.export import export

HERE = Path(__file__).parent
REWARDS = HERE.parent / "hub_miles" / "rewards.py"
MIX = '[[reward]]\nuse = "rewards.py:same"\n\n[[reward]]\nuse = "rewards.py:short"\nweight = 0.0\n'
COMPARING = '[[reward]]\nuse = "rewards.py:rank"\n'


def mix_file(folder: Path, text: str, name: str = "mix.toml") -> Path:
    (folder / "rewards.py").write_text(REWARDS.read_text())
    (folder / name).write_text(text)
    return folder / name


@pytest.fixture(scope="module")
def found(in_trainers: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("areal")
    files = mix_file(folder, MIX), mix_file(folder, COMPARING, "comparing.toml")
    return in_trainers(HERE / "in_areal.py", *files)


def test_a_missing_value_changes_nobody_elses(found: Any) -> None:
    assert found["rewards"] == pytest.approx([1.0, 2 / 3, 0.0, 1.0])
    first, failed, second, third = found["normalized"][:4]
    assert failed == pytest.approx(0.0, abs=1e-6)
    assert [first, second, third] == pytest.approx(found["of the others alone"])
    assert found["normalized"][4:] == pytest.approx([-0.25, -0.25, 0.75, -0.25])


def test_whole_groups_are_compared(found: Any) -> None:
    assert found["compared"] == [0.0, 2.0, 1.0]


def test_the_trainers_statistics_have_every_reward(found: Any) -> None:
    names = {"same", "short", "hub/missing", "hub/failed/same", "hub/failed/short", "reward"}
    assert [logged.keys() for logged in found["logged"]] == [names] * 4
    assert [logged["hub/missing"] for logged in found["logged"]] == [0.0, 1.0, 0.0, 0.0]


def test_what_is_printed(tmp_path: Path) -> None:
    got = export("areal", mix_file(tmp_path, COMPARING), tmp_path)
    compile(got.instructions, "instructions", "exec")
    assert f"path={str(tmp_path / 'mix.toml')!r}" in got.instructions
    with pytest.raises(ConfigError, match="tells a workflow no step"):
        export("areal", mix_file(tmp_path, COMPARING + "weight = [[0, 0.0], [9, 1.0]]"), tmp_path)
