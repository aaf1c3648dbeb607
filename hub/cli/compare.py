"""`hub compare`: whether two runs of one benchmark differ."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hub.evaluation.compare import Comparison
    from hub.evaluation.stored import StoredRun

EXAMPLES = """\b
Examples:
  hub compare runs/before/gsm8k runs/after/gsm8k
  hub compare runs/before/gsm8k runs/after/gsm8k --metric math --flips 20
"""
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("compare", epilog=EXAMPLES)
@click.argument("first", type=_FOLDER)
@click.argument("second", type=_FOLDER)
@click.option("--metric", "metrics", multiple=True, help="The score, or a reward.  [default: all]")
@click.option("--flips", type=click.IntRange(0), default=5, help="Show so many prompts that differ.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every prompt that differs.")
def command(first: Path, second: Path, metrics: tuple[str, ...], flips: int, as_json: bool) -> int:
    """Compare the runs in two folders: of one benchmark, graded by the same mix.

    The test is paired by prompt. What has no value in one of the two runs is in neither mean, and is counted.
    "Detectable" is the smallest true difference that a comparison of this size finds in four of five cases.
    """
    from hub.evaluation.compare import compare
    from hub.evaluation.stored import read_run

    runs = read_run(first), read_run(second)
    found = [compare(*runs, metric) for metric in (metrics or runs[0].metrics)]
    if as_json:
        click.echo(
            json.dumps(
                {"runs": [str(run.path) for run in runs], "metrics": list(map(_plain, found))}, indent=2
            )
        )
    else:
        _show(runs, found, flips)
    return 0


def _plain(comparison: "Comparison") -> dict[str, Any]:
    return {**asdict(comparison), "differs": comparison.differs}


def _show(runs: "tuple[StoredRun, StoredRun]", found: "list[Comparison]", flips: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hub.evaluation.recipe import differences

    console = Console(highlight=False)
    for name, run in zip(("first", "second"), runs, strict=True):
        console.print(Text(f"{name:6} {run.model}  {run.path}"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    left_out = any(one.left_out for one in found)
    titles = ["metric", "first", "second", "difference [95 %]", "p", "detectable", "n"]
    for title in (*titles, "left out") if left_out else titles:
        table.add_column(title, justify="left" if title == "metric" else "right", no_wrap=title != "metric")
    for one in found:
        interval = "" if one.interval is None else f" [{one.interval[0]:+.3f}, {one.interval[1]:+.3f}]"
        difference = Text(_number(one.difference, "+") + interval, style="bold" if one.differs else "")
        p_value = "" if one.p_value is None else "<0.001" if one.p_value < 0.001 else f"{one.p_value:.3f}"
        counts = [str(one.prompts), *([str(one.left_out)] if left_out else [])]
        means = (_number(one.first), _number(one.second))
        table.add_row(Text(one.metric), *means, difference, p_value, _number(one.detectable), *counts)
    console.print(table)
    for what in differences(runs[0].recipe["decoding"], runs[1].recipe["decoding"], "decoding"):
        console.print(Text(f"not alike: {what}", style="yellow"))
    main = found[0]
    down = sum(flip.second < flip.first for flip in main.flips)
    test = main.test or "no prompt has a value in both"
    console.print(f"{main.metric}: {len(main.flips) - down} prompts went up, {down} down ({test})")
    for flip in main.flips[:flips]:
        console.print(Text(f"  {flip.id}: {flip.first:g} -> {flip.second:g}"), soft_wrap=True)


def _number(value: float | None, sign: str = "") -> str:
    return "none" if value is None else f"{value:{sign}.3f}"
