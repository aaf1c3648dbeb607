"""Mixes that tests of OpenRLHF's adapter export."""

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


@hub.reward(needs=["completion_ids"])
def counted(sample):
    return float(len(sample["completion_ids"]))


@hub.reward(needs=[], group=True)
def longest(samples):
    """10 for each sample that it sees, 1 more for the longest."""
    most = max(len(sample.text) for sample in samples)
    return [10.0 * len(samples) + (len(sample.text) == most) for sample in samples]
'''
GRADED = '[[reward]]\nuse = "rewards.py:graded"\n'
EXACT = '[[reward]]\nuse = "rewards.py:exact"\nweight = 0.5\n'
MIXES = {
    "plain": GRADED + EXACT,
    "two": EXACT,
    "groups": GRADED + '[[reward]]\nuse = "rewards.py:longest"\n',
    "steps": '[[reward]]\nuse = "rewards.py:graded"\nweight = [[0, 1.0], [10, 2.0]]\n',
    "normalized": 'aggregate = "normalize_then_sum"\n' + GRADED + EXACT,
    "tokens": '[[reward]]\nuse = "rewards.py:counted"\n',
    "changed": GRADED,
}


@pytest.fixture
def exporting(tmp_path: Path) -> Callable[..., hub.Exported]:
    """Exports one of the mixes, by name, to a folder of that name."""
    (tmp_path / "rewards.py").write_text(REWARDS)
    for name, text in MIXES.items():
        (tmp_path / f"{name}.toml").write_text(text)

    def run(name: str, **options: Any) -> hub.Exported:
        return export("openrlhf", tmp_path / f"{name}.toml", tmp_path / name, **options)

    return run
