"""The reward `rhyme`: the hub's checks that any reward must pass, then its own cases."""

from typing import ClassVar

import pytest
from hub_rhyme.rhyme import Rhyme

import hub
import hub.testing


class TestRhyme(hub.testing.RewardSuite):
    reward = "rhyme"
    gold: ClassVar = [
        hub.Sample("A couplet on the moon.", "Above the lake there hung a moon,\nand it was gone too soon."),
        hub.Sample("Two lines.", "Title\n\nThe cat,\r\n  it SAT!\n\n***\n"),
    ]
    wrong: ClassVar = [
        hub.Sample("A couplet.", "The moon is bright.\nThe sea is calm."),
        hub.Sample("A couplet.", "I saw the light.\nI saw the light."),
        hub.Sample("A couplet.", "light night"),
    ]


class TestNear(TestRhyme):
    options: ClassVar = {"near": 0.25}


@pytest.mark.parametrize(
    ("first", "second", "score"),
    [
        ("light", "night", 1.0),
        ("alone", "stone", 1.0),
        ("day", "way", 1.0),
        ("be", "me", 1.0),
        ("don't", "won't", 1.0),
        ("Moon", "SOON", 1.0),
        ("cat", "dog", 0.0),
        ("light", "Light", 0.0),
        ("light", "plot", 0.5),
        ("stone", "line", 0.5),
        ("7", "8", 0.0),
    ],
)
def test_pairs(first: str, second: str, score: float) -> None:
    assert Rhyme(near=0.5)(hub.Sample("", f"so {first},\nso {second}.")) == score


def test_near_has_bounds() -> None:
    with pytest.raises(ValueError, match="should be from 0 to 1"):
        Rhyme(near=2)
