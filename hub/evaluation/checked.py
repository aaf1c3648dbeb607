"""Whether a run's samples are all there and make what its result says: a broken copy is no other score."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import isclose
from typing import Any

from hub.errors import ConfigError, DataError, nearest
from hub.evaluation.folder import Key
from hub.evaluation.stored import TOTAL, StoredRun
from hub.score import Outcome

CURE = "restore the folder from where it was made, or run the benchmark again"

Scores = Mapping[Key, Mapping[str, Any]]


def check_run(run: StoredRun) -> None:
    """Raise unless all samples are there and make the mean of each metric; own metrics are not made again.

    Raises:
        DataError: the samples cannot be read, are not all there, or say something else than the result.
    """
    once = replace(run)  # its samples are let go of when they are checked
    with as_written(once):
        check_count(once)
        found = once.result["scores"]
        categories = [f"category:{name}" for name in found["categories"]] if once.category else []
        for name in (TOTAL, *found["rewards"], *categories):
            check_mean(once, name, scores_of(once, name))


def checked_scores(run: StoredRun, metric: str = TOTAL) -> dict[Key, Any]:
    """Return the scores of the total or of a reward, by row and number of the completion.

    Raises:
        ConfigError: the run has no such metric.
        DataError: the samples cannot be read, are not all there, or say something else than the result.
    """
    with as_written(run):
        scores = run.scores(metric)
        check_count(run)
        check_mean(run, metric, scores)
    return scores


def check_count(run: StoredRun) -> None:
    """Raise unless there is a sample for each row and completion.

    Raises:
        DataError: some are missing, or too many.
    """
    rows, each = int(run.recipe["benchmark"]["rows"]), int(run.recipe["samples_per_prompt"])
    known = sum(0 <= row < rows and 0 <= sample < each for row, sample in run.samples)
    if known < rows * each or len(run.samples) > known:
        held = known if known < rows * each else len(run.samples)
        raise DataError(f"{run.path}: holds {held} of {rows * each} samples: {CURE}")


def check_mean(run: StoredRun, name: str, scores: Scores) -> None:
    """Raise unless scores make the mean that the result says.

    Args:
        run: whose result.
        name: "score", a reward's name, or "category:NAME".
        scores: all of this metric.

    Raises:
        DataError: they make another one.
    """
    values = [float(score["value"]) for score in scores.values() if score["value"] is not None]
    said = account_of(run, name).get("mean")
    if not values and said is None:
        return
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise DataError(
            f"{run.path}: result.json has no mean of {name!r}, though samples have values: {CURE}"
        )
    if not values or not isclose(sum(values) / len(values), said, rel_tol=1e-9, abs_tol=1e-9):
        made = f"{sum(values) / len(values):g}" if values else "none"
        raise DataError(
            f"{run.path}: result.json says {said:g} on {name!r}, but samples.jsonl makes {made}: {CURE}"
        )


def scores_of(run: StoredRun, name: str) -> dict[Key, Any]:
    """Return the scores that a metric's mean is made of.

    Args:
        run: whose samples.
        name: "score", a reward's name, or "category:NAME".

    Raises:
        ConfigError: the run has no such metric.
        DataError: the samples cannot be read.
    """
    if not name.startswith("category:"):
        return run.scores(name)
    wanted = name.removeprefix("category:")
    if wanted not in run.result["scores"]["categories"] or not run.category:
        known = [f"category:{one}" for one in run.result["scores"]["categories"]]
        raise ConfigError(f"{run.path}: there is no metric {name!r}{nearest(name, known or [TOTAL])}")
    lines = {key: line for key, line in run.samples.items() if str(line.get(run.category)) == wanted}
    headline = run.result["benchmark"].get("headline") or ()
    return {key: headed(line["result"], headline, line["result"]["total"]) for key, line in lines.items()}


def account_of(run: StoredRun, name: str) -> Mapping[str, Any]:
    """Return what the result says on "score", a reward, or "category:NAME"; {} for nothing."""
    scores = run.result["scores"]
    if name.startswith("category:"):
        found = scores["categories"].get(name.removeprefix("category:"))
    else:
        found = scores["total"] if name == TOTAL else scores["rewards"].get(name)
    return found if isinstance(found, dict) else {}


@contextmanager
def as_written(run: StoredRun) -> Iterator[None]:
    """Make whatever is not as a run writes it an error of the data that names the run."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{run.path}: is not what a run writes ({type(error).__name__}: {error})") from error


def headed(result: Mapping[str, Any], headline: Sequence[str], total: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what counts for a completion's category: the headline's reward that takes it, else the total.

    Args:
        result: of the completion, as in its line of samples.jsonl.
        headline: names of the benchmark's headline rewards.
        total: what stands where none of them does.
    """
    found = (result["scores"][name] for name in headline)
    return next((score for score in found if score["outcome"] != Outcome.ABSTAINED), total)
