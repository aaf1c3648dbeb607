"""Mixes that tests of verl's adapter export."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.training.export import export

REWARDS = '''
import hub


@hub.reward(needs=[])
def graded(sample):
    """The number that the completion is; raises where it is none."""
    return float(sample.text)


@hub.reward(needs=["answer"])
def exact(sample):
    return float(sample.text == sample["answer"])


@hub.reward(needs=[], group=True)
def longest(samples):
    """10 for each sample that it sees, 1 more for the longest."""
    most = max(len(sample.text) for sample in samples)
    return [10.0 * len(samples) + (len(sample.text) == most) for sample in samples]


@hub.reward()
def seen(sample):
    """1.0 where the row's columns, and nothing else, are here."""
    columns = {"answer": ["p", "q"], "tests": ["t"], "n": 3, "data_source": "s", "num_turns": 2}
    here = dict(sample.columns)
    tokens = here.pop("completion_ids")  # of "1", and the one at which the model stopped
    is_whole = here == columns and sample.prompt_text == "Q?"
    return float(is_whole and [type(token) for token in tokens] == [int, int])
'''
GRADED = '[[reward]]\nuse = "rewards.py:graded"\n'
EXACT = '[[reward]]\nuse = "rewards.py:exact"\nweight = 0.5\n'
NORMALIZED = 'aggregate = "normalize_then_sum"\n'
MIXES = {
    "plain": GRADED + EXACT,
    "groups": GRADED + '[[reward]]\nuse = "rewards.py:longest"\n',
    "steps": '[[reward]]\nuse = "rewards.py:graded"\nweight = [[0, 1.0], [10, 2.0]]\n',
    "normalized": NORMALIZED + GRADED + EXACT,
    "gdpo": NORMALIZED + GRADED + EXACT,
    "columns": '[[reward]]\nuse = "rewards.py:seen"\n',
    "changed": GRADED,
    "named": NORMALIZED + GRADED + 'name = "it\'s, $HOME"\n' + EXACT + 'name = "two words"\n',
}


@pytest.fixture
def exporting(tmp_path: Path) -> Callable[..., hub.Exported]:
    """Exports one of the mixes, by name, to a folder of that name."""
    (tmp_path / "rewards.py").write_text(REWARDS)
    for name, text in MIXES.items():
        (tmp_path / f"{name}.toml").write_text(text)

    def run(name: str, trainer: str = "verl", **options: Any) -> hub.Exported:
        return export(trainer, tmp_path / f"{name}.toml", tmp_path / name, **options)

    return run


@pytest.fixture
def command_of() -> Callable[[hub.Exported], list[str]]:
    """What a shell makes of the command that is printed."""

    def read(exported: hub.Exported) -> list[str]:
        command = exported.instructions.split("\n\n")[0].replace("\\\n", " ")
        return shlex.split(command, comments=True)

    return read
