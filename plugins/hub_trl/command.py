"""`hub train`: trains a model as a recipe says."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.errors import RewardFailed

if TYPE_CHECKING:
    from hub_trl.train import Run


@click.command("train")
@click.argument("recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a key: trainer.max_steps=4.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in the output folder.")
@click.option("--check", is_flag=True, help="Check the recipe, its data, model and rewards; do not train.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(recipe: Path, settings: tuple[str, ...], resume: bool, check: bool, as_json: bool) -> int:
    """Train a model with rewards (GRPO, RLOO) or on examples (SFT), as a RECIPE (TOML) says.

    Writes checkpoints, the log, curves, a summary and the trained model to the recipe's output folder.
    Ctrl-C saves a checkpoint; --resume goes on from it.
    """
    from rich.console import Console

    from hub_trl.recipe import read_recipe
    from hub_trl.train import Interrupted, Run, is_main_process

    console = Console(stderr=True, highlight=False, quiet=not is_main_process())
    read = read_recipe(recipe, settings)
    with console.status("checking the recipe, its data and its model"):
        run = Run(read, resume=resume, console=console)
    options = [part for setting in settings for part in ("--set", setting)]
    again = shlex.join(["hub", "train", str(recipe), *options, "--resume"])
    if check:
        _check_rewards(run)
        console.print(f"all is well: {_describe(run)}", soft_wrap=True)
        return 0
    if run.output.is_complete(run.record):
        console.print(f"complete already: {run.output.folder}", soft_wrap=True)
        summary = json.loads(run.output.summary.read_text(encoding="utf-8"))
    else:
        start = f"from step {run.step}: " if run.step else ""
        console.print(f"{start}{_describe(run)}", soft_wrap=True)
        try:
            summary = run.train()
        except Interrupted:
            console.print(f"saved a checkpoint; go on with: {again}", soft_wrap=True)
            return 130
        except BaseException:
            found = run.output.last_checkpoint()
            if found:
                console.print(f"stopped; go on from step {found[1]} with: {again}", soft_wrap=True)
            raise
    if not is_main_process():
        return 0
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        _show(summary, run.output.folder)
    if summary.get("missing") == 1.0:
        raise RewardFailed(
            "nothing was learnt: in no step did a sample have a total. Why is in "
            f"{run.output.summary}; try the mix on a few completions with `hub score --mix`"
        )
    return 0


def _check_rewards(run: "Run") -> None:
    from hub import Engine

    if run.recipe.mix is not None:
        with Engine(1) as engine:
            run.recipe.mix.warm(engine)


def _describe(run: "Run") -> str:
    from hub_trl.train import weight_of

    recipe = run.recipe
    what = f"{recipe.algorithm.upper()} of {recipe.model.path} on {len(run.rows)} rows"
    if recipe.mix is not None:
        what += f", rewards: {', '.join(f'{r.name} x {weight_of(r)}' for r in recipe.mix.rewards)}"
    if run.plans:
        what += f", evaluated on {', '.join(plan.benchmark.name for plan in run.plans)}"
    return f"{what}; {run.configured.device}; output: {run.output.folder}"


def _show(summary: dict[str, Any], folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for title in ("first", "last"):
        table.add_column(title, justify="right")
    table.add_column("steps", style="dim")
    for name, parts in summary["means"].items():
        steps = " and ".join("-".join(map(str, parts[part]["steps"])) for part in ("first", "last"))
        table.add_row(name, f"{parts['first']['mean']:.3f}", f"{parts['last']['mean']:.3f}", steps)
    console = Console(highlight=False)
    console.print(table)
    failed = {name: account for name, account in summary["stats"].items() if account["failed"]}
    for name, account in failed.items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in account["reasons"].items())
        console.print(
            f"{name} failed on {account['failed']} of {account['count']} samples: {reasons}", style="red"
        )
    console.print(f"{summary['steps']} steps, {summary['seconds']:.0f} s: {folder}", soft_wrap=True)
