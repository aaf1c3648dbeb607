"""A standing as plain data: for `--json`, and for the file beside a board's page."""

from typing import Any

from hub_leaderboard.board import Entry
from hub_leaderboard.qualify import finished, hash_mix
from hub_leaderboard.standing import Cell, Standing


def as_json(standing: Standing) -> dict[str, Any]:
    """Return a standing as plain data, for `--json`."""
    board = standing.board
    return {
        "board": board.name,
        "title": board.title,
        "combine": board.combine,
        "rows": [
            {
                "model": row.model,
                "name": row.full_name,
                "ranks": row.ranks,
                "score": row.score,
                "interval_95": row.interval,
                "benchmarks": [
                    _cell(entry, cell) for entry, cell in zip(board.entries, row.cells, strict=True)
                ],
            }
            for row in standing.rows
        ],
        "pairs": [
            {
                "first": standing.rows[pair.first].model,
                "second": standing.rows[pair.second].model,
                "difference": pair.difference,
                "p_value": pair.p_value,
                "corrected": pair.corrected,
                "differs": pair.differs,
                "test": pair.test,
            }
            for pair in standing.pairs
        ],
        "not_ranked": [
            {
                "path": str(one.run.path),
                "benchmark": one.run.benchmark,
                "model": one.model,
                "reasons": list(one.reasons),
            }
            for one in standing.left
        ],
        "problems": list(standing.problems),
        "other_benchmarks": dict(standing.elsewhere),
    }


def _cell(entry: Entry, cell: Cell | None) -> dict[str, Any]:
    about: dict[str, Any] = {"benchmark": entry.use, "metric": entry.metric}
    if cell is None:
        return {**about, "path": None}
    values = cell.values
    return {
        **about,
        "path": str(cell.run.path),
        "value": values.mean,
        "interval_95": values.interval,
        "completions": values.completions,
        "failed": values.failed,
        "coverage": values.coverage,
        "failed_by_reason": dict(values.reasons),
        "abstained": values.abstained,
        "recipe": cell.run.result.get("recipe"),
        "mix": hash_mix(cell.run),
        "data_hash": cell.run.recipe["benchmark"]["data_hash"],
        "imported": cell.run.imported or None,
        "finished": finished(cell.run),
    }
