"""The sets of answers that `math_accuracy.py` and `math_speed.py` measure verifiers on.

Looked for in the folder `math` beside the folder that HUB_DATA names (or in `--data`):

- `equivalence_dev.jsonl`: pairs of the public test suites of graders and computer-algebra systems;
- `math_verify_cases.json`: math-verify's own test cases;
- `hostile_dev.jsonl`: completions that are written to hang, crash or fool a grader;
- `traffic_dev.jsonl`: completions of models on MATH and GSM8K problems, with a published verdict.
"""

import argparse
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hub

_MARKED = re.compile(r"(?<!\\)\$|\\\(|\\\[|\\boxed")
_SENTENCE = re.compile(r"(?:\b[A-Za-z\u00c0-\u00ff]{2,}\b[^\\{}]*){3}|[\u0900-\u097f\u4e00-\u9fff]{3}")


@dataclass(frozen=True)
class Pair:
    """A reference, a completion, and the verdict that a fair grader gives."""

    gold: str
    completion: str
    expected: bool
    about: str
    """Where the pair comes from."""
    kind: str = ""
    """What kind of problem, in traffic."""

    @property
    def sample(self) -> hub.Sample:
        """The pair, for a reward."""
        return hub.Sample("", self.completion, {"answer": self.gold})


def data_argument(parser: argparse.ArgumentParser) -> None:
    beside = Path(os.environ.get("HUB_DATA", "benchmarks")).resolve().parent / "math"
    parser.add_argument("--data", type=Path, default=beside, help="the folder with the sets (%(default)s)")


def load(folder: Path) -> dict[str, list[Pair]]:
    """Return the rows of each set whose verdict does not depend on a convention."""
    if not (folder / "equivalence_dev.jsonl").is_file():
        raise SystemExit(f"{folder} has no equivalence_dev.jsonl: set HUB_DATA, or give --data FOLDER")
    cases = json.loads((folder / "math_verify_cases.json").read_text(encoding="utf-8"))
    return {
        "equivalence": [
            Pair(row["gold"], presented(row["pred"]), row["equivalent"], row["source"])
            for row in _lines(folder / "equivalence_dev.jsonl")
            if not row["contested"]
        ],
        "math-verify's cases": [
            Pair(row["gold"], presented(row["pred"]), row["expected"], row["test"])
            for row in cases
            if row["generic"] and not row["suspect"]
        ],
        "hostile": [
            Pair(_text(row, "gold"), _text(row, "pred"), row["expected"], f"{row['id']}: {row['why']}")
            for row in _lines(folder / "hostile_dev.jsonl")
            if row["expected"] != "either"
        ],
        "traffic": [
            Pair(row["gold"], row["pred"], row["ref"], row["source"], row["set"])
            for row in _lines(folder / "traffic_dev.jsonl")
        ],
    }


def presented(answer: str) -> str:
    """Return a bare answer as a completion; a text with marked formulas, or of sentences, as it stands."""
    if _MARKED.search(answer) or _SENTENCE.search(answer):
        return answer
    return f"The final answer is $\\boxed{{{answer}}}$."


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _text(row: dict[str, Any], key: str) -> str:
    """Return a text, which a row of the set may give as the expression that makes it."""
    made = row.get({"gold": "gold_gen", "pred": "gen"}[key])
    return str(eval(made)) if made else row[key]


def bare(gold: str) -> str:
    """Return what a data set's users take from a reference: of a GSM8K solution, what follows `####`."""
    return gold.rpartition("####")[2].strip() if "####" in gold else gold


def in_dollars(gold: str) -> str:
    """Return a reference as math-verify can read it: a bare one is put in `$`."""
    gold = bare(gold)
    return gold if _MARKED.search(gold) else f"${gold}$"
