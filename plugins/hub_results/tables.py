"""Rows as CSV, Markdown, or a table for a terminal."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from hub_results.listing import COLUMNS


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    r"""Return rows as CSV with a header; numbers in full.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.

    >>> as_csv([{**dict.fromkeys(COLUMNS), "benchmark": "=1+1", "score": 0.5}]).splitlines()[1]
    "'=1+1,,,0.5,,,,,,,,"
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _harmless(value) for key, value in row.items()})
    return out.getvalue()


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as a table of Markdown."""
    lines = [
        "| benchmark | metric | model | score | 95 % interval | n | failed |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (row["benchmark"], row["metric"], row["model"], number(row["score"]), interval(row))
        lines.append("| " + " | ".join(map(_cell, (*cells, row["n"], row["failed"]))) + " |")
    return "\n".join(lines) + "\n"


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("benchmark", "metric", "model", "score", "95 % interval", "n", "failed", "finished"):
        right = title in ("score", "95 % interval", "n", "failed")
        table.add_column(title, justify="right" if right else "left", overflow="fold")
    for row in rows:
        model = row["model"].rstrip("/").rpartition("/")[2]
        model += f" ({row['imported']})" if row["imported"] else ""
        failed = Text(str(row["failed"]), style="red" if row["failed"] else "")
        numbers = (number(row["score"]), interval(row), str(row["n"]), failed)
        when = row["finished"][:16].replace("T", " ")
        table.add_row(Text(row["benchmark"]), Text(row["metric"]), Text(model), *numbers, when)
    Console(highlight=False).print(table)


def number(value: float | None) -> str:
    """Return three decimals, or "none"."""
    return "none" if value is None else f"{value:.3f}"


def interval(row: Mapping[str, Any]) -> str:
    """Return the ends of a row's interval, or nothing."""
    return "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _cell(value: Any) -> str:
    return str(value).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
