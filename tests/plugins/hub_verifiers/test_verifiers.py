"""The exported reward in verifiers' own scoring."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.errors import ConfigError
from hub.training.export import export

HERE = Path(__file__).parent
REWARDS = HERE.parent / "hub_miles" / "rewards.py"
MIX = """
[[reward]]
use = "rewards.py:same"

[[reward]]
use = "rewards.py:short"
weight = 0.5

[[reward]]
use = "think-format"
weight = 0.0

[[reward]]
use = "rewards.py:same"
name = "named"
map = { answer = "name" }
weight = 0.0
"""


def mix_file(folder: Path, text: str) -> Path:
    (folder / "rewards.py").write_text(REWARDS.read_text())
    (folder / "my mix.toml").write_text(text)
    return folder / "my mix.toml"


@pytest.fixture(scope="module")
def found(in_trainers: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("verifiers")
    got = export("verifiers", mix_file(folder, MIX), folder / "out")
    (folder / "out" / "lines.toml").write_text(got.instructions)
    return in_trainers(HERE / "in_verifiers.py", folder / "out")


def test_the_total_is_the_reward_and_the_others_are_metrics(found: Any) -> None:
    assert [trace["reward"] for trace in found[:2]] == [0.0, -1.0]
    assert found[0]["metrics"] == {
        "same": 1.0,
        "short": -2.0,
        "think-format": 0.0,
        "named": 0.0,
        "hub/missing": 0.0,
        "hub/failed/same": 0.0,
        "hub/failed/short": 0.0,
        "hub/failed/think-format": 0.0,
        "hub/failed/named": 0.0,
    }


def test_the_tasks_own_fields_are_columns_where_they_are_given(found: Any) -> None:
    assert [trace["metrics"]["named"] for trace in found[:2]] == [0.0, 1.0]


def test_a_trace_without_a_total_is_an_error(found: Any) -> None:
    """prime-rl leaves such a trace out of its group: `iter_trainable_traces`."""
    assert "no total: exception: same: RuntimeError: as asked" in found[2]["error"]
    assert found[2]["metrics"]["hub/missing"] == found[2]["metrics"]["hub/failed/same"] == 1.0
    assert [bool(trace["error"]) for trace in found] == [False, False, True, False]


def test_the_reasoning_that_a_parser_took_out_is_put_back(found: Any) -> None:
    assert found[3]["metrics"]["think-format"] == 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[reward]]\nuse = "rewards.py:rank"', "rank: needs all completions of a prompt"),
        ('[[reward]]\nuse = "rewards.py:same"\nweight = [[0, 0.0], [9, 1.0]]', "tells a reward no step"),
    ],
)
def test_what_it_cannot_do_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        export("verifiers", mix_file(tmp_path, text), tmp_path)
