"""What the trainer logs of the rewards, through the hooks that run before it logs a rollout."""

import logging
from collections.abc import Hashable
from math import fsum
from typing import Any

from hub_miles.groups import TOTAL
from hub_miles.post_process import is_missing

_log = logging.getLogger(__name__)


def rollout(
    rollout_id: int, args: Any, samples: list[Any], extra: dict[str, Any] | None, seconds: float
) -> bool:
    """Add `rollout/hub/...` to what the trainer logs: for `--custom-rollout-log-function-path`.

    Each reward's mean over the samples with a total, `missing` and `failed/<reward>` as shares of all
    samples, and `groups_without_total`, which teach nothing.

    Args:
        rollout_id: the rollout's number.
        args: the trainer's arguments.
        samples: with rewards of `hub_miles.reward.score`.
        extra: what the trainer adds to its own numbers; added to in place. None: there is nothing to add to.
        seconds: how long the rollout took.

    Returns:
        False: the trainer goes on and logs.
    """
    rewards = [sample.reward for sample in samples if isinstance(sample.reward, dict)]
    valid = [
        sample.reward for sample in samples if isinstance(sample.reward, dict) and not is_missing(sample)
    ]
    groups: dict[Hashable, bool] = {}
    for sample in samples:
        groups[sample.group_index] = groups.get(sample.group_index, False) or not is_missing(sample)
    empty = sum(not has_total for has_total in groups.values())
    if empty:
        _log.warning(
            "rollout %d: %d of %d groups have no total: they teach nothing", rollout_id, empty, len(groups)
        )
    if extra is not None and rewards:
        extra["rollout/hub/groups_without_total"] = float(empty)
        for key in rewards[0]:
            if key.startswith("hub/") and key != TOTAL:
                extra[f"rollout/{key}"] = fsum(reward[key] for reward in rewards) / len(rewards)
            elif key != TOTAL and valid:
                extra[f"rollout/hub/{key}"] = fsum(reward[key] for reward in valid) / len(valid)
    return False


def evaluation(rollout_id: int, args: Any, data: dict[str, Any], extra: dict[str, Any] | None) -> bool:
    """Leave samples without a total out of an evaluation: for `--custom-eval-rollout-log-function-path`.

    In `data`, whose mean the trainer logs, each gets the mean of the data set's valid totals.

    Args:
        rollout_id: the rollout before which it is evaluated.
        args: the trainer's arguments.
        data: by data set: `rewards`, changed in place, and the `samples` that they are of.
        extra: what the trainer adds to its own numbers; often None.

    Returns:
        False: the trainer goes on and logs.
    """
    for name, found in data.items():
        samples, rewards = found.get("samples"), found["rewards"]
        missing = [index for index, sample in enumerate(samples or ()) if is_missing(sample)]
        if not missing:
            continue
        valid = [reward for index, reward in enumerate(rewards) if index not in set(missing)]
        mean = fsum(valid) / len(valid) if valid else 0.0
        for index in missing:
            rewards[index] = mean
        _log.warning(
            "evaluation %s: %d of %d samples have no total, and do not count",
            name,
            len(missing),
            len(rewards),
        )
    return False
