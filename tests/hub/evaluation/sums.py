"""A benchmark and rewards for tests; found by path, as a user's own file is."""

from collections.abc import Iterator
from typing import Any

import hub


def rows(split: str, count: int = 6, bad: str = "") -> Iterator[dict[str, Any]]:
    for number in range(count):
        row: dict[str, Any] = {
            "id": f"{split}-{number}",
            "prompt": f"{number} + {number}",
            "answer": str(2 * number),
        }
        row["parity"] = "odd" if number % 2 else "even"
        if number == 3 and bad == "no answer":
            del row["answer"]
        if number == 3 and bad == "an id twice":
            row["id"] = "test-0"
        if number == 3 and bad == "an odd id":
            row["id"] = [7]
        if number == 3 and bad == "a column of ours":
            row["result"] = 1
        if number == 3 and bad == "no prompt":
            del row["prompt"]
        if number == 3 and bad == "an exception":
            raise RuntimeError("the disk is gone")
        yield [row] if number == 3 and bad == "no dict" else row  # type: ignore[misc]


@hub.reward(needs=["answer"])
def exact(sample: hub.Sample) -> float:
    return float(sample.text == sample["answer"])


@hub.reward(needs=["answer"])
def moody(sample: hub.Sample) -> float | None:
    """Scores, abstains or breaks, as the completion asks for."""
    if "break" in sample.text:
        raise RuntimeError("broken")
    if "abstain" in sample.text:
        return None
    return float(sample.text == sample["answer"])


@hub.reward
def odd_info(sample: hub.Sample) -> hub.Score:
    return hub.Score(0.5, info={"ratio": float("nan"), "text": "half \ud83d", (1, 2): {3}})  # type: ignore[dict-item]


@hub.reward(group=True)
def rank(samples: list[hub.Sample]) -> list[float]:
    """How many of the group are shorter: depends on all of it."""
    return [float(sum(len(other.text) < len(sample.text) for other in samples)) for sample in samples]


def benchmark(reward: str = "exact", rows: str = "sums:rows") -> hub.Benchmark:
    """The benchmark, graded by a reward of this file."""
    mix = {"reward": [{"use": f"{__file__}:{reward}"}]}
    return hub.Benchmark("sums", rows, mix, "Sums.", splits=("test", "train"), category="parity")


sums = benchmark()
