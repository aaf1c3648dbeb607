"""The function for verl's evaluation of a file, which can only return a number."""

from collections.abc import Callable
from pathlib import Path

import pytest

import hub
from hub.errors import ConfigError, RewardFailed
from hub.training.from_file import digest
from hub_verl.function import evaluate
from hub_verl.settings import Settings


@pytest.fixture
def settings(exporting: Callable[..., hub.Exported], tmp_path: Path) -> Callable[[str], Settings]:
    def read(name: str) -> Settings:
        path = tmp_path / f"{name}.toml"
        return Settings(path=str(path), sha256=digest(path))

    return read


def test_evaluate_gives_the_total(settings: Callable[[str], Settings]) -> None:
    assert evaluate(settings("plain"), "s", "3", "3") == 3.5
    assert evaluate(settings("plain"), "s", "3", "4", {"index": 1}) == 3.0


@pytest.mark.parametrize(
    ("name", "text", "truth", "error", "message"),
    [
        ("plain", "x", "3", RewardFailed, "no total for a sample of 's': exception: graded: ValueError"),
        ("plain", "3", None, RewardFailed, "missing_column"),
        ("groups", "3", "3", ConfigError, "longest: needs whole groups, which main_eval does not give"),
    ],
)
def test_no_total_is_no_number(
    settings: Callable[[str], Settings],
    name: str,
    text: str,
    truth: str | None,
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        evaluate(settings(name), "s", text, truth)


def test_a_mix_that_changed_is_refused(settings: Callable[[str], Settings], tmp_path: Path) -> None:
    exported = settings("changed")
    (tmp_path / "changed.toml").write_text('[[reward]]\nuse = "rewards.py:exact"\n')
    with pytest.raises(ConfigError, match="has changed since it was exported"):
        evaluate(exported, "s", "3", "3")
