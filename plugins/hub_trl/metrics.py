"""What a scored batch adds to the trainer's log."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub import MixScore, Outcome


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
    metrics = {"hub/masked": sum(r.total.outcome is Outcome.FAILED for r in results) / count}
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
