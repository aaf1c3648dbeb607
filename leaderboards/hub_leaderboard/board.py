"""Reads a board: which benchmarks, which metric of each, how they combine, which runs qualify."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from hub.errors import ConfigError, UnknownName, nearest
from hub.generator import Decoding
from hub.mix.config import Source

T = TypeVar("T")
COMBINE = ("mean", "normalized", "win-rate")
"""How a model's benchmarks become one number, see `Board.combine`."""
METRIC = re.compile(r"category:.+|metric:.+|pass@[1-9]\d*")
"""Metrics beside the score and the rewards."""
_KEYS = ("title", "summary", "combine", "coverage", "imported", "benchmark")
_ENTRY_KEYS = (
    "use", "title", "metric", "weight", "higher_is_better", "chance", "best", "split", "options", "rows",
    "samples_per_prompt", "decoding", "mix", "data_hash",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One `[[benchmark]]` of a board.

    Args:
        use: the benchmark's name, e.g. "gsm8k".
        title: what tables call it; by default its name, and the metric where that is not the score.
        metric: "score", the name of a reward, "category:NAME", "pass@K", or "metric:NAME", a number of the
            benchmark's own.
        weight: its share in the mean, in proportion to the other weights; greater than 0.
        higher_is_better: whether larger values rank first.
        chance: the value of guessing, which `combine = "normalized"` maps to 0.
        best: the highest value there is, which it maps to 1.
        split: None: the benchmark's first.
        options: of the benchmark's rows; a run with others does not qualify.
        rows: only runs with `--limit` of this many rows; None: only runs of all rows.
        samples_per_prompt: completions of each prompt.
        decoding: fields that must be so; {}: the benchmark's own decoding.
        mix: the first digits of the mix's hash; "": the benchmark's own mix.
        data_hash: the first digits of the SHA-256 over the rows; "" for any.
    """

    use: str
    title: str
    metric: str = "score"
    weight: float = 1.0
    higher_is_better: bool = True
    chance: float = 0.0
    best: float = 1.0
    split: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None
    samples_per_prompt: int = 1
    decoding: Mapping[str, Any] = field(default_factory=dict)
    mix: str = ""
    data_hash: str = ""


@dataclass(frozen=True)
class Board:
    """A board.

    Args:
        name: its file's name without the ending.
        title: for people.
        summary: what it measures, in a sentence or two.
        entries: its benchmarks, in the order of the columns.
        combine: "mean" (of the values), "normalized" (mean of what is left of each value when guessing is 0
            and the best is 1), or "win-rate" (how often a model does better than another one on the same
            prompt, ties half: mean over prompts, other models, benchmarks).
        coverage: the least share of a run's completions that must not have failed, from 0 to 1; where rewards
            stand in a model's place, nor been left unjudged.
        imported: runs that other tools made and graded are taken too.
    """

    name: str
    title: str
    summary: str
    entries: tuple[Entry, ...]
    combine: str = "mean"
    coverage: float = 0.99
    imported: bool = False

    @property
    def descending(self) -> bool:
        """Whether the largest combined value ranks first."""
        return self.combine != "mean" or self.entries[0].higher_is_better


def shipped() -> dict[str, Path]:
    """Return the files of the boards that come with the hub, by name."""
    inside = Path(__file__).parent / "boards"  # of a wheel; in a checkout they lie beside the package
    folder = inside if inside.is_dir() else Path(__file__).parents[1] / "boards"
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}


def open_board(name: str) -> Board:
    """Read a board that ships with the hub, or a file.

    Args:
        name: as `hub leaderboard list` shows it, or path/to/file.toml.

    Raises:
        UnknownName: no such board ships.
        ConfigError: the file cannot be read or is wrong.
    """
    if name.endswith(".toml"):
        return read_board(Path(name))
    known = shipped()
    if name not in known:
        raise UnknownName("board", name, known, "Give a file of your own as path/to/board.toml")
    return read_board(known[name])


def read_board(path: Path) -> Board:
    """Read a board's file.

    Raises:
        ConfigError: it cannot be read, or is wrong; names the line.
    """
    source, data = Source.read(path)
    return parse_board(data, source, path.stem)


def parse_board(data: Mapping[str, Any], source: Source, name: str) -> Board:
    """Make a board of its tables.

    Args:
        data: as in the file.
        source: for messages.
        name: the board's.

    Raises:
        ConfigError: a key is unknown or missing, or a value is unfit.
    """
    read = _Table(data, (), source, _KEYS)
    tables = data.get("benchmark")
    if not isinstance(tables, list) or not tables:
        raise source.error(("benchmark",), "a board needs at least one [[benchmark]]")
    board = Board(
        name,
        read.required("title", _text),
        read.value("summary", "", _text),
        tuple(_entry(table, ("benchmark", at), source) for at, table in enumerate(tables)),
        read.value("combine", "mean", _one_of(COMBINE)),
        read.value("coverage", 0.99, _share),
        read.value("imported", False, _boolean),
    )
    for at, entry in enumerate(board.entries):
        same = [one for one in board.entries[:at] if (one.use, one.metric) == (entry.use, entry.metric)]
        if same:
            raise source.error(("benchmark", at, "use"), f"{entry.use!r} is there twice with one metric")
        if board.combine == "win-rate" and entry.metric.startswith("metric:"):
            raise source.error(
                ("benchmark", at, "metric"), f"{entry.metric} has no values by prompt, which a win rate needs"
            )
        if board.combine == "mean" and entry.higher_is_better != board.entries[0].higher_is_better:
            raise source.error(
                ("benchmark", at, "higher_is_better"),
                "a mean needs one direction: where some values are better higher and some lower, use "
                'combine = "normalized" or "win-rate"',
            )
    return board


def _entry(table: Any, at: tuple[str | int, ...], source: Source) -> Entry:
    read = _Table(table, at, source, _ENTRY_KEYS)
    use, metric = read.required("use", _text), read.value("metric", "score", _text)
    up = read.value("higher_is_better", True, _boolean)
    entry = Entry(
        use,
        read.value("title", use if metric == "score" else f"{use} {metric}", _text),
        metric,
        read.value("weight", 1.0, _positive),
        up,
        read.value("chance", 0.0 if up else 1.0, _number),
        read.value("best", 1.0 if up else 0.0, _number),
        read.value("split", None, _text),
        read.value("options", {}, _table),
        read.value("rows", None, _count),
        read.value("samples_per_prompt", 1, _count),
        read.value("decoding", {}, _decoding),
        read.value("mix", "", _digest),
        read.value("data_hash", "", _digest),
    )
    if entry.best == entry.chance or (entry.best > entry.chance) != up:
        side = "above" if up else "below"
        raise source.error((*at, "best"), f"should lie {side} the value of guessing, {entry.chance:g}")
    if metric.startswith("pass@") and METRIC.fullmatch(metric) and int(metric[5:]) > entry.samples_per_prompt:
        raise source.error((*at, "metric"), f"{metric} needs samples_per_prompt of at least {metric[5:]}")
    if metric.startswith(("pass@", "category:", "metric:", "maj@")) and not METRIC.fullmatch(metric):
        raise source.error((*at, "metric"), "should be score, a reward, category:NAME, pass@K or metric:NAME")
    return entry


class _Table:
    """A table of the file, whose keys are known."""

    def __init__(self, table: Any, at: tuple[str | int, ...], source: Source, known: tuple[str, ...]) -> None:
        if not isinstance(table, Mapping):
            raise source.error(at, f"should be a table, not {table!r}")
        for key in table:
            if key not in known:
                raise source.error((*at, key), f"unknown key{nearest(str(key), known)}")
        self.table, self.at, self.source = table, at, source

    def value(self, key: str, default: Any, read: Callable[[Any], Any]) -> Any:
        if key not in self.table:
            return default
        try:
            return read(self.table[key])
        except ValueError as error:
            raise self.source.error((*self.at, key), str(error)) from None

    def required(self, key: str, read: Callable[[Any], T]) -> T:
        if key not in self.table:
            raise self.source.error((*self.at, key), "is missing")
        return self.value(key, None, read)  # type: ignore[no-any-return]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"should be text, not {value!r}")
    return value.strip()


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"should be true or false, not {value!r}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"should be a number, not {value!r}")
    return float(value)


def _positive(value: object) -> float:
    if (number := _number(value)) <= 0:
        raise ValueError(f"should be greater than 0, not {value!r}")
    return number


def _share(value: object) -> float:
    if not 0 <= (number := _number(value)) <= 1:
        raise ValueError(f"should be from 0 to 1, not {value!r}")
    return number


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"should be a whole number of at least 1, not {value!r}")
    return value


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"should be a table, not {value!r}")
    return dict(value)


def _decoding(value: object) -> Mapping[str, Any]:
    known = [one.name for one in fields(Decoding)]
    for key in (table := _table(value)):
        if key not in known:
            raise ValueError(f"has {key!r}, which no decoding has{nearest(str(key), known)}")
    return table


def _digest(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{8,64}", value):
        raise ValueError(f"should be the first 8 or more digits of a hash (0-9, a-f), not {value!r}")
    return value


def _one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in choices:
            raise ValueError(f"should be one of {', '.join(choices)}, not {value!r}")
        return str(value)

    return read


def check_names(board: Board) -> None:
    """Raise unless the hub knows a board's benchmarks, their splits and rewards.

    Raises:
        UnknownName: there is no such benchmark or split.
        ConfigError: a metric is none that the benchmark's own mix can give.
    """
    from hub.evaluation.plan import find_benchmark
    from hub.mix.mix import Mix

    for entry in board.entries:
        try:
            benchmark = find_benchmark(entry.use)
        except UnknownName as error:
            error.args = (_unknown(error),)
            raise
        if entry.split is not None and entry.split not in benchmark.splits:
            raise UnknownName(f"split of benchmark {entry.use!r}", entry.split, benchmark.splits)
        if benchmark.headline and entry.metric == "score" and not entry.mix:
            raise ConfigError(
                f"board {board.name!r}: benchmark {entry.use!r} has no one score, but "
                f"{' and '.join(benchmark.headline)}: name one as its metric"
            )
        if entry.mix or METRIC.fullmatch(entry.metric) or entry.metric == "score":
            continue
        names = Mix.from_tables(benchmark.rewards).names
        if entry.metric not in names:
            raise ConfigError(
                f"board {board.name!r}: benchmark {entry.use!r} has no reward {entry.metric!r}"
                f"{nearest(entry.metric, ['score', *names])}"
            )


def unknown_benchmarks(names: Iterable[str]) -> list[str]:
    """Return what `check_names` says of those names that no installed benchmark has, a sentence each.

    Nothing is opened for it: no file with a benchmark, and no family, whose names are all taken for good.
    """
    from hub.plugins import load

    installed, found = load(), []
    for name in names:
        if name.partition("/")[0] in installed.families:
            continue
        try:
            installed.benchmarks[name]
        except UnknownName as error:
            found.append(_unknown(error))
    return found


def _unknown(error: UnknownName) -> str:
    said = str(error)
    end = "" if said.endswith("?") else "."
    return f"{said}{end} One from a file is ranked by its name, but cannot be checked"
