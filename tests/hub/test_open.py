"""A reward that asks another one by name."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import OptionError, UnknownName

HERE = """
import hub

@hub.reward(needs=["answer"])
async def later(sample):
    return hub.Score(float(sample.text == sample["answer"]))
"""


def test_a_reward_is_opened_with_its_options() -> None:
    short = hub.open_reward("length", max=3)
    assert [short(hub.Sample("", text)).value for text in ("abc", "abcd")] == [1.0, 0.0]


def test_a_function_of_a_file_is_opened_and_awaited(tmp_path: Path) -> None:
    (tmp_path / "later.py").write_text(HERE)
    later = hub.open_reward(f"{tmp_path / 'later.py'}:later")

    async def ask() -> Any:
        return await later(hub.Sample("", "4", {"answer": "4"}))

    assert asyncio.run(ask()).value == 1.0


@pytest.mark.parametrize(
    ("use", "options", "error", "message"),
    [
        ("lenght", {}, UnknownName, "did you mean 'length'"),
        ("length", {"maxx": 3}, OptionError, "has no option 'maxx'"),
        ("literal-answer", {"x": 1}, OptionError, "'x'"),
    ],
)
def test_what_cannot_be_opened(
    use: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        hub.open_reward(use, **options)
