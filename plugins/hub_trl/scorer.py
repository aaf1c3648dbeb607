"""What the reward functions of one mix share: it scores each batch once, and logs what there is to say."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub import Engine, Mix, MixScore, Outcome, default_engine
from hub.errors import ConfigError
from hub_trl.batch import Scored, samples_of
from hub_trl.metrics import batch_metrics

RewardFunction = Callable[..., list[float | None]]
LARGEST = 3.4028234e38
"""TRL computes in float32; a larger value would become an infinity."""
_log = logging.getLogger(__name__)


class Scorer:
    """Makes the functions of a mix.

    Args:
        mix: what to score with.
        combined: make one function that returns totals, not one per reward.
        expected: what the trainer should be set to, by argument.
        engine: None: this process's own.
    """

    def __init__(
        self, mix: Mix, *, combined: bool, expected: Mapping[str, Any], engine: Engine | None
    ) -> None:
        self._mix, self._combined, self._expected, self._engine = mix, combined, expected, engine
        self._lock = threading.Lock()
        self._scored: Scored | None = None
        self._known_to_fail: set[str] = set()
        if combined:
            self.functions = [self._function(_total_name(mix), lambda result: result.value)]
        else:
            self.functions = [self._function(name, _raw_value(name)) for name in mix.names]

    def check_processes(self, count: int) -> None:
        """Refuse to compare completions of one prompt that may be on another process.

        Raises:
            ConfigError: `count`, how many processes train, is more than 1, and the mix compares.
        """
        comparing = list(self._mix.groupwise)
        if self._combined and self._mix.config.aggregate == "normalize_then_sum":
            comparing.append('aggregate = "normalize_then_sum" in the hub')
        if count > 1 and comparing:
            raise ConfigError(
                f"{', '.join(comparing)}: needs all completions of a prompt at once, but TRL splits them "
                f"over {count} processes: train with one process, or leave it out"
            )

    def _function(self, name: str, value: Callable[[MixScore], float | None]) -> RewardFunction:
        def score(prompts: Sequence[Any], completions: Sequence[Any], **arguments: Any) -> list[float | None]:
            results = self._read(name, prompts, completions, arguments)
            return [value(result) if _is_usable(result) else None for result in results]

        score.__name__ = score.__qualname__ = name
        score.__doc__ = f"Return the values of {name!r}, None where there is none."
        return score

    def _read(
        self, name: str, prompts: Sequence[Any], completions: Sequence[Any], arguments: dict[str, Any]
    ) -> list[MixScore]:
        lists = {key: value for key, value in arguments.items() if isinstance(value, list | tuple)}
        inputs = {"prompts": prompts, "completions": completions, **lists}
        with self._lock:
            scored = self._scored
            if scored is None or name in scored.readers or not scored.is_of(inputs):
                self._scored = None
                results = self._score(prompts, completions, arguments)
                scored = self._scored = Scored(inputs, list(completions), results)
            scored.readers.add(name)
            if len(scored.readers) == len(self.functions):
                self._scored = None
            return scored.results

    def _score(
        self, prompts: Sequence[Any], completions: Sequence[Any], arguments: Mapping[str, Any]
    ) -> list[MixScore]:
        log = arguments.get("log_metric")
        self._check_trainer(getattr(log, "__self__", None))
        self.check_processes(_processes())
        step = getattr(arguments.get("trainer_state"), "global_step", None)
        if step is None and is_scheduled(self._mix):
            raise ConfigError("the mix has weights that change over steps, but this trainer tells no step")
        start = time.perf_counter()
        engine = self._engine or default_engine()
        results = self._mix.score(samples_of(prompts, completions, arguments), step=step, engine=engine)
        seconds = time.perf_counter() - start
        self._warn(results)
        if log is not None:
            for name, value in batch_metrics(results, self._mix.stats(engine), self._combined).items():
                log(name, value)
            log("hub/seconds", seconds)
        return results

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
        for function, weight in zip(self.functions, self._expected["reward_weights"], strict=True):
            theirs = weights.get(id(function), weight)
            if abs(theirs - weight) > 1e-6 * max(1.0, abs(weight)):
                name = function.__name__
                raise ConfigError(
                    f"the trainer weights {name!r} with {theirs:g}, the mix {weight:g}: {advice}"
                )
        for key, value in self._expected.items():
            if key != "reward_weights" and getattr(trainer, key, None) != value:
                raise ConfigError(f"the mix needs a trainer with {key}={value!r}: {advice}")


def is_scheduled(mix: Mix) -> bool:
    """Whether a weight changes over steps."""
    return any(not reward.config.weight.is_constant for reward in mix.rewards)


def _raw_value(name: str) -> Callable[[MixScore], float | None]:
    return lambda result: result.scores[name].value


def _total_name(mix: Mix) -> str:
    name = "total"
    while name in mix.names:
        name = f"mix-{name}"
    return name


def _is_usable(result: MixScore) -> bool:
    values = [result.value, *(score.value for score in result.scores.values())]
    return values[0] is not None and all(value is None or abs(value) <= LARGEST for value in values)


def _processes() -> int:
    """How many processes train; torch is there wherever a trainer is."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return 1
    return int(distributed.get_world_size())
