"""docs/trainers.md's table of what a reward may read, against what `hub export` takes and refuses."""

import re
from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.plugins import load
from hub.training.export import export

PAGE = Path(__file__).parents[2] / "docs" / "trainers.md"
MIXES = {
    "`completion_ids`": '[[reward]]\nuse = "soft-overlong"\nwith = { max_tokens = 100, buffer = 20 }\n',
    "steps": '[[reward]]\nuse = "think-format"\nweight = [[0, 1.0], [9, 2.0]]\n',
    "whole groups": 'aggregate = "normalize_then_sum"\n[[reward]]\nuse = "think-format"\n',
}


def table() -> dict[str, dict[str, str]]:
    """The cells by trainer and column."""
    text = PAGE.read_text().partition("## What a reward may read\n\n")[2].partition("\n\n")[0]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines())
    return {
        trainer: dict(zip(head, row, strict=True))
        for row in rows
        for trainer in re.findall("`(.*?)`", row[0])
    }


def test_every_trainer_is_there() -> None:
    assert set(table()) == {offer.name for offer in load().trainers}


@pytest.mark.parametrize("column", MIXES)
@pytest.mark.parametrize("trainer", table())
def test_what_is_refused(tmp_path: Path, trainer: str, column: str) -> None:
    (tmp_path / "mix.toml").write_text(MIXES[column])
    cell = table()[trainer][column]
    assert cell in ("yes", "refused")
    if cell == "yes":
        export(trainer, tmp_path / "mix.toml", tmp_path)
    else:
        with pytest.raises(ConfigError, match=r"soft-overlong|a weight changes|normalize_then_sum"):
            export(trainer, tmp_path / "mix.toml", tmp_path)
