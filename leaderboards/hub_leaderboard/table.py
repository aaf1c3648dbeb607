"""A standing as a table for a terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.evaluation.table import visible
from hub_leaderboard.board import Board
from hub_leaderboard.standing import Cell, Row, Standing

SHOWN = 10
"""Runs that are not ranked, and folders with problems, are all counted, and so many shown."""


def _text(text: str, style: str = "") -> Text:
    """A text that cannot drive the terminal: names and reasons may come from anybody's files."""
    return Text(visible(text), style=style)


def show(standing: Standing, *, everything: bool = False) -> None:
    """Print a standing: the table, how it is to be read, and what is not ranked.

    Args:
        standing: what is shown.
        everything: show every run that is not ranked, not only the first ones.
    """
    console, board = Console(highlight=False), standing.board
    console.print(_text(board.title, style="bold"))
    several = len(board.entries) > 1
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold")
    if several or board.combine != "mean":
        table.add_column(board.combine, justify="right", no_wrap=True)
        table.add_column("95 % interval", justify="right")
    for entry in board.entries:
        table.add_column(_text(entry.title), justify="right", overflow="fold")
    if not several:
        table.add_column("95 % interval", justify="right")
    table.add_column("n", justify="right")
    table.add_column("failed", justify="right")
    for row in standing.rows:
        table.add_row(*_line(row, board))
    if standing.rows:
        console.print(table)
        for line in explain(standing):
            console.print(_text(line, style="dim"), soft_wrap=True)
    else:
        console.print("no run qualifies")
    _show_left(console, standing, everything)


def _line(row: Row, board: Board) -> list[str | Text]:
    several = len(board.entries) > 1
    cells = [cell for cell in row.cells if cell is not None]
    failed = sum(cell.values.failed for cell in cells)
    line: list[str | Text] = [rank_of(row), _text(row.model)]
    if several or board.combine != "mean":
        line += ["" if row.score is None else f"{row.score:.3f}", ends(row.interval)]
    line += [_value(cell) for cell in row.cells]
    if not several:
        line.append(ends(cells[0].values.interval))
    counted = sum(cell.values.completions - cell.values.failed - cell.values.abstained for cell in cells)
    return [*line, str(counted), _text(str(failed), style="red" if failed else "")]


def rank_of(row: Row) -> str:
    """Return "3", "2-4" for a tie of the second to the fourth, or "" without a rank."""
    if row.ranks is None:
        return ""
    low, high = row.ranks
    return str(low) if low == high else f"{low}-{high}"


def ends(interval: tuple[float, float] | None) -> str:
    """Return the ends of an interval, or nothing."""
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def explain(standing: Standing) -> list[str]:
    """Return how a standing is to be read, a sentence each."""
    tests = sorted({pair.test for pair in standing.pairs})
    found = []
    if standing.pairs:
        paired = ", ".join(tests) + ("" if "z, unpaired" in tests else "; by prompt")
        found.append(
            "A range of ranks is a tie: no test tells these models apart at the 5 % level "
            f"({paired}; Holm's correction for {len(standing.pairs)} pairs)."
        )
    if any(row.ranks is None for row in standing.rows):
        found.append("Models without a rank have no run that qualifies on every benchmark.")
    if any(cell is not None and cell.run.imported for row in standing.rows for cell in row.cells):
        found.append("* imported: made and graded by another tool.")
    return found


def _value(cell: Cell | None) -> str:
    return "" if cell is None else f"{cell.values.mean:.3f}{'*' if cell.run.imported else ''}"


def _show_left(console: Console, standing: Standing, everything: bool) -> None:
    left = standing.left if everything else standing.left[:SHOWN]
    if left:
        console.print(_text(f"not ranked, {len(standing.left)} of the board's benchmarks:", style="bold"))
    for one in left:
        console.print(_text(f"  {one.run.path}: {'; '.join(one.reasons)}", style="yellow"), soft_wrap=True)
    if len(left) < len(standing.left):
        console.print(f"  and {len(standing.left) - len(left)} more: --all shows them")
    for problem in standing.problems if everything else standing.problems[:SHOWN]:
        console.print(_text(problem, style="red"), soft_wrap=True)
    if not everything and len(standing.problems) > SHOWN:
        console.print(f"and {len(standing.problems) - SHOWN} more that cannot be read: --all shows them")
    if standing.elsewhere:
        names = ", ".join(f"{name} {count}" for name, count in standing.elsewhere.items())
        console.print(_text(f"runs of benchmarks that are not on this board: {names}", style="dim"))
