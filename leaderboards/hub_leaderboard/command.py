"""`hub leaderboard`: boards that ship, one's own, the ranking, the pages."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hub_leaderboard.standing import Standing

EXAMPLES = """\b
Examples:
  hub leaderboard list
  hub leaderboard show math runs
  hub leaderboard build my-board.toml runs --out site
"""
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group("leaderboard", epilog=EXAMPLES)
def command() -> None:
    """Rank models by the runs that were written, and write the ranking as pages.

    A board is a file: benchmarks, the metric of each, how they combine, which runs qualify.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> int:
    """List the boards that come with the hub."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hub_leaderboard.board import read_board, shipped

    boards = [read_board(file) for file in shipped().values()]
    if as_json:
        rows = [
            {
                "name": board.name,
                "title": board.title,
                "summary": board.summary,
                "combine": board.combine,
                "benchmarks": [entry.use for entry in board.entries],
            }
            for board in boards
        ]
        click.echo(json.dumps(rows, indent=2))
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("board", "combine", "benchmarks", "summary"):
        table.add_column(title, overflow="fold")
    for board in boards:
        uses = ", ".join(entry.title for entry in board.entries)
        table.add_row(Text(board.name, no_wrap=True), board.combine, Text(uses), Text(board.summary))
    Console(highlight=False).print(table)
    return 0


@command.command("check")
@click.argument("board")
def check(board: str) -> int:
    """Check a board: its keys and values, and that its benchmarks and rewards are installed."""
    from hub_leaderboard.board import check_names, open_board

    found = open_board(board)
    check_names(found)
    parts = ", ".join(f"{entry.title} ({entry.metric}, weight {entry.weight:g})" for entry in found.entries)
    click.echo(f"{found.name}: {found.title}: {found.combine} of {parts}")
    return 0


@command.command("show")
@click.argument("board")
@click.argument("results", type=_FOLDER, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Show every run that is not ranked.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(board: str, results: tuple[Path, ...], everything: bool, as_json: bool) -> int:
    """Rank the runs below RESULTS (default: runs) on BOARD, a name from `list` or a file.

    A model has one row: its last run on each benchmark that is as the board asks. Runs of different recipes
    are not mixed: what is not ranked is listed with the reason.
    """
    from hub_leaderboard.board import open_board
    from hub_leaderboard.plain import as_json as plain
    from hub_leaderboard.standing import find_all, make_standing
    from hub_leaderboard.table import show as show_table

    found = open_board(board)
    runs, problems = find_all(results or (Path("runs"),))
    with _progress() as progress:
        standing = make_standing(found, runs, problems, progress)
    if as_json:
        click.echo(json.dumps(plain(standing), indent=2))
    else:
        show_table(standing, everything=everything)
    _warn([standing])
    return 0


@command.command("build")
@click.argument("boards", metavar="BOARD,...")
@click.argument("results", type=_FOLDER, nargs=-1)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder to write."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def build(boards: str, results: tuple[Path, ...], out: Path, as_json: bool) -> int:
    """Write boards as pages: one for each BOARD, and one for each run of its benchmarks with every sample.

    The pages open from a file and load nothing from anywhere. RESULTS are folders with runs (default: runs).
    An earlier build in the folder is replaced when all is written. Exit code 1 if a run could not be read.
    """
    from hub_leaderboard.board import open_board
    from hub_leaderboard.site import build as build_site

    names = [name.strip() for name in boards.split(",") if name.strip()]
    found = [open_board(name) for name in names]
    if not found:
        raise click.UsageError("name at least one board")
    with _progress() as progress:
        standings = build_site(found, results or (Path("runs"),), out, progress)
    problems = list(dict.fromkeys(problem for standing in standings for problem in standing.problems))
    if as_json:
        about = {
            "index": str(out / "index.html"),
            "boards": [
                {"board": one.board.name, "models": len(one.rows), "not_ranked": len(one.left)}
                for one in standings
            ],
            "problems": problems,
        }
        click.echo(json.dumps(about, indent=2))
    else:
        for one in standings:
            models, left = _count(len(one.rows), "model"), _count(len(one.left), "run")
            click.echo(f"{one.board.title}: {models}, {left} not ranked", err=True)
        click.echo(f"wrote {out / 'index.html'}")
    for problem in problems:
        click.echo(click.style(problem, fg="yellow"), err=True)
    _warn(standings)
    return 1 if problems else 0


def _warn(standings: "Sequence[Standing]") -> None:
    """Say which benchmarks have no run and are not installed: their names may be misspelt."""
    from hub_leaderboard.board import unknown_benchmarks

    names = dict.fromkeys(name for standing in standings for name in standing.without)
    for warning in unknown_benchmarks(names):
        click.echo(click.style(f"warning: {warning}", fg="yellow"), err=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Say what is read or written, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda what: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("") as status:
        yield lambda what: status.update(Text(what))
