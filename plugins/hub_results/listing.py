"""Runs below a folder, as rows."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from hub.errors import ConfigError, nearest
from hub.evaluation.recipe import hash_recipe
from hub.evaluation.stored import TOTAL, StoredRun

COLUMNS = (
    "benchmark", "metric", "model", "score", "low", "high", "n", "failed", "finished", "recipe", "path",
    "imported",
)  # fmt: skip
"""Of a row: the score's 95 % interval is low to high; `recipe` is its hash; `finished` is in UTC; `imported`
names another tool that made and graded it, with its version."""


def choose(
    runs: Iterable[StoredRun], *, benchmark: str = "*", model: str = "*", newest: bool = False
) -> list[StoredRun]:
    """Choose runs by patterns (`*`, `?`) of their benchmark's and model's names.

    Args:
        runs: to choose from.
        benchmark: pattern of the benchmark's name.
        model: pattern of the model's name, or of its last part.
        newest: of runs with the same benchmark and model, only the one that finished last.
    """
    chosen = [
        run
        for run in runs
        if fnmatchcase(run.benchmark, benchmark)
        and (fnmatchcase(run.model, model) or fnmatchcase(run.model.rpartition("/")[2], model))
    ]
    if newest:
        last: dict[tuple[str, str], StoredRun] = {}
        for run in sorted(chosen, key=finished):
            last[run.benchmark, run.model] = run
        chosen = [run for run in chosen if last[run.benchmark, run.model] is run]
    return chosen


def rows(run: StoredRun, metrics: Iterable[str] = (TOTAL,)) -> Iterator[dict[str, Any]]:
    """Yield a row per metric of a run (see `COLUMNS`).

    Args:
        run: what was evaluated.
        metrics: "score" (of a benchmark with a headline, its rewards), a reward's name, "pass@K",
            "metric:NAME" (of the benchmark's own), or "category:NAME".

    Raises:
        ConfigError: the run has no such metric.
    """
    known = metrics_of(run)
    headline = run.result["benchmark"].get("headline") or [TOTAL]
    for metric in (name for asked in metrics for name in (headline if asked == TOTAL else [asked])):
        if metric not in known:
            raise ConfigError(f"{run.path}: there is no metric {metric!r}{nearest(metric, known)}")
        account = known[metric]
        low, high = account.get("interval_95") or (None, None)
        yield {
            "benchmark": run.benchmark,
            "metric": metric,
            "model": run.model,
            "score": account["mean"],
            "low": low,
            "high": high,
            "n": account["n"],
            "failed": account["failed"],
            "finished": finished(run),
            "recipe": hash_recipe(run.recipe),
            "path": str(run.path),
            "imported": run.imported,
        }


def metrics_of(run: StoredRun) -> dict[str, dict[str, Any]]:
    """Return the account of every metric of a run, by name."""
    scores = run.result["scores"]
    total = scores["total"]
    powers = {
        f"pass@{k}": {"mean": value, "n": total["prompts"], "failed": total["failed"], "interval_95": None}
        for k, value in total["pass_at_k"].items()
    }
    categories = {f"category:{name}": account for name, account in scores["categories"].items()}
    plain = {"n": total["prompts"], "failed": total["failed"], "interval_95": None}
    estimates = scores.get("metric_estimates", {})
    own = {
        f"metric:{name}": {**plain, **estimates.get(name, {}), "mean": value}
        for name, value in scores.get("metrics", {}).items()
    }
    return {TOTAL: total, **powers, **scores["rewards"], **own, **categories}


def finished(run: StoredRun) -> str:
    """Return when the run was complete, in ISO 8601; "" where it is not known."""
    return str(run.result.get("time", {}).get("finished", ""))
