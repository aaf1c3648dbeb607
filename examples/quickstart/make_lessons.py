"""Lessons for the small model: sums as a careless pupil writes them, made from `arithmetic`'s train split.

Six carries in ten are forgotten, and half of the answers come without any scratch work. What the pupil
does know is how the work is written down; reinforcement learning then has two things to mend.
"""

import json
import random
import re
import sys
from pathlib import Path

import hub
from hub.plugins import open_target

FORGOTTEN, SKIPPED = 0.6, 0.5
PROMPT = "What is {problem}?"


def lesson(a: int, b: int, chance: random.Random) -> str:
    """Return what the pupil writes: column addition from the right, then the answer in a box."""
    units = a % 10 + b % 10
    carry = units > 9 and chance.random() >= FORGOTTEN
    tens = a // 10 + b // 10 + carry
    work = f"{a % 10}+{b % 10}={units}, {a // 10}+{b // 10}{'+1' if carry else ''}={tens}"
    scratch = "" if chance.random() < SKIPPED else f"<think>{work}</think>"
    return f"{scratch}\\boxed{{{10 * tens + units % 10}}}"


def build(path: Path, seed: int, count: int = 6000) -> None:
    """Write the lessons as JSON lines with `prompt` and `completion`."""
    chance = random.Random(seed)
    benchmark = hub.load().benchmarks["arithmetic"]
    rows = open_target(benchmark.rows, benchmark.origin)
    with path.open("w", encoding="utf-8") as file:
        for row in rows("train", operations="+", rows=count, seed=seed, examples=0, prompt=PROMPT):
            a, b = map(int, re.findall(r"\d+", row["prompt"]))
            print(json.dumps({"prompt": row["prompt"], "completion": lesson(a, b, chance)}), file=file)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]))
