"""The reward as a function: for verl's own reward managers, and for its evaluation of a file."""

from typing import Any

import hub
from hub.errors import BadInput, ConfigError, RewardFailed
from hub_verl.columns import columns_of, plain
from hub_verl.manager import as_info
from hub_verl.scores import Size, scores_of
from hub_verl.settings import Settings


async def score(
    settings: Settings, data_source: Any, solution_str: str, ground_truth: Any, extra_info: Any
) -> dict[str, float]:
    """Return a sample's `score` and what to log beside it.

    Not to be had here: the step; the prompt, unless `extra_info` holds it.

    Args:
        settings: what was exported; `group_by` names the column by which rows of one prompt are known.
        data_source: as verl gives it, like what follows.
        solution_str: the response.
        ground_truth: the reference.
        extra_info: the row's other columns.

    Raises:
        BadInput: the column `group_by` is not there.
        ConfigError: the mix has changed since it was exported.
    """
    import ray

    columns = columns_of(data_source, ground_truth, extra_info, settings.answer)
    index = columns.get(settings.group_by)
    if index is None:
        here = ", ".join(sorted(columns)) or "none"
        raise BadInput(
            f"extra_info has no column {settings.group_by!r}, by which completions of one prompt are known "
            f"(it has: {here}): export with --with group_by=COLUMN, or use the reward manager"
        )
    group = (columns.get("data_source"), columns.get("split"), repr(index))
    prompt = (
        columns.get(settings.prompt, "")
        if settings.prompt
        else plain((extra_info or {}).get("raw_prompt", ""))
    )
    ask = scores_of(settings, shared=ray.is_initialized())
    split = columns.get("split")
    size = Size(1) if split in settings.validation else Size(settings.group_size, split is not None)
    lowered = await ask(hub.Sample(prompt, solution_str, columns, group), size, None)
    return as_info(lowered)


def evaluate(
    settings: Settings, data_source: Any, solution_str: str, ground_truth: Any, extra_info: Any = None
) -> float:
    """Return a sample's total, for `verl.trainer.main_eval`, which knows one number only.

    Raises:
        RewardFailed: there is no total: a mean with a number in its place would be wrong.
    """
    columns = columns_of(data_source, ground_truth, extra_info, settings.answer)
    (result,) = _mix(settings).score([hub.Sample("", solution_str, columns)])
    if result.value is None:
        raise RewardFailed(
            f"no total for a sample of {columns.get('data_source')!r}: {result.total.reason}: "
            f"{result.total.detail}; main_eval cannot leave a sample out, `hub score` can"
        )
    return result.value


_mixes: dict[Settings, hub.Mix] = {}


def _mix(settings: Settings) -> hub.Mix:
    if settings not in _mixes:
        mix = settings.mix()
        if mix.compares:
            raise ConfigError(f"{', '.join(mix.compares)}: needs whole groups, which main_eval does not give")
        _mixes[settings] = mix
    return _mixes[settings]
