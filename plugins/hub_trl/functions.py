"""A mix as reward functions of TRL's GRPOTrainer and RLOOTrainer (facts: trl 1.16.0, grpo_trainer.py).

TRL calls the functions one after the other with the same batch, multiplies what they return by
constant weights, and excludes a sample from its group's baseline where every function returned None.
"""

import os
from collections.abc import Iterable
from functools import cache
from typing import Any

from hub import Engine, Mix
from hub.errors import ConfigError
from hub_trl.batch import NOT_COLUMNS
from hub_trl.scorer import RewardFunction, Scorer, is_scheduled

RESERVED = ("prompts", "completions", *NOT_COLUMNS)


def reward_funcs(
    mix: Mix, *, algorithm: str = "grpo", combined: bool = False, engine: Engine | None = None
) -> list[RewardFunction]:
    """Return plain functions for `reward_funcs=` of a TRL trainer.

    There is one function per reward, of the reward's name, so that TRL logs `rewards/<name>/mean`. Each
    returns raw values, which the trainer must weight: give its config `trainer_arguments(mix)` too. TRL
    knows only constant weights; so a mix with a schedule becomes one function, "total", which returns
    the weighted total at the trainer's step and logs each reward itself, under the same names.

    The mix scores a batch once, at the first call; the other functions read the same results. None
    means: no value. A sample whose total is missing is None in every function, which is how TRL leaves
    it out of its group's baseline; a function of your own beside these, which gives it a value, takes
    it in again. Also logged are `hub/failed/<name>` (the share of the batch on which a reward failed),
    `hub/masked` (the share without a total because of that), `hub/seconds` (to score the batch) and
    `hub/run_ms_p50/<name>`, `hub/run_ms_p99/<name>` (of one call).

    A sample's group is its prompt; its columns are the data set's, and `completion_ids`.

    Args:
        mix: what to score with.
        algorithm: "grpo" or "rloo".
        combined: make the one function in any case.
        engine: by default this process's own.

    Raises:
        ConfigError: several processes train, and a reward compares the completions of one prompt: TRL
            may split these over processes. Raised when a function is called, where it could not be
            known before; and where the trainer was not given `trainer_arguments(mix)`.
    """
    scorer = Scorer(
        mix,
        combined=combined or must_combine(mix, algorithm),
        expected=trainer_arguments(mix, algorithm=algorithm, combined=combined),
        engine=engine,
    )
    scorer.check_processes(int(os.environ.get("WORLD_SIZE", "1")))
    return list(scorer.functions)


def reward_weights(mix: Mix, *, algorithm: str = "grpo", combined: bool = False) -> list[float]:
    """Return `reward_weights=` for the trainer's config, in the order of `reward_funcs`."""
    return [1.0] if combined or must_combine(mix, algorithm) else list(mix.weights().values())


def trainer_arguments(mix: Mix, *, algorithm: str = "grpo", combined: bool = False) -> dict[str, Any]:
    """Return the arguments of GRPOConfig or RLOOConfig that make the trainer combine as the mix says.

    Args:
        mix: the one given to `reward_funcs`; `algorithm` and `combined` are the same too.
        algorithm: "grpo" or "rloo".
        combined: whether there is one function in any case.

    Raises:
        ConfigError: the algorithm is another.

    >>> trainer_arguments(Mix({"think-format": 0.2}))
    {'reward_weights': [0.2]}
    """
    if algorithm not in ("grpo", "rloo"):
        raise ConfigError(f"algorithm should be 'grpo' or 'rloo', not {algorithm!r}")
    arguments: dict[str, Any] = {
        "reward_weights": reward_weights(mix, algorithm=algorithm, combined=combined)
    }
    if mix.config.aggregate == "normalize_then_sum" and algorithm == "grpo":
        if combined or must_combine(mix, algorithm):
            # The total is normalised within groups already; GDPO's last step is over the batch.
            arguments["scale_rewards"] = "batch"
        else:
            arguments["multi_objective_aggregation"] = "normalize_then_sum"
    return arguments


def must_combine(mix: Mix, algorithm: str) -> bool:
    """Whether TRL cannot weight the rewards itself, so that one function returns the total."""
    return is_scheduled(mix) or (algorithm == "rloo" and mix.config.aggregate == "normalize_then_sum")


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


def total(prompts: list[Any], completions: list[Any], **arguments: Any) -> list[float | None]:
    """Return the totals of the mix in the file that `HUB_MIX` names: a reward function with a fixed name.

    For what takes only a name, or sends its functions to another process: TRL's command line
    (`HUB_MIX=mix.toml trl grpo --reward_funcs hub_trl.total ...`) and its experimental
    AsyncGRPOTrainer, which tells no step, so that weights cannot change there.

    Args:
        prompts: as TRL gives them, like the others.
        completions: one per prompt.
        arguments: columns, and what else TRL gives.

    Raises:
        ConfigError: `HUB_MIX` is not set, or the mix is wrong.
    """
    path = os.environ.get("HUB_MIX", "")
    if not path:
        raise ConfigError("hub_trl.total needs the path of a mix file in the environment variable HUB_MIX")
    return _total_of(path)(prompts=prompts, completions=completions, **arguments)


@cache
def _total_of(path: str) -> RewardFunction:
    return reward_funcs(Mix.load(path), combined=True)[0]
