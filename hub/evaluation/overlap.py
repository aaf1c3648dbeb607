"""Refuses to train on a benchmark's rows that it is also evaluated on."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from hub.benchmark import Benchmark
from hub.errors import DataError, HubError
from hub.evaluation.plan import read_rows
from hub.sample import Sample

WHERE = ("path", "dataset", "config")
"""Options that say where a benchmark's data is."""
_log = logging.getLogger("hub")


def check_overlap(
    benchmark: Benchmark, options: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], split: str = "train"
) -> None:
    """Raise if a row to train on has the question of a row of another split.

    Questions are the same where the text of the last user message is, whatever its spaces and case. The other
    splits are read with the same options. Where these name data that has no such split (one file, for
    instance, is every split), the others are read from where they usually are; if they are not there either,
    that is logged as a warning, and nothing is refused.

    Args:
        benchmark: whose rows they are.
        options: that they were read with.
        rows: to train on.
        split: of which they are.

    Raises:
        DataError: there are such rows; names the first ones.
    """
    train = {_question(row): row.get("id") for row in rows}
    for other in (name for name in benchmark.splits if name != split):
        found = _read(benchmark, other, options, set(train))
        if found is None:
            _log.warning(
                "benchmark %s: its split %r is not here, so the rows to train on are not checked against it",
                benchmark.name,
                other,
            )
            continue
        same = [(train[question], row["id"]) for row in found if (question := _question(row)) in train]
        if same:
            named = ", ".join(f"{mine!r} is {theirs!r}" for mine, theirs in same[:3])
            raise DataError(
                f"benchmark {benchmark.name!r}: {len(same)} rows of {split!r} are also in {other!r} "
                f"({named}): a model that is trained on them cannot be evaluated on {other!r}; train on "
                "other data, or write the rows to a file without these"
            )


def _read(
    benchmark: Benchmark, split: str, options: Mapping[str, Any], train: set[str]
) -> list[dict[str, Any]] | None:
    """The rows of a split; None where they are not to be had."""
    elsewhere = {name: value for name, value in options.items() if name not in WHERE}
    for given in (options, elsewhere) if elsewhere != options else (options,):
        try:
            rows = read_rows(benchmark, split, given)
        except HubError:
            continue
        if given is not options or elsewhere == options or {_question(row) for row in rows} != train:
            return rows
    return None


def _question(row: Mapping[str, Any]) -> str:
    return " ".join(Sample(row.get("prompt", "")).prompt_text.split()).casefold()
