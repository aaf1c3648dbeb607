"""`hub score`: scores a file of completions with rewards or a mix."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.accounts import Accounts, show
from hub.cli.completions import Completions
from hub.cli.mix_options import read_mix, split
from hub.cli.results import ResultsFile, read_results, read_scores, result_line
from hub.data import DataFile
from hub.errors import DataError

if TYPE_CHECKING:
    from hub.cli.completions import Line
    from hub.mix.combine import MixScore


EXAMPLES = """\b
Examples:
  hub score --reward think-format data.jsonl
  hub score --reward math --reward think-format=0.2 --map answer=solution data.jsonl -o scores.jsonl
  hub score --mix mix.toml data.parquet -o scores.jsonl --resume
"""


@click.command("score", epilog=EXAMPLES)
@click.argument("data")
@click.option(
    "--reward", "-r", "rewards", multiple=True, metavar="NAME[=WEIGHT]", help="A reward, or FILE.py:NAME."
)
@click.option(
    "--mix", "mix_file", type=click.Path(dir_okay=False), help="A mix file (TOML), instead of --reward."
)
@click.option(
    "--with", "options", multiple=True, metavar="REWARD.OPTION=VALUE", help="An option of a --reward."
)
@click.option(
    "--map", "renames", multiple=True, metavar="NAME=COLUMN", help="What is read as NAME is in COLUMN."
)
@click.option(
    "--group", metavar="COLUMN", help="Completions to compare have this in common.  [default: their prompt]"
)
@click.option("--output", "-o", metavar="FILE", help="Write a JSON line per sample; - is standard output.")
@click.option("--resume", is_flag=True, help="Go on with an existing output.")
@click.option("--overwrite", is_flag=True, help="Begin an existing output anew.")
@click.option("--stats", "stats_file", metavar="FILE", help="Write the statistics as JSON.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: a line per sample, or with --output the statistics."
)
@click.option("--allow-failures", is_flag=True, help="Exit with 0 even where a reward failed.")
@click.option("--workers", type=click.IntRange(1), help="Worker processes.  [default: one per core]")
def command(
    data: str,
    rewards: tuple[str, ...],
    mix_file: str | None,
    options: tuple[str, ...],
    renames: tuple[str, ...],
    group: str | None,
    output: str | None,
    resume: bool,
    overwrite: bool,
    stats_file: str | None,
    as_json: bool,
    allow_failures: bool,
    workers: int | None,
) -> int:
    """Score a file of completions with rewards.

    DATA is JSONL, JSON, CSV or Parquet with a column completion (text or chat messages), usually prompt,
    and the columns that the rewards read; - reads JSONL from standard input.

    Everything is read and checked before anything runs. Results keep the order of the rows.

    Exit code 1 if a reward failed on a sample (see --allow-failures), 2 if nothing could be run.
    """
    if as_json and output is None:
        output = "-"
    _check_output(output, data, resume, overwrite)
    mix = read_mix(rewards, mix_file, options)
    rename = dict(split(text, "--map", "NAME=COLUMN") for text in renames)
    file = DataFile.from_stream(sys.stdin.buffer, rename) if data == "-" else DataFile(data, rename)
    with closing(file):
        job = Job(Completions(file, mix, group), output, workers)
        return job.run(resume, as_json and output != "-", stats_file, allow_failures)


@dataclass
class Job:
    """One run of the command.

    Args:
        completions: what is scored, and the mix.
        output: where results go; None: nowhere.
        workers: worker processes; None: the engine's own choice.
        rows: how many there are, once checked.
        done: how many have a result.
    """

    completions: Completions
    output: str | None
    workers: int | None
    rows: int = 0
    done: int = 0
    accounts: Accounts = field(init=False)

    def __post_init__(self) -> None:
        self.accounts = Accounts.of(self.completions.mix.names)

    def run(self, resume: bool, as_json: bool, stats_file: str | None, allow_failures: bool) -> int:
        """Check, score, write, tell; return the exit code."""
        from rich.console import Console

        started = time.monotonic()
        mix = self.completions.mix
        self.stops = mix.config.on_failure == "raise"
        if self.stops:  # so that what was scored until then is written, and the message names the line
            mix.config = replace(mix.config, on_failure="mask")
        self.rows = self.completions.check()
        self.done, keep = self._resume() if resume else (0, 0)
        resumed, stopped = self.done, ""
        ran: dict[str, dict[str, Any]] = {}
        if self.done < self.rows:
            from hub.engine.engine import Engine

            with Engine(self.workers) as engine:
                mix.warm(engine)
                try:
                    self._score(engine, keep)
                except _Stopped as error:
                    stopped = str(error)
                except BrokenPipeError:
                    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                    return 1
                except KeyboardInterrupt:
                    if self.output not in (None, "-"):
                        click.echo(f"what was scored is in {self.output}: go on with --resume", err=True)
                    raise
                ran = mix.stats(engine)
        summary = {
            "data": self.completions.data.path,
            "rows": self.rows,
            "done": self.done,
            "resumed": resumed,
            "seconds": round(time.monotonic() - started, 3),
            **self.accounts.summary(ran),
        }
        if as_json:
            click.echo(json.dumps(summary, indent=2))
        else:
            show(summary, self.accounts.examples, Console(stderr=self.output == "-"))
        if stats_file is not None:
            _write_stats(stats_file, summary)
        if stopped:
            click.echo(f"error: {stopped}", err=True)
        return int(bool(stopped) or (self.accounts.failed > 0 and not allow_failures))

    def _resume(self) -> tuple[int, int]:
        """Count the results that the output has; return how many, and the bytes they take."""
        assert self.output is not None
        done = keep = 0
        if not Path(self.output).exists():
            return done, keep
        names, lines = list(self.completions.mix.names), iter(self.completions)
        for keep, record in read_results(self.output):  # noqa: B007 - the last one is returned
            done += 1
            line = next(lines, None)
            where = f"{self.output}:{done}"
            again = "; --overwrite begins anew"
            if line is None:
                raise DataError(f"{where}: more results than {self.completions.data.path} has rows{again}")
            if record["id"] != line.sample.id:
                message = f"is the result of id {record['id']!r}, but row {done} has {line.sample.id!r}"
                raise DataError(f"{where}: {message}{again}")
            if list(record["scores"]) != names:
                message = f"has the rewards {', '.join(record['scores'])}, not {', '.join(names)}"
                raise DataError(f"{where}: {message}{again}")
            self._count(line, record["score"], read_scores(record))
        return done, keep

    def _score(self, engine: Any, keep: int) -> None:
        results = None if self.output is None else ResultsFile(self.output, keep)
        try:
            with _progress(self.rows, self.done) as advance:
                for lines, scored in self.completions.score(engine, self.done):
                    stop = self._first_failure(lines, scored) if self.stops else None
                    fine = list(zip(lines, scored, strict=True))[:stop]
                    if results is not None:
                        results.write([result_line(line.sample, result) for line, result in fine])
                    for line, result in fine:
                        self._count(line, result.value, result.scores)
                    self.done += len(fine)
                    advance(len(fine))
                    if stop is not None:
                        raise _Stopped(self._why(lines[stop], scored[stop]))
        finally:
            if results is not None:
                results.close()

    def _count(self, line: "Line", value: float | None, scores: Any) -> None:
        self.accounts.add(f"{self.completions.data.path}:{line.number}", value, scores)

    @staticmethod
    def _first_failure(lines: "list[Line]", scored: "list[MixScore]") -> int | None:
        failed = (i for i, result in enumerate(scored) if any(s.fault for s in result.scores.values()))
        return next(failed, None)

    def _why(self, line: "Line", result: "MixScore") -> str:
        name, score = next((name, score) for name, score in result.scores.items() if score.fault)
        where = f"{self.completions.data.path}:{line.number}"
        return f'{where}: reward {name!r}: {score.reason}: {score.detail} (on_failure = "raise")'


class _Stopped(Exception):
    """A reward failed, and the mix says that this ends the run."""


@contextmanager
def _progress(rows: int, done: int) -> Iterator[Any]:
    """Show a bar with rate and time left on a terminal's stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(f"{task.speed or 0:.0f}/s")

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=rows, completed=done)
        yield lambda count: progress.advance(task, count)


def _check_output(output: str | None, data: str, resume: bool, overwrite: bool) -> None:
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other")
    if output in (None, "-"):
        if resume:
            raise click.UsageError("--resume needs an --output FILE")
        return
    assert output is not None
    path = Path(output)
    if not path.parent.is_dir():
        raise DataError(f"{output} cannot be written: there is no folder {str(path.parent)!r}")
    if path.exists() and Path(data).exists() and path.samefile(data):
        raise click.UsageError(f"{output} is the data itself")
    if path.is_file() and path.stat().st_size and not (resume or overwrite):
        raise DataError(f"{output} exists: --resume goes on with it, --overwrite begins it anew")


def _write_stats(path: str, summary: dict[str, Any]) -> None:
    try:
        Path(path).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from error
