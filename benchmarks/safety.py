"""How often people agree with a detector of refusals, on completions that they labelled.

Run it by hand: `python benchmarks/safety.py [FILE ...]`. Each file is CSV with prompt, completion and
final_label, as XSTest publishes them (those of unsafe prompts have a type that begins with contrast_;
evaluation/automated_evaluation_labels of paul-rottger/exaggerated-safety@d7bb5bd); by default those that
HUB_DATA has. The rules of the reward `refusal` were made on the half of the prompts that is called dev, so
what counts is the other one. Other detectors' labels in a file (gpt4_label, strmatch_label) are measured as
well.

`agree` is whether it refuses at all, `3 classes` whether the class is the same. What has no class (a judge
that failed) is in neither, and is counted.
"""

import argparse
import csv
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import hub
from hub.options import read_value

CLASSES = ("compliance", "partial-refusal", "full-refusal")
LABELS = {"1_full_compliance": CLASSES[0], "3_partial_refusal": CLASSES[1], "2_full_refusal": CLASSES[2]}
OTHERS = {"gpt4_label": "GPT-4 as judge", "strmatch_label": "XSTest's prefixes"}


@dataclass(frozen=True)
class Result:
    """A detector on one half of a file."""

    file: str
    half: str
    detector: str
    rows: int
    failed: int
    agree: float | None
    classes: float | None
    precision: dict[str, float | None]
    recall: dict[str, float | None]
    confusion: dict[str, dict[str, int]]
    """by people's class, how often the detector says which"""
    rates: dict[str, tuple[float | None, float | None]]
    """refusals of safe and of unsafe prompts, by people and by the detector"""


def half_of(prompt: str) -> str:
    return "held out" if blake2b(prompt.encode(), digest_size=1).digest()[0] % 2 else "dev"


def measure(file: str, half: str, detector: str, found_of: Sequence[tuple[str, str, bool]]) -> Result:
    """Compare classes of people and of a detector ("" where that has none), of safe prompts and others."""
    pairs = [(people, found) for people, found, _ in found_of]
    known = [pair for pair in pairs if pair[1]]
    counts = Counter(known)
    confusion = {people: {found: counts[people, found] for found in CLASSES} for people in CLASSES}
    said = {kind: sum(confusion[people][kind] for people in CLASSES) for kind in CLASSES}
    real = {kind: sum(confusion[kind].values()) for kind in CLASSES}

    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    def rate(place: int, safe: bool) -> float | None:
        refused = [one[place] != CLASSES[0] for one in found_of if one[1] and one[2] is safe]
        return share(sum(refused), len(refused))

    return Result(
        file,
        half,
        detector,
        len(pairs),
        len(pairs) - len(known),
        share(sum((people == CLASSES[0]) == (found == CLASSES[0]) for people, found in known), len(known)),
        share(sum(people == found for people, found in known), len(known)),
        {kind: share(confusion[kind][kind], said[kind]) for kind in CLASSES},
        {kind: share(confusion[kind][kind], real[kind]) for kind in CLASSES},
        confusion,
        {name: (rate(0, safe), rate(1, safe)) for name, safe in (("safe", True), ("unsafe", False))},
    )


def measure_file(path: Path, reward: str, options: dict[str, Any], engine: hub.Engine) -> list[Result]:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    samples = [hub.Sample(row["prompt"], row["completion"]) for row in rows]
    scores = engine.score(hub.find_reward(reward).bind(options), samples)
    detectors = {reward: [str(score.info.get("refusal", "")) for score in scores]}
    for column, name in OTHERS.items():
        if column in rows[0]:
            detectors[name] = [LABELS.get(row[column], "") for row in rows]
    people = [LABELS[row["final_label"]] for row in rows]
    halves = [half_of(row["prompt"]) for row in rows]
    safe = [not row.get("type", "").startswith("contrast_") for row in rows]
    found = []
    for half in ("dev", "held out"):
        for name, classes in detectors.items():
            each = zip(halves, people, classes, safe, strict=True)
            pairs = [
                (label, kind if kind in CLASSES else "", is_safe)
                for where, label, kind, is_safe in each
                if where == half
            ]
            found.append(measure(path.stem.removeprefix("xstest_v2_completions_"), half, name, pairs))
    return found


def summary(results: Sequence[Result]) -> Table:
    table = Table(title="agreement with people")
    for title in ("file", "half", "detector", "rows", "failed", "agree", "3 classes"):
        table.add_column(title, justify="left" if title in ("file", "half", "detector") else "right")
    for name in ("safe", "unsafe"):
        table.add_column(f"refused, {name}\npeople / detector", justify="right")
    for kind in CLASSES:
        table.add_column(f"{kind}\nprecision / recall", justify="right")
    for one in results:
        each = (f"{percent(one.precision[kind])} / {percent(one.recall[kind])}" for kind in CLASSES)
        counts = (str(one.rows), str(one.failed), percent(one.agree), percent(one.classes))
        rates = (" / ".join(map(percent, one.rates[name])) for name in ("safe", "unsafe"))
        table.add_row(one.file, one.half, one.detector, *counts, *rates, *each)
    return table


def matrix(results: Sequence[Result], reward: str, half: str) -> Table:
    table = Table(title=f"{reward}, {half}: rows are people's classes, columns its own")
    for title in ("", *CLASSES):
        table.add_column(title, justify="right" if title else "left")
    chosen = [one for one in results if one.detector == reward and one.half == half]
    for people in CLASSES:
        counts = (sum(one.confusion[people][found] for one in chosen) for found in CLASSES)
        table.add_row(people, *map(str, counts))
    return table


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="default: those in HUB_DATA's folder xstest")
    parser.add_argument("--reward", default="refusal", help="the detector: its score's info says `refusal`")
    parser.add_argument("--with", dest="options", action="append", default=[], metavar="OPTION=VALUE")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("HUB_DATA", "../shared/data/benchmarks")) / "xstest"
    files = arguments.files or sorted(folder.glob("*completions*.csv"))
    if not files:
        parser.error(f"no file is given, and there is none in {folder}: set HUB_DATA")
    options = {
        name: read_value(value) for name, _, value in (one.partition("=") for one in arguments.options)
    }
    with hub.Engine(1) as engine:
        results = [one for file in files for one in measure_file(file, arguments.reward, options, engine)]
    if arguments.json:
        print(json.dumps([asdict(one) for one in results], indent=2))
        return
    console = Console(width=190, markup=False)
    console.print(summary(results))
    for half in ("dev", "held out"):
        console.print(matrix(results, arguments.reward, half))


if __name__ == "__main__":
    main()
