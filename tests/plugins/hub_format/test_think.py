"""The reward `think-format`."""

import pytest

import hub
from hub.testing import RewardSuite
from hub_format.think import ThinkFormat


class TestThinkFormat(RewardSuite):
    reward = "think-format"
    gold = [
        hub.Sample("", "<think>2 and 2</think>4"),
        hub.Sample("", " \n<think>\nlong\n\n</think>\n\nanswer\n"),
        hub.Sample("", "<think>a < b, so b > a; <b>no tag</b></think> 3"),
    ]
    wrong = [
        hub.Sample("", "4"),
        hub.Sample("", "The tags are <think> and </think>."),
        hub.Sample("", "<think>2 and 2 4"),
        hub.Sample("", "<think>a</think>"),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not_at_start"),
        ("so <think>a</think>b", "not_at_start"),
        ("</think>a<think>b", "not_at_start"),
        ("<Think>a</Think>b", "not_at_start"),
        ("< think>a</think>b", "not_at_start"),
        ("<think>a", "not_closed"),
        ("<think>a</ think>b", "not_closed"),
        ("<think>a</think>b</think>c", "several_blocks"),
        ("<think>a</think>b<think>c</think>d", "several_blocks"),
        ("<think>a<think>b</think>c", "several_blocks"),
        ("<think><think>a</think></think>b", "several_blocks"),
        ("<think></think>b", "empty_block"),
        ("<think> \n\u00a0</think>b", "empty_block"),
        ("<think>a</think> \n", "no_answer"),
    ],
)
def test_reason(text: str, reason: str) -> None:
    score = ThinkFormat()(hub.Sample("", text))
    assert (score.value, score.reason) == (0.0, reason)


@pytest.mark.parametrize(
    ("options", "text", "value"),
    [
        ({"open": "[R]", "close": "[/R]"}, "[R]a[/R]b", 1.0),
        ({"open": "[R]", "close": "[/R]"}, "<think>a</think>b", 0.0),
        ({"open": ".*", "close": "$"}, ".*a$b", 1.0),
        ({"answer": False}, "<think>a</think>", 1.0),
        ({"answer": False}, "<think>a</think>b", 1.0),
        ({"opened": True}, "a</think>b", 1.0),
        ({"opened": True}, "<think>a</think>b", 0.0),
        ({"opened": True}, "</think>b", 0.0),
        ({"opened": True}, "a", 0.0),
    ],
)
def test_options(options: dict[str, object], text: str, value: float) -> None:
    assert ThinkFormat(**options)(hub.Sample("", text)).value == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "tags",
    [("", "</t>"), ("<t>", " "), ("<t>", "<t>"), ("<t>", "<t>x"), ("x<t>", "<t>")],
)
def test_tags_that_cannot_be_told_apart(tags: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"tags|apart"):
        ThinkFormat(*tags)


def test_a_bad_option_is_found_before_scoring(engine: hub.Engine) -> None:
    mix = hub.Mix({"think-format": {"with": {"open": "<a>", "close": "<a>"}}})
    with pytest.raises(hub.errors.ConfigError, match="cannot be told apart"):
        mix.warm(engine)
