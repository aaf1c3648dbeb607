"""How often graders of mathematical answers are right, on four sets of pairs.

Prints one table per set. Run it by hand: `python benchmarks/math_accuracy.py`. Every grader runs in worker
processes that are killed after 5 s on one pair (`hung`), so a grader that hangs is not waited for. A pair
without a verdict (hung, crashed, raised, skipped) is not right, but neither a false positive nor a false
negative. In traffic "right" is the verdict that was published with the completion, by a grader that calls
`10{,}000` and 10000, or two spellings of a time, different. `--ours` lists each pair that `hub_math` decides
otherwise than expected.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

import hub
import hub_math
from benchmarks.math_graders import GRADERS
from benchmarks.math_sets import Pair, data_argument, load


@dataclass(frozen=True)
class Result:
    """What a grader made of a set."""

    grader: str
    pairs: int
    right: int
    false_positives: int
    false_negatives: int
    skipped: int
    """no verdict: it raised an exception, or would not judge the pair"""
    over_1_s: int
    hung: int
    """killed at the limit"""
    crashed: int
    """took its process down"""


def judge(name: str, pairs: Sequence[Pair], scores: Sequence[hub.Score]) -> Result:
    verdicts = [None if score.value is None else score.value == 1.0 for score in scores]
    both = [(verdict, pair.expected) for verdict, pair in zip(verdicts, pairs, strict=True)]
    hung = sum(score.reason == "timeout" for score in scores)
    crashed = sum(score.reason in ("crashed", "memory") for score in scores)
    return Result(
        grader=name,
        pairs=len(pairs),
        right=sum(verdict is expected for verdict, expected in both),
        false_positives=both.count((True, False)),
        false_negatives=both.count((False, True)),
        skipped=verdicts.count(None) - hung - crashed,
        over_1_s=sum(score.info.get("seconds", 0) > 1 for score in scores),
        hung=hung,
        crashed=crashed,
    )


def measure(sets: dict[str, list[Pair]], only: str, console: Console) -> dict[str, list[Result]]:
    """Run every grader that can be constructed on every set."""
    results: dict[str, list[Result]] = {name: [] for name in sets}
    with hub.Engine(2, cache=False) as engine:
        for grader in GRADERS:
            component = engine.add(hub.find_reward(grader).bind())
            if only not in component.name:
                continue
            broken = engine.warm([component])
            if broken:
                console.print(f"left out: {component.name} ({broken[component.name][:150]})")
                continue
            for name, pairs in sets.items():
                scores = engine.score(component, [pair.sample for pair in pairs])
                results[name].append(judge(component.name, pairs, scores))
    return results


def table(name: str, results: Sequence[Result]) -> Table:
    found = Table(title=f"{name}: {results[0].pairs if results else 0} pairs")
    headers = (
        "grader",
        "right %",
        "false +",
        "false -",
        "skipped",
        "over 1 s",
        "hung",
        "crashed",
    )
    for header in headers:
        found.add_column(header, justify="left" if header == "grader" else "right")
    for one in results:
        counts = (one.false_positives, one.false_negatives, one.skipped, one.over_1_s, one.hung, one.crashed)
        found.add_row(one.grader, f"{100 * one.right / one.pairs:.1f}", *map(str, counts))
    return found


def disagreements(name: str, pairs: Sequence[Pair]) -> Table:
    """The pairs that hub_math decides otherwise than expected."""
    found = Table(title=f"{name}: decided otherwise than expected", show_lines=True)
    for header in ("expected", "reference", "answer", "layer", "reason", "detail", "from"):
        found.add_column(header, overflow="fold")
    for pair in pairs:
        try:
            verdict = hub_math.verify(pair.gold, pair.completion)
        except hub_math.BadReference as error:
            verdict = hub_math.Verdict(False, "none", "bad_reference", str(error), pair.gold, "")
        if verdict.correct != pair.expected or verdict.reason == "bad_reference":
            decided = (verdict.layer, verdict.reason, verdict.detail)
            shown = (verdict.reference, verdict.answer, *decided, pair.about)
            found.add_row(str(pair.expected), *(text[:200] for text in shown))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data_argument(parser)
    parser.add_argument("--ours", action="store_true", help="list what hub_math decides unlike expected")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--only", default="", metavar="TEXT", help="only graders whose name has this text")
    arguments = parser.parse_args()
    sets = load(arguments.data)
    console = Console(width=150 if arguments.ours else 110, markup=False, stderr=arguments.json)
    if arguments.ours:
        for name, pairs in sets.items():
            console.print(disagreements(name, pairs))
        return
    results = measure(sets, arguments.only, console)
    if arguments.json:
        print(json.dumps({name: [asdict(one) for one in found] for name, found in results.items()}, indent=2))
        return
    for name, found in results.items():
        console.print(table(name, found))


if __name__ == "__main__":
    main()
