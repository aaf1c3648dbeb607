"""A mix as reward functions of TRL's trainers (facts: trl 1.16.0, grpo_trainer.py; see versions.py).

TRL calls the functions one after the other with the same batch, or awaits them all at once, multiplies what
they return by constant weights, and leaves a sample out of its group where every function returned None.
"""

import os
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from hub import AnyEngine, Mix
from hub.errors import ConfigError
from hub_trl import sendable
from hub_trl.batch import NOT_COLUMNS
from hub_trl.plan import plan
from hub_trl.scorer import RewardFunction, Scorer

RESERVED = ("prompts", "completions", *NOT_COLUMNS)


def reward_funcs(
    mix: Mix,
    *,
    algorithm: str = "grpo",
    combined: bool = False,
    asynchronous: bool = False,
    engine: AnyEngine | None = None,
) -> list[RewardFunction]:
    """Return plain functions for `reward_funcs=` of a TRL trainer.

    There is one function per reward, of the reward's name, so that TRL logs `rewards/<name>/mean`. Each
    returns raw values, which the trainer must weight: give its config `trainer_arguments(mix)` too. TRL
    knows only constant weights; so a mix with a schedule becomes one function, "total", which returns
    the weighted total at the trainer's step and logs each reward itself, under the same names.

    The mix scores a batch once, at the first call; the other functions read the same results. None
    means: no value. A sample whose total is missing is None in every function, which is how TRL leaves
    it out of its group's baseline; a function of your own beside these, which gives it a value, takes
    it in again. Before trl 1.6, and in OnlineDPOTrainer, None counts as 0: there such a sample gets the
    mean of its group's values.

    Also logged are `hub/failed/<name>` (the share of the batch on which a reward failed), `hub/missing`
    (the share without a total), `hub/seconds` (to score the batch) and `hub/run_ms_p50/<name>`,
    `hub/run_ms_p99/<name>` (of one call); and in TRL's table of completions `hub/reason/<name>`.

    A sample's group is its prompt; its columns are the data set's, and `completion_ids`. Where a mix
    compares the completions of one prompt and several processes train, they exchange what they need.

    The functions can be pickled where the mix can, so that AsyncGRPOTrainer can send them to its worker;
    there they score with that process's own engine.

    Args:
        mix: what to score with.
        algorithm: "grpo", "rloo", "async_grpo" (no weights, no steps, no log: each function returns its
            weighted part of the total) or "online_dpo" (no log: always one function; a failed sample
            makes a tie of its pair, and TRL takes the first of a tie for the better one).
        combined: make the one function in any case.
        asynchronous: make `async def` functions. The trainer's thread waits for them all the same, but
            they run beside other async functions.
        engine: by default this process's own.

    Raises:
        ConfigError: the algorithm cannot do what the mix needs. When a function is called: the trainer
            was not given `trainer_arguments(mix)`.
    """
    if asynchronous and algorithm == "online_dpo":
        raise ConfigError("OnlineDPOTrainer awaits nothing: leave out asynchronous=True")
    scorer = Scorer(mix, plan(mix, algorithm, combined), asynchronous=asynchronous, engine=engine)
    made_of = {"algorithm": algorithm, "combined": combined, "asynchronous": asynchronous}
    sendable.make(scorer.functions, reward_funcs, mix, **made_of)
    return list(scorer.functions)


def reward_weights(mix: Mix, *, algorithm: str = "grpo", combined: bool = False) -> list[float]:
    """Return `reward_weights=` for the trainer's config, in the order of `reward_funcs`."""
    chosen = plan(mix, algorithm, combined)
    return list(chosen.arguments.get("reward_weights", [1.0] * len(chosen.values)))


def trainer_arguments(mix: Mix, *, algorithm: str = "grpo", combined: bool = False) -> dict[str, Any]:
    """Return the arguments of the trainer's config that make it combine as the mix says.

    Args:
        mix: the one given to `reward_funcs`; `algorithm` and `combined` are the same too.
        algorithm: "grpo", "rloo", "async_grpo" or "online_dpo".
        combined: whether there is one function in any case.

    Raises:
        ConfigError: the algorithm is another, or cannot do what the mix needs.

    >>> trainer_arguments(Mix({"think-format": 0.2}))
    {'reward_weights': [0.2]}
    """
    return dict(plan(mix, algorithm, combined).arguments)


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


def columns_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that rewards get of a row of a data set: all but the prompt.

    Raises:
        ConfigError: a column has the name of an argument that TRL gives to reward functions.
    """
    check_columns(row)
    return {name: value for name, value in row.items() if name != "prompt"}


def total(prompts: list[Any], completions: list[Any], **arguments: Any) -> list[float | None]:
    """Return the totals of the mix in the file that `HUB_MIX` names: a reward function with a fixed name.

    For what takes only a name, as TRL's command line does:
    `HUB_MIX=mix.toml trl grpo --reward_funcs hub_trl.total ...`.

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
    return list(_total_of(path)(prompts=prompts, completions=completions, **arguments))


@cache
def _total_of(path: str) -> RewardFunction:
    return reward_funcs(Mix.load(path), combined=True)[0]
