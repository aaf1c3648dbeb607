"""The samples of a run, chosen by what came of them."""

from collections.abc import Iterator
from typing import Any

from hub.evaluation.stored import TOTAL, StoredRun

KINDS = ("all", "right", "wrong", "failed", "abstained", "cut")
"""right: the highest value of the run; wrong: any lower one; cut: ended at the length limit."""


def samples(
    run: StoredRun, kind: str = "all", *, metric: str = TOTAL, id: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield lines of samples.jsonl in their order.

    Args:
        run: what was evaluated.
        kind: one of `KINDS`.
        metric: whose value decides what is right or wrong.
        id: only samples of this row.

    Raises:
        ConfigError: the run has no such metric.
        DataError: its samples cannot be read.
    """
    scores = run.scores(metric)
    highest = max((s["value"] for s in scores.values() if s["value"] is not None), default=0.0)
    for key in sorted(scores):
        score, line = scores[key], run.samples[key]
        if id is not None and str(line["id"]) != id:
            continue
        value = score["value"]
        holds = {
            "all": True,
            "right": value is not None and value == highest and highest > 0,
            "wrong": value is not None and (value < highest or highest <= 0),
            "failed": score["outcome"] == "failed",
            "abstained": score["outcome"] == "abstained",
            "cut": line["result"]["finish"] == "length",
        }
        if holds[kind]:
            yield line
