"""A mix as reward functions of TRL's GRPOTrainer and RLOOTrainer (facts: trl 1.16.0, grpo_trainer.py).

TRL calls the functions one after the other with the same batch, multiplies what they return by
constant weights, and excludes a sample from its group's baseline where every function returned None.
"""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hub import Engine, Mix, MixScore, Outcome, Sample, default_engine
from hub.errors import ConfigError
from hub_trl.metrics import batch_metrics


class Absent(Enum):
    """Stands for a column that a row does not have, where every row must have the same columns."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
RewardFunction = Callable[..., list[float | None]]
_log = logging.getLogger(__name__)
NOT_COLUMNS = ("trainer_state", "log_extra", "log_metric", "environments")
RESERVED = ("prompts", "completions", *NOT_COLUMNS)
LARGEST = 3.4028234e38
"""TRL computes in float32; a larger value would become an infinity."""


def reward_funcs(mix: Mix, *, algorithm: str = "grpo", engine: Engine | None = None) -> list[RewardFunction]:
    """Return plain functions for `reward_funcs=` of a TRL trainer.

    There is one function per reward, of the reward's name, so that TRL logs `rewards/<name>/mean`. Each
    returns raw values, which the trainer must weight: give its config `trainer_arguments(mix)` too. TRL
    knows only constant weights; so a mix with a schedule becomes one function, "total", which returns
    the weighted total at the trainer's step and logs each reward itself, under the same names.

    The mix scores a batch once, at the first call; the other functions read the same results. None
    means: no value. A sample whose total is missing is None in every function, which is how TRL leaves
    it out of its group's baseline. Also logged are `hub/failed/<name>` (the share of the batch on which
    a reward failed), `hub/masked` (the share without a total), `hub/seconds` (to score the batch) and
    `hub/run_ms_p50/<name>`, `hub/run_ms_p99/<name>`.

    A sample's group is its prompt; its columns are the data set's, and `completion_ids`.

    Args:
        mix: what to score with.
        algorithm: "grpo" or "rloo".
        engine: by default this process's own.

    Raises:
        ConfigError: several processes train, and a reward compares the completions of one prompt: TRL
            may split these over processes. Raised when a function is called, where it could not be
            known before; and where the trainer was not given the mix's weights.
    """
    scorer = _Scorer(mix, algorithm, engine)
    scorer.check_processes(int(os.environ.get("WORLD_SIZE", "1")))
    if is_combined(mix, algorithm):
        return scorer.functions({_total_name(mix): lambda result: result.value})
    return scorer.functions({name: _raw_value(name) for name in mix.names})


def reward_weights(mix: Mix, *, algorithm: str = "grpo") -> list[float]:
    """Return `reward_weights=` for the trainer's config, in the order of `reward_funcs`."""
    return [1.0] if is_combined(mix, algorithm) else list(mix.weights().values())


def trainer_arguments(mix: Mix, *, algorithm: str = "grpo") -> dict[str, Any]:
    """Return the arguments of GRPOConfig or RLOOConfig that make the trainer combine as the mix says.

    Args:
        mix: the one given to `reward_funcs`.
        algorithm: "grpo" or "rloo".

    >>> trainer_arguments(Mix({"think-format": 0.2}))
    {'reward_weights': [0.2]}
    """
    arguments: dict[str, Any] = {"reward_weights": reward_weights(mix, algorithm=algorithm)}
    if mix.config.aggregate == "normalize_then_sum" and algorithm == "grpo":
        if is_combined(mix, algorithm):
            # The total is normalised within groups already; GDPO's last step is over the batch.
            arguments["scale_rewards"] = "batch"
        else:
            arguments["multi_objective_aggregation"] = "normalize_then_sum"
    return arguments


def is_combined(mix: Mix, algorithm: str = "grpo") -> bool:
    """Whether TRL cannot weight the rewards itself, so that one function returns the total."""
    scheduled = any(not reward.config.weight.is_constant for reward in mix.rewards)
    return scheduled or (algorithm == "rloo" and mix.config.aggregate == "normalize_then_sum")


def check_columns(columns: Iterable[str]) -> None:
    """Check the names of a data set's columns against the arguments that TRL adds.

    Raises:
        ConfigError: one has the name of such an argument; TRL would stop, or overwrite it.
    """
    taken = [name for name in RESERVED if name in set(columns)]
    if taken:
        raise ConfigError(
            f"the data has a column {taken[0]!r}, which is what TRL calls an argument that it gives to "
            "reward functions: rename the column"
        )


def samples_of(
    prompts: Sequence[Any], completions: Sequence[Any], arguments: Mapping[str, Any]
) -> list[Sample]:
    """Return one sample per completion from what TRL passes to a reward function.

    Args:
        prompts: text or messages.
        completions: text or messages.
        arguments: the other arguments; those that are lists with one value per sample are columns.
    """
    count = len(completions)
    columns = {
        name: values
        for name, values in arguments.items()
        if name not in NOT_COLUMNS and isinstance(values, list | tuple) and len(values) == count
    }
    samples = []
    for index, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        mine = {name: values[index] for name, values in columns.items() if values[index] is not ABSENT}
        samples.append(Sample(prompt, completion, mine, _group(prompt)))
    return samples


@dataclass
class _Scored:
    """A batch that was scored, until every function has read it.

    Args:
        inputs: the very lists that TRL passed, by argument.
        completions: what the list of completions held.
        results: one per sample.
        readers: functions that have read it.
    """

    inputs: dict[str, Any]
    completions: list[Any]
    results: list[MixScore]
    readers: set[str] = field(default_factory=set)

    def is_of(self, inputs: Mapping[str, Any]) -> bool:
        """Whether these are the same lists: the same objects, as equal batches are scored anew."""
        return (
            self.inputs.keys() == inputs.keys()
            and all(self.inputs[name] is inputs[name] for name in inputs)
            and len(self.completions) == len(inputs["completions"])
            and all(a is b for a, b in zip(self.completions, inputs["completions"], strict=True))
        )


class _Scorer:
    """What the functions of one mix share."""

    def __init__(self, mix: Mix, algorithm: str, engine: Engine | None) -> None:
        if algorithm not in ("grpo", "rloo"):
            raise ConfigError(f"algorithm should be 'grpo' or 'rloo', not {algorithm!r}")
        self._mix, self._algorithm, self._engine = mix, algorithm, engine
        self._lock = threading.Lock()
        self._scored: _Scored | None = None
        self._functions: list[RewardFunction] = []
        self._known_to_fail: set[str] = set()

    def functions(self, values: Mapping[str, Callable[[MixScore], float | None]]) -> list[RewardFunction]:
        """Make a function of each name."""
        self._functions = [self._function(name, value) for name, value in values.items()]
        return list(self._functions)

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
                scored = self._scored = _Scored(inputs, list(completions), results)
            scored.readers.add(name)
            if len(scored.readers) == len(self._functions):
                self._scored = None
            return scored.results

    def _score(
        self, prompts: Sequence[Any], completions: Sequence[Any], arguments: Mapping[str, Any]
    ) -> list[MixScore]:
        log = arguments.get("log_metric")
        self._check_trainer(getattr(log, "__self__", None))
        self.check_processes(_processes())
        step = getattr(arguments.get("trainer_state"), "global_step", None)
        if step is None and is_combined(self._mix, self._algorithm):
            raise ConfigError("the mix has weights that change over steps, but this trainer tells no step")
        start = time.perf_counter()
        engine = self._engine or default_engine()
        results = self._mix.score(samples_of(prompts, completions, arguments), step=step, engine=engine)
        seconds = time.perf_counter() - start
        self._warn(results)
        if log is not None:
            with_means = is_combined(self._mix, self._algorithm)
            for name, value in batch_metrics(results, self._mix.stats(engine), with_means).items():
                log(name, value)
            log("hub/seconds", seconds)
        return results

    def _warn(self, results: Sequence[MixScore]) -> None:
        """Say why a reward failed, the first time it does."""
        for result in results:
            for name, score in result.scores.items():
                if score.outcome is Outcome.FAILED and name not in self._known_to_fail:
                    self._known_to_fail.add(name)
                    _log.warning(
                        "reward %r failed: %s: %s (said once; the log has hub/failed/%s)",
                        name,
                        score.reason,
                        score.detail,
                        name,
                    )

    def check_processes(self, count: int) -> None:
        """Refuse to compare completions of one prompt that may be on another process."""
        needs_groups = list(self._mix.groupwise)
        if is_combined(self._mix, self._algorithm) and self._mix.config.aggregate == "normalize_then_sum":
            needs_groups.append("aggregate = 'normalize_then_sum' with changing weights")
        if count > 1 and needs_groups:
            raise ConfigError(
                f"{', '.join(needs_groups)}: needs all completions of a prompt at once, but TRL splits them "
                f"over {count} processes: train with one process, or leave it out"
            )

    def _check_trainer(self, trainer: Any) -> None:
        """Find a forgotten `trainer_arguments(mix)`, before the first update."""
        given, functions = getattr(trainer, "reward_weights", None), getattr(trainer, "reward_funcs", None)
        if given is None or functions is None:
            return
        advice = "give its config **hub_trl.trainer_arguments(mix)"
        if self._algorithm != "grpo":
            advice = f"give its config **hub_trl.trainer_arguments(mix, algorithm={self._algorithm!r})"
        expected = trainer_arguments(self._mix, algorithm=self._algorithm)
        weights = expected.pop("reward_weights")
        for function, weight in zip(self._functions, weights, strict=True):
            for theirs, its_weight in zip(functions, given, strict=True):
                if theirs is function and abs(float(its_weight) - weight) > 1e-6 * max(1.0, abs(weight)):
                    raise ConfigError(
                        f"the trainer weights {function.__name__!r} with {float(its_weight):g}, the mix with "
                        f"{weight:g}: {advice}"
                    )
        for key, value in expected.items():
            if getattr(trainer, key, None) != value:
                raise ConfigError(f"the mix needs a trainer with {key}={value!r}: {advice}")


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


def _group(prompt: Any) -> str:
    return prompt if isinstance(prompt, str) else json.dumps(prompt, sort_keys=True, default=repr)


def _processes() -> int:
    """How many processes train; torch is there wherever a trainer is."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return 1
    return int(distributed.get_world_size())
