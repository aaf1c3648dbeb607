"""Sums with a right and a wrong answer, as pairs: what a small reward model can learn in a minute on a CPU.

    python make_pairs.py pairs

writes pairs/train.jsonl and pairs/test.jsonl, which share no sum. Of five wrong answers four are as long as
the right one, so that length tells little.
"""

import json
import random
import sys
from pathlib import Path

HIGHEST, TEST_SHARE, WRONG_PER_SUM = 30, 0.2, 8


def make(folder: Path, seed: int = 0) -> None:
    """Write both files."""
    draw = random.Random(seed)
    sums = [(a, b) for a in range(HIGHEST) for b in range(HIGHEST)]
    draw.shuffle(sums)
    cut = round(len(sums) * TEST_SHARE)
    folder.mkdir(parents=True, exist_ok=True)
    for name, chosen in (("test", sums[:cut]), ("train", sums[cut:])):
        lines: list[str] = []
        for a, b in chosen:
            for _ in range(1 if name == "test" else WRONG_PER_SUM):
                wrong = draw.choice([n for n in range(2 * HIGHEST) if n != a + b])
                subset = "near" if abs(wrong - a - b) < 3 else "far"
                pair = {"prompt": f"{a}+{b}=", "chosen": str(a + b), "rejected": str(wrong), "subset": subset}
                lines.append(json.dumps({"id": len(lines), **pair}) + "\n")
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
