"""What a scored batch adds to the trainer's log, and to its table of completions."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub import MixScore, Outcome, Score
from hub.training.lower import has_total


def batch_metrics(
    results: Sequence[MixScore], stats: Mapping[str, Mapping[str, Any]], with_means: bool
) -> dict[str, float]:
    """Return finite numbers by name. Which names depends on the mix, not on what failed.

    Exceptions are means and times of which there are none yet.

    Args:
        results: one per sample of the batch; empty gives nothing.
        stats: the mix's accounts, by reward (see `Mix.stats`).
        with_means: also each reward's mean over the samples that have a total, `rewards/<name>/mean`.
    """
    if not results:
        return {}
    count = len(results)
    metrics = {"hub/missing": sum(not has_total(result) for result in results) / count}
    for name, account in stats.items():
        scores = [result.scores[name] for result in results]
        metrics[f"hub/failed/{name}"] = sum(s.outcome is Outcome.FAILED for s in scores) / count
        for quantile, value in (account["run_ms"] or {}).items():
            metrics[f"hub/run_ms_{quantile}/{name}"] = value
        if with_means:
            values = [r.scores[name].value for r in results if r.value is not None]
            present = [value for value in values if value is not None]
            if present:
                metrics[f"rewards/{name}/mean"] = sum(present) / len(present)
    return metrics


def batch_columns(results: Sequence[MixScore], with_values: bool) -> dict[str, list[Any]]:
    """Return columns for TRL's table of completions: one value per sample, the same columns every time.

    Args:
        results: one per sample.
        with_values: also each reward's value, `hub/value/<name>`, None where there is none.
    """
    columns: dict[str, list[Any]] = {}
    for name in results[0].scores if results else ():
        scores = [result.scores[name] for result in results]
        columns[f"hub/reason/{name}"] = [_explain(score) for score in scores]
        if with_values:
            columns[f"hub/value/{name}"] = [score.value for score in scores]
    return columns


def _explain(score: Score) -> str:
    """Why the score is what it is: its reason, what was compared, and what the reward kept."""
    parts = [str(score.reason), score.detail, *(f"{key}={value!r:.200}" for key, value in score.info.items())]
    return "; ".join(part for part in parts if part)
