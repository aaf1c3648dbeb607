"""A filter of lm-eval that scores all completions of a task in one call."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from math import nan
from typing import Any

from lm_eval.api.filter import Filter  # noqa: TID253 - imported with lm-eval's tasks

from hub.errors import HubError
from hub.mix.combine import MixScore
from hub.mix.mix import Mix
from hub.sample import Sample

_log = logging.getLogger(__name__)


class Grade(Filter):  # type: ignore[misc]
    """Scores every completion with a mix, in batches; each becomes its text and scores, as plain data.

    Args:
        mix: what scores.
    """

    def __init__(self, mix: Mix) -> None:
        super().__init__()
        self._mix = mix

    def apply(
        self, resps: Iterable[Sequence[str]], docs: Sequence[Mapping[str, Any]]
    ) -> list[list[dict[str, Any]]]:
        """Return for each document what was made of each of its completions.

        What keeps the whole mix from scoring is logged, and leaves all without a score: lm-eval would lose
        every completion of the run if it were raised here.
        """
        texts = [list(mine) for mine in resps]
        samples = [
            sample_of(doc, text, number)
            for number, (doc, mine) in enumerate(zip(docs, texts, strict=True))
            for text in mine
        ]
        try:
            graded = [
                _plain(sample, result)
                for sample, result in zip(samples, self._mix.score(samples), strict=True)
            ]
        except HubError as error:
            _log.error("nothing could be scored: %s", error)
            lost = {"value": None, "outcome": "failed", "reason": "setup", "detail": str(error)}
            scores = dict.fromkeys(self._mix.names, lost)
            graded = [{"text": sample.text, "total": lost, "scores": scores} for sample in samples]
        self._warn(graded)
        found = iter(graded)
        return [[next(found) for _ in mine] for mine in texts]

    def _warn(self, graded: Sequence[Mapping[str, Any]]) -> None:
        """Say which rewards failed, how often, and why the first time."""
        for name in self._mix.names:
            failed = [one["scores"][name] for one in graded if one["scores"][name]["outcome"] == "failed"]
            if failed:
                why = f"{failed[0]['reason']}: {failed[0]['detail']}"
                _log.warning("reward %r failed on %d of %d: %.500s", name, len(failed), len(graded), why)


def sample_of(row: Mapping[str, Any], completion: str, group: int) -> Sample:
    """Return the sample that `hub eval` would score."""
    columns = {name: value for name, value in row.items() if name not in ("id", "prompt")}
    return Sample(row["prompt"], completion, columns, group=group, id=row["id"])


def numbers(graded: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Return a document's metrics, one number for each completion; NaN for a score that there is not."""
    totals = [one["total"] for one in graded]
    names = list(graded[0]["scores"]) if graded else []
    found = {"score": [_value(total) for total in totals]}
    if len(names) > 1:
        found |= {name: [_value(one["scores"][name]) for one in graded] for name in names}
    for rate, outcome in (("error_rate", "failed"), ("abstain_rate", "abstained")):
        found[rate] = [float(total["outcome"] == outcome) for total in totals]
    return found


def parts_of(graded: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Return the values of all parts that rewards tell of a document, as NAME_parts; {} where none does."""
    found: dict[str, list[float]] = {}
    for one in graded:
        for name, score in one["scores"].items():
            if parts := (score.get("info") or {}).get("parts"):
                found.setdefault(f"{name}_parts", []).extend(map(float, parts.values()))
    return found


def _value(score: Mapping[str, Any]) -> float:
    return nan if score["value"] is None else float(score["value"])


def _plain(sample: Sample, result: MixScore) -> dict[str, Any]:
    scores = {name: score.as_dict() for name, score in result.scores.items()}
    return {"text": sample.text, "total": result.total.as_dict(), "scores": scores}
