"""A file of completions on its way through a mix: checked as a whole, then scored in windows."""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from hub.data import DataFile, Row
from hub.engine.engine import Engine
from hub.errors import BadInput, ConfigError, DataError
from hub.evaluation.folder import REFUSED
from hub.mix.combine import MixScore
from hub.mix.mix import Mix
from hub.sample import Sample

AHEAD = 2
"""Windows under way at once, so that no worker idles while a window waits for its slowest sample."""
FIRST_ROWS, FEWEST_ROWS, MOST_ROWS = 256, 64, 4096
WINDOW_S = 1.0
"""How long a window should take: what an interrupt can lose."""


@dataclass(frozen=True, slots=True)
class Line:
    """One completion to score, and the line (or row) of the file that it stands in."""

    number: int
    sample: Sample


@dataclass(frozen=True)
class Window:
    """Consecutive completions that are scored together.

    Args:
        start: how many rows of the file come before.
        lines: the completions.
        future: their results.
    """

    start: int
    lines: list[Line]
    future: "Future[list[MixScore]]"


@dataclass
class Completions:
    """The rows of a file as samples.

    Args:
        data: has the columns completion and, if there is one, prompt and id; all others are for the
            rewards.
        mix: what will score them.
        group: the column that tells which completions are compared with each other; None: those of
            one prompt.
    """

    data: DataFile
    mix: Mix
    group: str | None = None
    _keeps_groups: bool = field(init=False)
    _last: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        mix = self.mix
        self._keeps_groups = bool(mix.groupwise) or mix.config.aggregate == "normalize_then_sum"

    def __iter__(self) -> Iterator[Line]:
        """Yield every row as a sample.

        Raises:
            DataError: a row cannot be read, or has no completion that is text or messages.
        """
        for row in self.data:
            yield Line(row.number, self._sample(row))

    def check(self) -> int:
        """Read all rows before anything runs; return how many there are.

        Raises:
            DataError: there are none, or one cannot be used.
            ConfigError: a row lacks a column that a reward needs, or no reward takes it.
        """
        at = 0

        def columns() -> Iterator[Mapping[str, Any]]:
            nonlocal at
            for index, line in enumerate(self):
                at = line.number
                if self._keeps_groups:
                    self._last[_group(line.sample)] = index
                yield line.sample.columns

        try:
            count = self.mix.check(columns())
        except ConfigError as error:
            raise ConfigError(f"{self.data.path}:{at}: {error}") from error
        if not count:
            raise DataError(f"{self.data.path} has no rows")
        return count

    def score(self, engine: Engine, skip: int = 0) -> Iterator[tuple[list[Line], list[MixScore]]]:
        """Score after `check`; yield results in the file's order, window by window.

        Args:
            engine: what runs the rewards.
            skip: how many rows, from the start, have a result already. Where rewards compare the
                completions of a group, rows of a group that was cut are scored again, not yielded.
        """
        blocks, waiting = self._blocks(skip), deque[Window]()
        rows, since = FIRST_ROWS, time.monotonic()
        while True:
            while len(waiting) < AHEAD and (window := self._begin(blocks, rows, engine)):
                waiting.append(window)
            if not waiting:
                return
            window = waiting.popleft()
            results = window.future.result()
            now = time.monotonic()
            rows = round(len(results) / max(now - since, 1e-3) * WINDOW_S)
            rows, since = min(max(rows, FEWEST_ROWS), MOST_ROWS), now
            new = max(0, skip - window.start)
            yield window.lines[new:], results[new:]

    def _sample(self, row: Row) -> Sample:
        columns = dict(row.columns)
        if "completion" not in columns:
            known = ", ".join(columns) or "none"
            message = f"has no column 'completion' (it has: {known}); rename one with --map completion=COLUMN"
            raise self.data.error(row.number, message)
        name, prompt = columns.pop("id", None), columns.pop("prompt", None)
        group = None
        if self.group is not None:
            if self.group not in row.columns:
                raise self.data.error(row.number, f"has no column {self.group!r}, which --group names")
            group = repr(row.columns[self.group])
        result = columns.get("result")
        refused = isinstance(result, Mapping) and result.get("finish") == REFUSED
        named = isinstance(name, str | int) and not isinstance(name, bool)
        sample = Sample(
            prompt="" if prompt is None else prompt,
            completion=columns.pop("completion"),
            columns=columns,
            group=group,
            id=name if named else row.number,
        )
        try:
            # Null is what a run has where the model refused: rewards fail on that sample alone.
            assert refused or sample.text is not None
            assert sample.prompt_text is not None
        except BadInput as error:
            raise self.data.error(row.number, str(error)) from error
        return sample

    def _blocks(self, skip: int) -> Iterator[tuple[int, list[Line]]]:
        """Yield the smallest runs of rows that no group reaches out of, after those to skip."""
        block: list[Line] = []
        start = until = 0
        for index, line in enumerate(self):
            block.append(line)
            if self._keeps_groups:
                until = max(until, self._last[_group(line.sample)])
            if index >= until:
                if index >= skip:
                    yield start, block
                block, start = [], index + 1

    def _begin(self, blocks: Iterator[tuple[int, list[Line]]], rows: int, engine: Engine) -> Window | None:
        start, lines = next(blocks, (0, []))
        if not lines:
            return None
        while len(lines) < rows and (block := next(blocks, None)):
            lines += block[1]
        future: Future[list[MixScore]] = Future()

        def run() -> None:
            try:
                future.set_result(self.mix.score([line.sample for line in lines], engine=engine))
            except BaseException as error:
                future.set_exception(error)

        # A daemon, and no pool of threads: a call in the batch lane cannot be killed, and must not
        # keep an interrupted command from ending.
        Thread(target=run, name="hub-score", daemon=True).start()
        return Window(start, lines, future)


def _group(sample: Sample) -> int:
    """A number for the sample's group; two groups of the same number are merely kept together."""
    return hash(repr(sample.prompt) if sample.group is None else sample.group)
