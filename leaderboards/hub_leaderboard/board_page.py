"""A board's page: the table with its intervals, how it is to be read, and what is not ranked."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hub.evaluation.stored import StoredRun
from hub_leaderboard.board import Board, Entry
from hub_leaderboard.html import escape, page, without_folders
from hub_leaderboard.qualify import finished
from hub_leaderboard.standing import Cell, Row, Standing
from hub_leaderboard.table import ends, explain, rank_of

HOW = {
    "mean": "The score is the weighted mean of the benchmarks' values.",
    "normalized": "The score is the weighted mean of the benchmarks' values; guessing is 0, the best is 1.",
    "win-rate": "The score is how often a model does better than another one of this board on the same "
    "prompt, a tie counted as half: the mean over prompts, other models and benchmarks, by weight.",
}

MANY = 8
"""From so many models on, they can be searched."""

Shown = Callable[[StoredRun], str]
"""How a page names a run's folder."""


def board_page(standing: Standing, pages: Mapping[Path, str], shown: Shown, *, home: str = "") -> str:
    """Return the page of a board.

    Args:
        standing: what it shows.
        pages: the address of each run's page, by the run's path.
        shown: how folders are named.
        home: the address of the page that lists all boards; "" for none.
    """
    board = standing.board
    up = f'<nav><a href="{escape(home)}">all boards</a></nav>\n' if home else ""
    summary = f"<p>{escape(board.summary)}</p>\n" if board.summary else ""
    body = (
        f"{up}<h1>{escape(board.title)}</h1>\n{summary}{_table(standing, pages)}"
        + "".join(f'<p class="note">{escape(line)}</p>\n' for line in _notes(standing))
        + _left(standing, pages, shown)
        + _pairs(standing)
        + _rules(board)
    )
    return page(board.title, f"<main>\n{body}</main>", scripts=["board.js"])


def _notes(standing: Standing) -> list[str]:
    found = [HOW[standing.board.combine]] if _combines(standing.board) else []
    return [*found, "Intervals are of 95 %.", *explain(standing)]


def _combines(board: Board) -> bool:
    return len(board.entries) > 1 or board.combine != "mean"


def _table(standing: Standing, pages: Mapping[Path, str]) -> str:
    board = standing.board
    if not standing.rows:
        return "<p>No run qualifies yet.</p>\n"
    best = "descending" if board.descending else "ascending"
    heads = [_head("rank", "number", "ascending"), _head("model", "text", "ascending")]
    if _combines(board):
        heads += [_head(board.combine, "number", best)]
    columns = [
        _head(entry.title, "number", "descending" if entry.higher_is_better else "ascending")
        for entry in board.entries
    ]
    interval = '<th scope="col">95 % interval</th>'
    heads += [interval, *columns] if _combines(board) else [*columns, interval]
    heads += [_head("n", "number", "descending"), _head("failed", "number", "descending")]
    spans = [_span(row, board) for row in standing.rows]
    every = [value for _, span in spans if span for value in span] + [
        mean for mean, _ in spans if mean is not None
    ]
    low, high = (
        min([0.0, *every]),
        max([1.0, *every]) if max(every, default=1.0) > 0.5 else max(every, default=1.0),
    )
    rows = "".join(
        _row(row, board, pages, _bar(mean, span, low, high or 1.0))
        for row, (mean, span) in zip(standing.rows, spans, strict=True)
    )
    return (
        f'<div class="tools" id="tools"{" data-many" if len(standing.rows) >= MANY else ""} hidden>'
        '<label>find a model <input type="search" id="search" autocomplete="off"></label>'
        '<span class="note" id="found" role="status"></span></div>\n'
        f'<div class="scroll"><table id="ranking" class="wide">\n<thead><tr>{"".join(heads)}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n"
    )


def _head(title: str, kind: str, first: str) -> str:
    """A column's head; `first` is the order that a first click gives."""
    name = ' class="number"' if kind == "number" else ""
    return (
        f'<th scope="col"{name} data-kind="{kind}" data-first="{first}">'
        f'<button type="button">{escape(title)}</button></th>'
    )


def _span(row: Row, board: Board) -> tuple[float | None, tuple[float, float] | None]:
    if _combines(board) or row.cells[0] is None:
        return row.score, row.interval
    return row.cells[0].values.mean, row.cells[0].values.interval


def _row(row: Row, board: Board, pages: Mapping[Path, str], bar: str) -> str:
    cells = [cell for cell in row.cells if cell is not None]
    failed = sum(cell.values.failed for cell in cells)
    counted = sum(cell.values.completions - cell.values.failed - cell.values.abstained for cell in cells)
    rank = "" if row.ranks is None else f"{row.ranks[0] + row.ranks[1] / 1000:.3f}"
    made = [
        _cell(rank_of(row).replace("-", "\u2013") or "\u2014", rank),
        f'<th scope="row" class="model" data-value="{escape(row.model)}">{escape(row.model)}</th>',
    ]
    if _combines(board):
        score = "" if row.score is None else f"{row.score:.3f}"
        made.append(_cell(score, "" if row.score is None else repr(row.score)))
    values = [_value(cell, pages, small=len(board.entries) > 1) for cell in row.cells]
    made += [f"<td>{bar}</td>", *values] if _combines(board) else [*values, f"<td>{bar}</td>"]
    made += [_cell(str(counted), str(counted)), _cell(str(failed), str(failed), "failed" if failed else "")]
    return f'<tr data-name="{escape(row.model)}">{"".join(made)}</tr>\n'


def _cell(text: str, value: str, name: str = "") -> str:
    return f'<td class="number {name}" data-value="{escape(value)}">{escape(text)}</td>'


def _value(cell: Cell | None, pages: Mapping[Path, str], *, small: bool) -> str:
    if cell is None:
        return '<td class="number dim" data-value="">no run</td>'
    values, star = cell.values, "*" if cell.run.imported else ""
    text = f"{values.mean:.3f}{star}"
    if address := pages.get(cell.run.path):
        text = f'<a href="{escape(address)}">{escape(text)}</a>'
    notes = [ends(values.interval)] if small and values.interval else []
    if values.failed:
        notes.append(f"{values.coverage:.1%} scored")
    under = "".join(f"<small>{escape(note)}</small>" for note in notes)
    return f'<td class="number" data-value="{values.mean!r}">{text}{under}</td>'


def _bar(mean: float | None, span: tuple[float, float] | None, low: float, high: float) -> str:
    """The interval and the mean on a line from low to high, as a picture with its numbers as its name."""
    if mean is None:
        return ""

    def place(value: float) -> float:
        return round(2 + 172 * (min(max(value, low), high) - low) / (high - low), 2)

    inner = '<line class="axis" x1="2" x2="174" y1="9" y2="9"/>'
    if span is not None:
        left, right = place(span[0]), place(span[1])
        width = max(1.0, round(right - left, 2))
        inner += f'<rect class="range" x="{left}" y="4" width="{width}" height="10" rx="2"/>'
    inner += f'<rect class="mean" x="{round(place(mean) - 1.5, 2)}" y="2" width="3" height="14"/>'
    name = f"{mean:.3f}" + (f", 95 % interval {ends(span)}" if span else "")
    under = f'<small class="dim">{escape(ends(span))}</small>' if span else ""
    return (
        f'<svg class="bar" viewBox="0 0 176 18" role="img" aria-label="{escape(name)}">{inner}</svg>{under}'
    )


def _left(standing: Standing, pages: Mapping[Path, str], shown: Shown) -> str:
    made = ""
    if standing.left:
        lines = ""
        for one in standing.left:
            name, address = escape(shown(one.run)), pages.get(one.run.path)
            linked = f'<a href="{escape(address)}">{name}</a>' if address else name
            reasons = "<br>".join(escape(without_folders(reason)) for reason in one.reasons)
            lines += (
                f'<tr><td class="model">{escape(one.model)}</td><td>{escape(one.run.benchmark)}</td>'
                f'<td class="path">{linked}</td><td class="path">{reasons}</td></tr>\n'
            )
        made += (
            f"<h2>Not ranked: {len(standing.left)}</h2>\n"
            '<div class="scroll"><table class="wide">\n<thead><tr>'
            '<th scope="col">model</th><th scope="col">benchmark</th><th scope="col">run</th>'
            f'<th scope="col">why</th></tr></thead>\n<tbody>\n{lines}</tbody></table></div>\n'
        )
    if standing.problems:
        lines = "".join(
            f'<li class="path failed">{escape(without_folders(one))}</li>\n' for one in standing.problems
        )
        made += f"<h2>Not complete, or not readable: {len(standing.problems)}</h2>\n"
        made += f'<ul class="plain">\n{lines}</ul>\n'
    if standing.elsewhere:
        names = ", ".join(f"{name} ({count})" for name, count in standing.elsewhere.items())
        made += f'<p class="note">Runs of benchmarks that are not on this board: {escape(names)}.</p>\n'
    return made


def _pairs(standing: Standing) -> str:
    if not standing.pairs:
        return ""
    lines = "".join(
        f"<tr><td>{escape(standing.rows[pair.first].model)}</td><td>{escape(standing.rows[pair.second].model)}</td>"
        f'<td class="number">{pair.difference:+.3f}</td><td class="number">{_p(pair.p_value)}</td>'
        f'<td class="number">{_p(pair.corrected)}</td><td>{"differs" if pair.differs else "tie"}</td>'
        f"<td>{escape(pair.test)}</td></tr>\n"
        for pair in standing.pairs
    )
    return (
        f"<h2>Comparisons</h2>\n<details><summary>every two models: {len(standing.pairs)} tests</summary>\n"
        '<div class="scroll"><table><thead><tr><th scope="col">first</th><th scope="col">second</th>'
        '<th scope="col" class="number">difference</th><th scope="col" class="number">p</th>'
        '<th scope="col" class="number">p, corrected</th><th scope="col"></th><th scope="col">test</th></tr>'
        f"</thead>\n<tbody>\n{lines}</tbody></table></div></details>\n"
    )


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _rules(board: Board) -> str:
    lines = "".join(
        f"<dt>{escape(entry.title)}</dt><dd>{escape(_rule(entry))}</dd>\n" for entry in board.entries
    )
    least = f"at least {board.coverage:.1%} of a run's completions did not fail"
    tools = "runs that other tools made are taken too" if board.imported else "only runs of the hub itself"
    return (
        "<h2>Which runs qualify</h2>\n<p>Of each model the last run that is as follows, and that agrees with "
        "the other models' runs in everything else that a recipe holds: rows, prompts, decoding, rewards and "
        f"their versions. Also: {least}; {tools}.</p>\n<dl>\n{lines}</dl>\n"
    )


def _rule(entry: Entry) -> str:
    parts = [entry.use, f"metric {entry.metric}", f"weight {entry.weight:g}"]
    parts.append("all rows" if entry.rows is None else f"the first {entry.rows} rows")
    if entry.split:
        parts.append(f"split {entry.split}")
    parts.append(
        f"{entry.samples_per_prompt} completion{'s' * (entry.samples_per_prompt > 1)} of each prompt"
    )
    parts += [f"option {name} = {value!r}" for name, value in entry.options.items()]
    parts += [f"{name} = {value!r}" for name, value in entry.decoding.items()]
    if not entry.decoding:
        parts.append("the benchmark's own decoding")
    parts.append(f"mix {entry.mix}" if entry.mix else "the benchmark's own mix")
    if entry.data_hash:
        parts.append(f"data {entry.data_hash}")
    return "; ".join(parts)


def index_page(standings: Mapping[str, Standing]) -> str:
    """Return the page that lists boards, by the address of each."""
    items = ""
    for address, standing in standings.items():
        board, count = standing.board, len(standing.ranked)
        items += (
            f'<li><h2><a href="{escape(address)}">{escape(board.title)}</a></h2>\n'
            f"<p>{escape(board.summary)}</p>"
            f'<p class="note">{count} model{"s" * (count != 1)}, last run {_last(standing) or "none"}</p>'
            "</li>\n"
        )
    return page("Leaderboards", f'<main>\n<h1>Leaderboards</h1>\n<ul class="plain">\n{items}</ul>\n</main>')


def _last(standing: Standing) -> str:
    times = [finished(cell.run) for row in standing.rows for cell in row.cells if cell is not None]
    return escape(max(times, default="")[:10])
