import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import GeneratorError
from hub.target import load_file

load_file(str(Path(__file__).with_name("sums.py")), "sums")


class Scripted:
    """A generator whose completions are a function of the prompt and the seed.

    Args:
        answer: makes the completion's text; None: it refuses.
        stop_after: completions after which it raises; None: never.
        error: what it raises then.
    """

    def __init__(
        self,
        answer: Callable[[str, int], str | None],
        stop_after: int | None = None,
        error: BaseException | None = None,
        name: str = "scripted",
    ) -> None:
        self.answer, self.stop_after, self.name = answer, stop_after, name
        self.error = error or GeneratorError("the server is gone")
        self.asked: list[tuple[str, int]] = []
        self.lock = threading.Lock()

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index in sorted(range(len(prompts)), key=lambda i: (i % 2, i)):  # not in order
            if self.stop_after is not None and len(self.asked) >= self.stop_after:
                raise self.error
            self.asked.append((prompts[index], decoding.seed))
            text = self.answer(prompts[index], decoding.seed)
            if text is None:
                yield hub.Completion.refusal(index, f"{prompts[index]!r:.20} is too long")
            else:
                yield hub.Completion(index, text, tokens=1)

    def describe(self) -> Mapping[str, Any]:
        return {"generator": self.name, "weights": "abc", "device": "cpu"}

    def close(self) -> None:
        pass


def solve(prompt: str, seed: int) -> str:
    """Right for operands below 4."""
    number = int(prompt.split()[0])
    return str(2 * number if number < 4 else 0)


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture
def solver() -> Scripted:
    """A model that gets four of six right."""
    return Scripted(solve)


@pytest.fixture
def sums() -> Any:
    """The module with the benchmark and its rewards."""
    import sys

    return sys.modules["sums"]
