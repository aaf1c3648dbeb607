"""Prompts of one group are known as one, whatever their images are."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hub.training.prompt import prompt_key


def picture(color: str, mode: str = "RGB", size: tuple[int, int] = (4, 4)) -> Image.Image:
    return Image.new("RGB", size, color).convert(mode)


def tensor(value: float) -> Any:
    torch = pytest.importorskip("torch")
    return torch.full((2, 2), value, dtype=torch.bfloat16, requires_grad=True)


def objects(value: str) -> Any:
    return np.array([value, None], dtype=object)


CASES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "color": (lambda: picture("red"), lambda: picture("blue")),
    "size": (lambda: picture("red", size=(2, 8)), lambda: picture("red", size=(8, 2))),
    "palette": (lambda: picture("red", "P"), lambda: picture("blue", "P")),
    "mode": (lambda: picture("black", "RGBA"), lambda: picture("black", "CMYK")),
    "bytes": (lambda: b"abc", lambda: b"abd"),
    "array": (lambda: np.zeros(4), lambda: np.zeros((2, 2))),
    "array of objects": (lambda: objects("a"), lambda: objects("b")),
    "tensor": (lambda: tensor(1.0), lambda: tensor(2.0)),
    "set": (lambda: {"a", "b"}, lambda: {"a", "c"}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_prompt_holds_counts_and_not_which_object_it_is(name: str) -> None:
    one, other = CASES[name]

    def key(image: Any) -> str:
        content = [{"type": "image", "image": image}, {"type": "text", "text": "What?"}]
        return prompt_key([{"role": "user", "content": content}])

    assert key(one()) == key(one())
    assert key(one()) != key(other())


def test_text_and_messages() -> None:
    assert prompt_key("2+2?") == "2+2?"
    assert prompt_key([{"content": "a", "role": "user"}]) == prompt_key([{"role": "user", "content": "a"}])
    assert prompt_key([{"content": "a"}]) != prompt_key([{"content": "b"}])
