"""A board with the runs that it ranks: a row for each model, and what is not ranked with the reason why."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hub.errors import HubError
from hub.evaluation.checked import as_written
from hub.evaluation.statistics import Z_95, clustered_error
from hub.evaluation.stored import StoredRun, find_runs
from hub_leaderboard.board import Board, Entry
from hub_leaderboard.qualify import (
    choose_setting,
    finished,
    model_key,
    name_models,
    problems_of,
    setting_of,
)
from hub_leaderboard.ranks import (
    Pair,
    Part,
    combined_interval,
    combined_mean,
    compare_all,
    rank_ranges,
)
from hub_leaderboard.values import Values, read_values

Progress = Callable[[str], None]
"""Told which run is read next."""


@dataclass(frozen=True)
class Cell:
    """A model's run on one benchmark of the board, and what it says on the board's metric."""

    run: StoredRun
    values: Values


@dataclass(frozen=True)
class Row:
    """A model on the board.

    Args:
        model: a short name that no other model of the board has.
        full_name: the path, id or address.
        cells: by benchmark, in the board's order; None where no run qualifies.
        ranks: the best and the worst rank that it may have; None where a benchmark is missing.
        score: the combined value; None where a benchmark is missing, or there is nobody to win against.
        interval: 95 %, of the score.
    """

    model: str
    full_name: str
    cells: tuple[Cell | None, ...]
    ranks: tuple[int, int] | None = None
    score: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Left:
    """A run of one of the board's benchmarks that is not ranked, and why."""

    run: StoredRun
    model: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """A board with its models.

    Args:
        board: what was asked.
        rows: ranked ones first, in their order; then those that lack a benchmark.
        pairs: every two ranked models, by their places in `rows`.
        left: runs that are not ranked.
        problems: folders that cannot be read, and what is wrong with each.
        elsewhere: how many runs there are of benchmarks that are not on the board, by benchmark.
        without: benchmarks of the board that have no run at all.
    """

    board: Board
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    left: tuple[Left, ...]
    problems: tuple[str, ...]
    elsewhere: Mapping[str, int]
    without: tuple[str, ...] = ()

    @property
    def ranked(self) -> tuple[Row, ...]:
        """The rows with a rank."""
        return tuple(row for row in self.rows if row.ranks is not None)


def find_all(roots: Iterable[str | Path]) -> tuple[list[StoredRun], list[str]]:
    """Return every complete run below some folders, once each, and what is wrong with others.

    Raises:
        DataError: a folder is not there.
    """
    runs: dict[Path, StoredRun] = {}
    problems: list[str] = []
    for root in roots:
        found, wrong = find_runs(root)
        for run in found:
            runs.setdefault(run.path.resolve(), run)
        problems += [one for one in wrong if one not in problems]
    return list(runs.values()), problems


def make_standing(
    board: Board,
    runs: Sequence[StoredRun],
    problems: Iterable[str] = (),
    progress: Progress = lambda what: None,
) -> Standing:
    """Rank the models of runs.

    Args:
        board: which runs count, and how.
        runs: of any benchmark and model.
        problems: what is known to be wrong with other folders.
        progress: called before each run is read.
    """
    wrong, left, names = list(problems), _Left(), name_models(runs)
    columns: list[dict[str, Cell]] = []
    for entry in board.entries:
        cells: dict[Path, Cell] = {}
        for run in (run for run in runs if run.benchmark == entry.use):
            if reasons := problems_of(run, entry, board):
                left.add(run, reasons)
                continue
            progress(str(run.path))
            try:
                values = _values(run, entry)
            except HubError as error:
                if str(error) not in wrong:
                    wrong.append(str(error))
                continue
            if values.coverage < board.coverage:
                left.add(run, [_uncovered(values, board)])
            else:
                cells[run.path] = Cell(run, values)
        columns.append(_last_of_each(_of_one_setting(list(cells.values()), left), left))
    keys = list(dict.fromkeys(key for column in columns for key in column))
    whole = [key for key in keys if all(key in column for column in columns)]
    ranked, pairs = _rank(board, [[column[key] for column in columns] for key in whole])
    rows = [_row(names[key], [column.get(key) for column in columns]) for key in whole]
    rows = [
        replace(rows[at], ranks=ranks, score=score, interval=interval)
        for at, ranks, score, interval in ranked
    ]
    partly = [_row(names[key], [column.get(key) for column in columns]) for key in keys if key not in whole]
    used = {entry.use for entry in board.entries}
    elsewhere = Counter(run.benchmark for run in runs if run.benchmark not in used)
    return Standing(
        board,
        (*rows, *sorted(partly, key=lambda row: row.model)),
        tuple(pairs),
        left.listed(names),
        tuple(wrong),
        dict(sorted(elsewhere.items())),
        tuple(sorted(used - {run.benchmark for run in runs})),
    )


class _Left:
    """Collects the runs that are not ranked."""

    def __init__(self) -> None:
        self.reasons: dict[Path, tuple[StoredRun, list[str]]] = {}

    def add(self, run: StoredRun, reasons: Iterable[str]) -> None:
        known = self.reasons.setdefault(run.path, (run, []))[1]
        known += [reason for reason in reasons if reason not in known]

    def listed(self, names: Mapping[str, str]) -> tuple[Left, ...]:
        ordered = sorted(self.reasons.values(), key=lambda one: (one[0].benchmark, str(one[0].path)))
        return tuple(Left(run, names[model_key(run)], tuple(reasons)) for run, reasons in ordered)


def _values(run: StoredRun, entry: Entry) -> Values:
    once = replace(run)  # its samples are let go of when the values are read
    with as_written(once):
        return read_values(once, entry.metric)


def _uncovered(values: Values, board: Board) -> str:
    reasons = ", ".join(f"{reason} {count}" for reason, count in values.reasons.items())
    return (
        f"{values.failed} of {values.completions} completions could not be scored ({reasons}): the board "
        f"asks for a coverage of {board.coverage:g}"
    )


def _of_one_setting(cells: Sequence[Cell], left: _Left) -> list[Cell]:
    """Those that share a recipe but for the model; the hub's own and imported ones each among themselves."""
    asked = {cell.run.path: cell.values.asked for cell in cells}
    kept: list[StoredRun] = []
    for imported in (False, True):
        fit = []
        for run in (cell.run for cell in cells if bool(cell.run.imported) == imported):
            if reason := _unlike(run, kept[0], asked) if kept else "":
                left.add(run, [reason])
            else:
                fit.append(run)
        chosen, others = choose_setting(fit)
        for run, reason in others:
            left.add(run, [reason])
        kept += chosen
    paths = {run.path for run in kept}
    return [cell for cell in cells if cell.run.path in paths]


def _unlike(run: StoredRun, own: StoredRun, asked: Mapping[Path, bytes | None]) -> str:
    """What sets an imported run apart from the hub's own, of what both tell; "" for nothing."""
    if setting_of(run, loose=True) != setting_of(own, loose=True):
        return "imported, with other numbers of rows or completions than the hub's own runs"
    told = asked[run.path], asked[own.path]
    if None not in told and told[0] != told[1]:
        return "imported, and asked other prompts than the hub's own runs"
    return ""


def _last_of_each(cells: Sequence[Cell], left: _Left) -> dict[str, Cell]:
    last: dict[str, Cell] = {}
    for cell in sorted(cells, key=lambda cell: (finished(cell.run), str(cell.run.path))):
        last[model_key(cell.run)] = cell
    for cell in cells:
        newest = last[model_key(cell.run)]
        if newest is not cell:
            left.add(cell.run, [f"an older run of this model: {newest.run.path} counts"])
    return last


def _row(name: str, cells: Sequence[Cell | None]) -> Row:
    full = next(cell.run.model for cell in cells if cell is not None)
    return Row(name, full, tuple(cells))


_Ranked = tuple[int, tuple[int, int], float | None, tuple[float, float] | None]


def _rank(board: Board, models: Sequence[Sequence[Cell]]) -> tuple[list[_Ranked], list[Pair]]:
    """Places of models in their order, with rank, score and interval; and the tests."""
    whole = sum(entry.weight for entry in board.entries)
    columns = [
        _parts(board, entry, entry.weight / whole, [cells[at] for cells in models])
        for at, entry in enumerate(board.entries)
    ]
    parts = [[column[model] for column in columns] for model in range(len(models))]
    order = sorted(range(len(parts)), key=lambda at: (-combined_mean(parts[at]), models[at][0].run.model))
    pairs = compare_all([parts[at] for at in order])
    alone = board.combine == "win-rate" and len(models) < 2
    found: list[_Ranked] = []
    for at, ranks in zip(order, rank_ranges(len(order), pairs), strict=True):
        score, ends = combined_mean(parts[at]), combined_interval(parts[at])
        if not board.descending:
            score, ends = -score, None if ends is None else (-ends[1], -ends[0])
        found.append((at, ranks, None if alone else score, None if alone else ends))
    return found, pairs


def _parts(board: Board, entry: Entry, weight: float, cells: Sequence[Cell]) -> list[Part]:
    if board.combine == "win-rate":
        return [
            _share_part(cell.values, share, weight)
            for cell, share in zip(cells, _win_shares([cell.values for cell in cells], entry), strict=True)
        ]
    if board.combine == "normalized":
        zero, size = entry.chance, entry.best - entry.chance
    else:
        zero, size = 0.0, 1.0 if entry.higher_is_better else -1.0
    return [_scaled_part(cell.values, zero, size, weight) for cell in cells]


def _share_part(values: Values, share: dict[int, float], weight: float) -> Part:
    if not share:
        return Part(values, share, 0.0, None, None, weight)
    mean = sum(share.values()) / len(share)
    error = clustered_error([[value] for value in share.values()], mean)
    ends = None if error is None else (max(0.0, mean - Z_95 * error), min(1.0, mean + Z_95 * error))
    return Part(values, share, mean, error, ends, weight)


def _scaled_part(values: Values, zero: float, size: float, weight: float) -> Part:
    """Values with `zero` at 0 and `zero + size` at 1."""
    error, ends = values.standard_error, None
    if values.interval is not None:
        low, high = sorted((end - zero) / size for end in values.interval)
        ends = (low, high)
    by_prompt = {row: (value - zero) / size for row, value in values.by_prompt.items()}
    mean = (values.mean - zero) / size
    return Part(values, by_prompt, mean, None if error is None else error / abs(size), ends, weight)


def _win_shares(values: Sequence[Values], entry: Entry) -> list[dict[int, float]]:
    """For each model and prompt, the share of other models that it does better than; a tie is half."""
    sign = 1.0 if entry.higher_is_better else -1.0
    shares: list[dict[int, float]] = []
    for mine in values:
        won: dict[int, list[float]] = {}
        for other in values:
            if other is mine:
                continue
            for row, value in mine.by_prompt.items():
                if row in other.by_prompt and other.prompts[row] == mine.prompts[row]:
                    ahead = sign * (value - other.by_prompt[row])
                    won.setdefault(row, []).append(0.5 + 0.5 * ((ahead > 0) - (ahead < 0)))
        shares.append({row: sum(each) / len(each) for row, each in won.items()})
    return shares
