"""The reward `code-format`."""

import pytest

import hub
from hub.testing import RewardSuite
from hub_code.form import CodeFormat
from hub_code.parse import LONGEST


class TestCodeFormat(RewardSuite):
    reward = "code-format"
    gold = [
        hub.Sample("", "So:\n```python\nprint(1)\n```\nThat is all."),
        hub.Sample("", "<think>```python\n```</think>\n```py\nx = 1\n```"),
    ]
    wrong = [
        hub.Sample("", "print(1)"),
        hub.Sample("", "```python\nprint 1\n```"),
        hub.Sample("", "```python\nprint(1)"),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no_block"),
        ("```python\nx\n```\n```python\ny\n```", "several_blocks"),
        ("```python\nx", "not_closed"),
        ("```\nx\n```", "other_language"),
        ("```java\nx\n```", "other_language"),
        ("```python\n \n```", "empty"),
        ("```python\nreturn 1\n```", "not_parsed"),
        ("```python\n" + "(" * 10_000 + "\n```", "not_parsed"),
        ("```python\nx = 1\n" + "#" * LONGEST + "\n```", "too_long"),
        ("<think>\n```python\nx\n```", "no_block"),
        ("```python\nx\n```", ""),
    ],
)
def test_reasons(text: str, reason: str) -> None:
    score = CodeFormat()(hub.Sample("", text))
    assert (score.value, score.reason) == (float(not reason), reason)


def test_options() -> None:
    assert CodeFormat(untagged=True)(hub.Sample("", "```\nx\n```")).value == 1.0
    assert CodeFormat(language="cpp")(hub.Sample("", "```c++\nint main() {}\n```")).value == 1.0
    assert CodeFormat(language="cpp")(hub.Sample("", "```python\nx\n```")).reason == "other_language"
