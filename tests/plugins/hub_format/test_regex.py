"""The reward `regex`."""

import pytest

import hub
from hub.errors import OptionError
from hub.testing import RewardSuite
from hub_format.regex import Regex


class TestRegex(RewardSuite):
    reward = "regex"
    options = {"pattern": r"(?i)^answer: -?\d+$", "full": True}
    gold = [hub.Sample("", "answer: 42"), hub.Sample("", "ANSWER: -1")]
    wrong = [
        hub.Sample("", "answer: x"),
        hub.Sample("", "so\nanswer: 42"),
        hub.Sample("", "answer: 42\nor 43"),
    ]


@pytest.mark.parametrize(
    ("pattern", "full", "text", "value"),
    [
        (r"\d", False, "a1b", True),
        (r"\d", True, "a1b", False),
        (r"a.b", True, "a\nb", False),
        (r"(?s)a.b", True, "a\nb", True),
        (r"^b$", False, "a\nb", False),
        (r"(?m)^b$", False, "a\nb", True),
        ("", True, "", True),
        ("", True, "a", False),
        ("", False, "a", True),
        ("\ud800", False, "a\ud800", True),
    ],
)
def test_matches(pattern: str, full: bool, text: str, value: bool) -> None:
    assert Regex(pattern, full)(hub.Sample("", text)) is value


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "(?P<a>x)(?P<a>y)", "*"])
def test_no_pattern(pattern: str) -> None:
    with pytest.raises(OptionError, match="not a regular expression"):
        Regex(pattern)


def test_backtracking_is_killed_alone(engine: hub.Engine) -> None:
    mix = hub.Mix({"regex": {"with": {"pattern": "(a+)+$", "full": True}, "timeout_s": 2.0}})
    texts = ["aaa", "a" * 60 + "b", "b"]
    scores = [result.total for result in mix.score([hub.Sample("", text) for text in texts], engine=engine)]
    assert [score.value for score in scores] == [1.0, None, 0.0]
    assert scores[1].reason == "timeout"
