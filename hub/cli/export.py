"""`hub export`: writes what a trainer needs to use a mix."""

import json
from pathlib import Path

import click

from hub.cli.mix_options import split
from hub.options import read_value

EXAMPLES = """\b
Examples:
  hub export verl mix.toml --out exported
  hub export openrlhf mix.toml --out exported --with group_size=8
  hub export verl mix.toml --out exported --data train.parquet --data test.parquet
"""


@click.command("export", epilog=EXAMPLES)
@click.argument("trainer")
@click.argument("mix", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where to write."
)
@click.option(
    "--with", "options", multiple=True, metavar="OPTION=VALUE", help="An option: see `hub plugins TRAINER`."
)
@click.option(
    "--data",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The trainer's data (JSONL, JSON, CSV, Parquet): checks that rows have what the mix needs.",
)
@click.option("--overwrite", is_flag=True, help="Write over files that are there and differ.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    trainer: str,
    mix: Path,
    out: Path,
    options: tuple[str, ...],
    data: tuple[Path, ...],
    overwrite: bool,
    as_json: bool,
) -> int:
    """Write the files that a TRAINER needs to use a MIX (TOML), and print the flags or YAML to give it.

    The mix stays where it is. What is written holds its digest: after a change, export again.
    """
    from hub.training.export import export

    pairs = [split(text, "--with", "OPTION=VALUE") for text in options]
    given = {name: read_value(value) for name, value in pairs}
    for name in ("overwrite", "data"):
        if name in given:
            raise click.UsageError(f"--with {name}: no option of a trainer; give --{name}")
    exported = export(trainer, mix, out, overwrite=overwrite, data=data, **given)
    if as_json:
        files = sorted(str(out.absolute() / name) for name in exported.files)
        click.echo(json.dumps({"files": files, "instructions": exported.instructions}, indent=2))
        return 0
    for name in exported.files:
        click.echo(f"wrote {out / name}", err=True)
    click.echo(exported.instructions.rstrip())
    return 0
