"""What TRL passes, as samples: ragged and odd columns, and prompts with images."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

import hub
from hub.errors import BadInput
from hub_trl.batch import samples_of
from hub_trl.functions import reward_funcs

NONE = ["absent", "absent"]


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (["1", "2"], ["1", "2"]),
        (("1", "2"), ["1", "2"]),
        (np.array(["1", "2"]), ["1", "2"]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([{"a": 1}, None], dtype=object), [{"a": 1}, None]),
        (range(2), [0, 1]),
        ("12", NONE),
        (3.5, NONE),
        (np.array(3), NONE),
        ({"a": 1, "b": 2}, NONE),
        (None, NONE),
    ],
)
def test_lists_and_arrays_are_columns(given: Any, values: list[Any]) -> None:
    found = samples_of(["p", "q"], ["a", "b"], {"column": given, "log_extra": print, "trainer_state": [1]})
    columns = [sample.columns.get("column", "absent") for sample in found]
    assert columns == values
    assert [type(value) for value in columns] == [type(value) for value in values], "Python's own numbers"
    assert "trainer_state" not in found[0].columns


@pytest.mark.parametrize("given", [["1", "2", "3"], [], np.zeros(3), np.zeros((1, 4))])
def test_a_column_of_another_length_is_an_error(given: Any) -> None:
    (math,) = reward_funcs(hub.Mix({"math": 1.0}))
    with pytest.raises(BadInput, match=rf"the column 'answer' has {len(given)} values for 4 completions"):
        math(prompts=["p"] * 4, completions=["c"] * 4, answer=given)


def test_prompts_of_another_length_are_an_error() -> None:
    with pytest.raises(BadInput, match="3 prompts for 4 completions"):
        samples_of(["p"] * 3, ["c"] * 4, {})


def test_equal_prompts_with_images_are_one_group() -> None:
    """TRL puts images into the messages, which `datasets` decodes anew for each row."""

    def prompt(color: str) -> list[dict[str, Any]]:
        image = Image.new("RGB", (8, 8), color)
        content = [{"type": "image", "image": image}, {"type": "text", "text": "?"}]
        return [{"role": "user", "content": content}]

    found = samples_of([prompt("red"), prompt("red"), prompt("blue")], ["a", "b", "c"], {})
    assert found[0].group == found[1].group != found[2].group
