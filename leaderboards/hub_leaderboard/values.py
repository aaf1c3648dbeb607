"""A run's values on one metric: by prompt, for tests; and its mean, as the run's result says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from hub.errors import ConfigError, DataError, nearest
from hub.evaluation.checked import account_of, check_count, check_mean, scores_of
from hub.evaluation.statistics import estimate, pass_at_k
from hub.evaluation.stored import TOTAL, StoredRun


@dataclass(frozen=True)
class Values:
    """What a run says on one metric.

    Args:
        mean: over all completions that have a value, or over prompts for pass@k.
        standard_error: of the mean; None with fewer than two prompts.
        interval: 95 %, of the mean; None where there is none.
        completions: how many the metric is about.
        failed: those that could not be scored.
        reasons: of these, how many by reason.
        abstained: those to which it does not apply.
        by_prompt: the mean of each prompt's values, by row, where it has any; turns of one conversation are
            one.
        prompts: a digest of each prompt, by row: two runs are compared where these agree.
        binary: each prompt has a single value, of 0 or 1.
        asked: a digest of all prompts as plain text, which runs of two tools can have in common; None where
            they are messages, or in the form of a model's chat template.
    """

    mean: float
    standard_error: float | None
    interval: tuple[float, float] | None
    completions: int
    failed: int
    reasons: Mapping[str, int]
    abstained: int
    by_prompt: Mapping[int, float]
    prompts: Mapping[int, bytes]
    binary: bool
    asked: bytes | None = None

    @property
    def coverage(self) -> float:
        """The share of completions that did not fail."""
        return 1 - self.failed / self.completions if self.completions else 0.0


def read_values(run: StoredRun, metric: str) -> Values:
    """Read a run's values.

    Args:
        run: a complete run.
        metric: "score", a reward's name, "category:NAME", "pass@K", or "metric:NAME", of which nothing is
            known by prompt.

    Raises:
        ConfigError: the run has no such metric.
        DataError: the samples cannot be read, are not all there, or say something else than the result.
    """
    if metric.startswith("metric:"):
        return _own(run, metric)
    name = TOTAL if metric.startswith("pass@") else metric
    check_count(run)
    scores = scores_of(run, name)
    check_mean(run, name, scores)
    begins = _conversations(run)
    groups: dict[int, list[float]] = {}
    prompts: dict[int, bytes] = {}
    for (row, sample), score in sorted(scores.items()):
        line = run.samples[row, sample]  # another tool's prompts are in the model's own template
        prompts.setdefault(begins[row], _digest(line.get("doc") if run.imported else line["prompt"]))
        if score["value"] is not None:
            groups.setdefault(begins[row], []).append(float(score["value"]))
    if not groups:
        raise DataError(f"{run.path}: nothing has a value on {metric!r}")
    account = account_of(run, name)
    powers = _powers(groups, int(metric[5:])) if metric.startswith("pass@") else None
    if powers is not None and not powers:
        raise DataError(f"{run.path}: no prompt has enough values for {metric}")
    means = (
        powers if powers is not None else {row: sum(values) / len(values) for row, values in groups.items()}
    )
    binary = all(len(values) == 1 and values[0] in (0.0, 1.0) for values in groups.values())
    if powers is not None:
        estimated = estimate([[value] for value in powers.values()])
        low, high = estimated.low, estimated.high
        mean, error = float(estimated.mean or 0.0), estimated.standard_error
    else:
        mean, error = float(account["mean"]), account.get("standard_error")
        low, high = account.get("interval_95") or (None, None)
    return Values(
        mean,
        None if error is None else float(error),
        None if low is None or high is None else (float(low), float(high)),
        *_outcomes(run, scores),
        means,
        prompts,
        binary,
        _asked(run),
    )


def _own(run: StoredRun, metric: str) -> Values:
    """What the benchmark's own metric says; its uncertainty where the benchmark tells one."""
    name, found = metric.removeprefix("metric:"), run.result["scores"].get("metrics") or {}
    if name not in found:
        known = [f"metric:{one}" for one in found] or [TOTAL]
        raise ConfigError(f"{run.path}: there is no metric {metric!r}{nearest(metric, known)}")
    if found[name] is None:
        raise DataError(f"{run.path}: {metric} has no value")
    about = (run.result["scores"].get("metric_estimates") or {}).get(name) or {}
    error, interval = about.get("standard_error"), about.get("interval_95")
    return Values(
        float(found[name]),
        None if error is None else float(error),
        (float(interval[0]), float(interval[1])) if interval else None,
        *_outcomes(run, run.scores()),
        {},
        {},
        binary=False,
        asked=_asked(run),
    )


def _outcomes(run: StoredRun, scores: Mapping[Any, Any]) -> tuple[int, int, dict[str, int], int]:
    """How many completions there are, how many failed, of these by reason, and how many abstained.

    Where rewards stand in a model's place, one that abstains has left a row unjudged: that counts as failed.
    """
    outcomes = [str(score["outcome"]) for score in scores.values()]
    reasons = [str(score["reason"]) for score in scores.values() if score["outcome"] == "failed"]
    abstained = outcomes.count("abstained")
    if isinstance(run.recipe["model"].get("rewards"), Mapping):
        reasons, abstained = [*reasons, *["abstained"] * abstained], 0
    return (
        len(scores),
        len(reasons),
        {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        abstained,
    )


def _powers(groups: Mapping[int, list[float]], k: int) -> dict[int, float]:
    """The chance that one of k completions of each prompt is right."""
    if any(value not in (0.0, 1.0) for values in groups.values() for value in values):
        raise ConfigError(f"pass@{k} is about values of 0 and 1")
    return {row: pass_at_k([values])[k] for row, values in groups.items() if len(values) >= k}


def _conversations(run: StoredRun) -> dict[int, int]:
    """For each row, the row that its conversation begins with."""
    lines = {row: line for (row, sample), line in sorted(run.samples.items()) if sample == 0}
    rows = {line["id"]: row for row, line in lines.items()}
    begins: dict[int, int] = {}
    for row, line in lines.items():
        after = line.get("after")
        begins[row] = row if after is None or after not in rows else begins.get(rows[after], row)
    return {row: begins.get(row, row) for row, _ in run.samples}


def _asked(run: StoredRun) -> bytes | None:
    prompts = [line["prompt"] for (_, sample), line in sorted(run.samples.items()) if sample == 0]
    templated = run.imported and run.recipe["benchmark"]["options"].get("chat_template")
    return None if templated or not all(isinstance(one, str) for one in prompts) else _digest(prompts)


def _digest(prompt: Any) -> bytes:
    return blake2b(repr(prompt).encode("utf-8", "surrogatepass"), digest_size=8).digest()
