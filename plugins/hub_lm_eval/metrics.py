"""Rewards as metrics of anybody's task of lm-eval, by name.

    metric_list:
      - metric: !function hub_lm_eval.metrics.math
        aggregation: !function hub_lm_eval.aggregate.mean
        higher_is_better: true

Any installed reward is an attribute, with "_" for "-". What the task's `doc_to_target` gives goes to the one
column that the reward needs, or to the one that the key `column` names; other keys of the entry are the
reward's options. Beside NAME the task reports NAME_failed, the share of documents that could not be scored.

lm-eval asks for one document after the other, so this is not batched: for judges, sandboxes and models use
`hub_lm_eval.hub_task.HubTask`, which scores all of them in one call. A score that failed or does not apply is
NaN, which `hub_lm_eval.aggregate.mean` leaves out. Where a filter keeps several completions of a document
(`repeats`), the value is their mean. A mistake in the entry (an unknown option, a missing column) is logged
and leaves all documents without a score: lm-eval calls a metric when everything is generated, and would lose
it. Where a task has several references for a document, lm-eval makes 1 of any value but 0, whichever
reference gave it, and tells no NaN from a number: it counts as 0 there.
"""

import logging
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import hub
from hub.errors import ConfigError, HubError, UnknownName

_RESERVED = ("hf_evaluate",)
_log = logging.getLogger(__name__)


class Missing(float):
    """NaN that is false, so that lm-eval's `any` over several references does not take it for right."""

    def __new__(cls) -> "Missing":
        """Make it."""
        return super().__new__(cls, "nan")

    def __bool__(self) -> bool:
        return False


def __getattr__(name: str) -> Callable[..., dict[str, float]]:
    if name.startswith("__"):
        raise AttributeError(name)
    rewards = hub.load().rewards
    found = next((one for one in (name, name.replace("_", "-")) if one in rewards), None)
    if found is None:
        try:
            rewards[name]
        except UnknownName as error:
            raise AttributeError(str(error)) from None
        raise AttributeError(name)
    return _metric(found, name)


@cache
def _metric(use: str, name: str) -> Callable[..., dict[str, float]]:
    def metric(references: Sequence[Any], predictions: Sequence[Any], **options: Any) -> dict[str, float]:
        """Score one document."""
        column = options.pop("column", None)
        ready = _ready(use, column, _freeze({k: v for k, v in options.items() if k not in _RESERVED}))
        texts = predictions[0] if isinstance(predictions[0], list | tuple) else [predictions[0]]
        strange = sorted({type(one).__name__ for one in texts if not isinstance(one, str)})
        if ready is None or strange or not texts:
            _tell(name, "" if ready is None else " and ".join(strange) or "empty lists")
            return {name: Missing(), f"{name}_failed": 1.0}
        mix, needed = ready
        columns = {needed: references[0]} if needed else {}
        results = mix.score([hub.Sample("", text, columns) for text in texts])
        values = [result.value for result in results if result.value is not None]
        failed = sum(result.total.fault is not None for result in results) / len(results)
        return {name: sum(values) / len(values) if values else Missing(), f"{name}_failed": failed}

    metric.__name__ = metric.__qualname__ = name
    return metric


@cache
def _ready(use: str, column: str | None, options: tuple[tuple[str, Any], ...]) -> tuple[hub.Mix, str] | None:
    """The mix and the column that it needs; None where it cannot be had, which is logged once."""
    try:
        mix, needed = _mix_of(use, column, options)
        mix.warm()
    except HubError as error:
        _log.error("the metric %r scores nothing: %s", use, error)
        return None
    return mix, needed


@cache
def _tell(name: str, kind: str) -> None:
    """Say once of a metric what it cannot score."""
    if kind:
        _log.error("the metric %r scores text, not %s: check the filters", name, kind)


def _mix_of(use: str, column: str | None, options: tuple[tuple[str, Any], ...]) -> tuple[hub.Mix, str]:
    mix = hub.Mix({use: {"with": {key: _thaw(value) for key, value in options}}})
    needs = list(mix.rewards[0].bound.reward.needs or ())
    if column is None and len(needs) > 1:
        raise ConfigError(
            f"the reward {use!r} needs the columns {', '.join(needs)}: say with `column` which of them the "
            "task's doc_to_target is; or use a task of the hub's own"
        )
    return mix, column or (needs[0] if needs else "answer")


def _freeze(options: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((key, _frozen(value)) for key, value in options.items()))


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return ("list", *map(_frozen, value))
    if isinstance(value, dict):
        return ("dict", *sorted((key, _frozen(one)) for key, one in value.items()))
    return value


def _thaw(value: Any) -> Any:
    if isinstance(value, tuple) and value[0] == "list":
        return [_thaw(one) for one in value[1:]]
    if isinstance(value, tuple):
        return {key: _thaw(one) for key, one in value[1:]}
    return value
