"""What the reward functions of one mix share: it scores each batch once, and logs what there is to say."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub import AnyEngine, Mix, MixScore, Outcome, Sample, default_engine
from hub.errors import ConfigError
from hub.training.lower import LARGEST, has_total
from hub_trl.batch import Scored, samples_of
from hub_trl.metrics import batch_columns, batch_metrics
from hub_trl.missing import fill
from hub_trl.plan import Plan, Value
from hub_trl.ranks import Ranks, training_ranks
from hub_trl.versions import OTHER_METRICS, has

RewardFunction = Callable[..., Any]
"""Returns `list[float | None]`, one value per completion; an `async def` is awaited for it."""
_log = logging.getLogger(__name__)


class Scorer:
    """Makes the functions of a mix.

    Args:
        mix: what to score with.
        plan: what the functions return.
        asynchronous: make coroutine functions.
        engine: None: this process's own.
    """

    def __init__(self, mix: Mix, plan: Plan, *, asynchronous: bool, engine: AnyEngine | None) -> None:
        self._mix, self._plan, self._engine = mix, plan, engine
        self._lock = threading.Lock()
        self._scored: Scored | None = None
        self._ranks: tuple[Ranks | None, ...] = ()
        self._known_to_fail: set[str] = set()
        make = self._async_function if asynchronous else self._function
        self.functions = [_named(make(name, value), name) for name, value in plan.values.items()]

    def _function(self, name: str, value: Value) -> RewardFunction:
        def score(prompts: Sequence[Any], completions: Sequence[Any], **arguments: Any) -> list[float | None]:
            scored, is_mine = self._take(name, prompts, completions, arguments)
            if is_mine:
                with scored.filling():
                    step, engine = self._prepare(arguments), self._engine or default_engine()
                    start = time.perf_counter()
                    scored.results.set_result(self._score(scored.samples, step, engine))
                    self._report(scored, engine, arguments, time.perf_counter() - start)
            return self._values(scored.samples, scored.results.result(), value)

        return score

    def _async_function(self, name: str, value: Value) -> RewardFunction:
        async def score(
            prompts: Sequence[Any], completions: Sequence[Any], **arguments: Any
        ) -> list[float | None]:
            scored, is_mine = self._take(name, prompts, completions, arguments)
            if is_mine:
                with scored.filling():
                    step, engine = self._prepare(arguments), self._engine or default_engine()
                    start = time.perf_counter()
                    if self._plan.whole_groups:  # may wait for other processes
                        results = await asyncio.to_thread(self._score, scored.samples, step, engine)
                    else:
                        results = await self._mix.ascore(scored.samples, step=step, engine=engine)
                    scored.results.set_result(results)
                    self._report(scored, engine, arguments, time.perf_counter() - start)
            results = await asyncio.shield(asyncio.wrap_future(scored.results))
            return self._values(scored.samples, results, value)

        return score

    def _take(
        self, name: str, prompts: Sequence[Any], completions: Sequence[Any], arguments: Mapping[str, Any]
    ) -> tuple[Scored, bool]:
        """Return the batch, and whether it is this function that must have it scored."""
        lists = {key: value for key, value in arguments.items() if isinstance(value, list | tuple)}
        inputs = {"prompts": prompts, "completions": completions, **lists}
        with self._lock:
            scored = self._scored
            is_new = scored is None or name in scored.readers or not scored.is_of(inputs)
            if scored is None or is_new:
                self._scored = None
                samples = samples_of(prompts, completions, arguments, pairs=self._plan.pairs)
                scored = self._scored = Scored(inputs, list(completions), samples)
            scored.readers.add(name)
            if len(scored.readers) == len(self.functions):
                self._scored = None
            return scored, is_new

    def _prepare(self, arguments: Mapping[str, Any]) -> int | None:
        """Check the trainer; return its step."""
        self._check_trainer(getattr(arguments.get("log_metric"), "__self__", None))
        step = getattr(arguments.get("trainer_state"), "global_step", None)
        if step is None and self._mix.is_scheduled:
            raise ConfigError("the mix has weights that change over steps, but this trainer tells no step")
        return step

    def _score(self, samples: Sequence[Sample], step: int | None, engine: AnyEngine) -> list[MixScore]:
        def score(mine: Sequence[Sample]) -> list[MixScore]:
            return self._mix.score(mine, step=step, engine=engine)

        if not self._plan.whole_groups:
            return score(samples)
        ranks = self._training_ranks()
        return score(samples) if ranks is None else ranks.score(samples, score)

    def _training_ranks(self) -> Ranks | None:
        if not self._ranks:
            self._ranks = (training_ranks(),)
        return self._ranks[0]

    def _report(
        self, scored: Scored, engine: AnyEngine, arguments: Mapping[str, Any], seconds: float
    ) -> None:
        results = scored.results.result()
        self._warn(results)
        log_metric, log_extra = arguments.get("log_metric"), arguments.get("log_extra")
        if log_metric is not None:
            metrics = batch_metrics(results, self._mix.stats(engine), self._plan.combined)
            ranks = None if has(OTHER_METRICS) else self._training_ranks()
            for name, value in (metrics if ranks is None else ranks.complete(metrics)).items():
                log_metric(name, value)
            log_metric("hub/seconds", seconds)
        if log_extra is not None:
            # Another mix of the same trainer may have filled a column of the same name.
            filled = getattr(getattr(log_extra, "__self__", None), "_pending_extra_logs", {})
            for column, values in batch_columns(results, self._plan.combined).items():
                if column not in filled:
                    log_extra(column, values)

    def _values(
        self, samples: Sequence[Sample], results: Sequence[MixScore], value: Value
    ) -> list[float | None]:
        usable = [_is_usable(result) for result in results]
        values = [value(result) if well else None for result, well in zip(results, usable, strict=True)]
        if not self._plan.fills:
            return values
        return fill(values, usable, [sample.group for sample in samples], self._plan.zero_is_none)

    def _warn(self, results: Sequence[MixScore]) -> None:
        """Say why a reward failed, the first time it does."""
        for result in results:
            for name, score in result.scores.items():
                if score.outcome is Outcome.FAILED and name not in self._known_to_fail:
                    self._known_to_fail.add(name)
                    message = "reward %r failed: %s: %s (said once; the log has hub/failed/%s)"
                    _log.warning(message, name, score.reason, score.detail, name)

    def _check_trainer(self, trainer: Any) -> None:
        """Find forgotten `trainer_arguments(mix)` before the first update."""
        given, functions = getattr(trainer, "reward_weights", None), getattr(trainer, "reward_funcs", None)
        if given is None or functions is None:
            return
        advice = "give its config **hub_trl.trainer_arguments(mix), with the arguments of reward_funcs"
        weights = dict(zip(map(id, functions), map(float, given), strict=True))
        for function, weight in zip(self.functions, self._plan.arguments["reward_weights"], strict=True):
            theirs = weights.get(id(function), weight)
            if abs(theirs - weight) > 1e-6 * max(1.0, abs(weight)):
                name = function.__name__
                raise ConfigError(
                    f"the trainer weights {name!r} with {theirs:g}, the mix {weight:g}: {advice}"
                )
        for key, value in self._plan.arguments.items():
            if key != "reward_weights" and getattr(trainer, key, None) != value:
                raise ConfigError(f"the mix needs a trainer with {key}={value!r}: {advice}")


def _named(function: RewardFunction, name: str) -> RewardFunction:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return the values of {name!r}, None where there is none."
    return function


def _is_usable(result: MixScore) -> bool:
    values = [score.value for score in result.scores.values()]
    return has_total(result) and all(value is None or abs(value) <= LARGEST for value in values)
