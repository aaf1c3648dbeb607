"""`hub lm-eval`: writes benchmarks as tasks of lm-eval."""

import json
from pathlib import Path
from typing import Any

import click

from hub.errors import DataError
from hub.options import read_value

EXAMPLES = """\b
Examples:
  hub lm-eval gsm8k humaneval --out tasks
  hub lm-eval arithmetic --out tasks --benchmark-option rows=100
"""


@click.command("lm-eval", epilog=EXAMPLES)
@click.argument("benchmarks", nargs=-1, required=True)
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where to write."
)
@click.option("--split", help="Which split of the data.  [default: the benchmark's own]")
@click.option(
    "--benchmark-option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the benchmarks."
)
@click.option("--mix", type=click.Path(dir_okay=False, path_type=Path), help="Grade with this mix instead.")
def command(
    benchmarks: tuple[str, ...], out: Path, split: str | None, options: tuple[str, ...], mix: Path | None
) -> int:
    """Write BENCHMARKS as tasks of lm-eval: one YAML each.

    lm-eval then runs them with the same prompts, rewards and numbers as hub eval. Rows and rewards are
    checked now.
    """
    from hub_lm_eval.fits import make_fitting_plan
    from hub_lm_eval.task_file import write_task

    read: dict[str, Any] = {}
    for text in options:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--benchmark-option {text}: should be NAME=VALUE")
        read[name] = read_value(value)
    written: list[tuple[str, Path]] = []
    for use in benchmarks:
        plan = make_fitting_plan({"benchmark": use, "split": split, "options": read, "mix": mix})
        name, text = write_task(use, plan.benchmark.name, split=split, options=read, mix=mix)
        file = out / f"{name}.yaml"
        if (name, file) in written:
            raise click.UsageError(f"{use}: another of these benchmarks is {name} in lm-eval too")
        try:
            out.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise DataError(f"{file}: cannot be written: {error}") from error
        click.echo(f"wrote {file}", err=True)
        written.append((name, file))
    click.echo("lm_eval run --model hf --model_args pretrained=MODEL \\")
    click.echo(f"  --include_path {json.dumps(str(out))} --tasks {','.join(name for name, _ in written)}")
    return 0
