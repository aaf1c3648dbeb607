"""The reward that Miles and slime await, for one sample or a list of samples."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import hub
from hub.errors import BadInput, ConfigError
from hub.training.from_file import mix_of
from hub.training.lower import lower_one
from hub.training.turn import Turn
from hub_miles.groups import Groups, reward_of
from hub_miles.sample import is_aborted, sample_of

Reward = dict[str, float]
SCHEDULE = (
    "a weight changes over training steps, but these trainers tell a reward no step: give constant weights"
)
_opened: dict[tuple[str, str | None], tuple[hub.Mix, Groups, Turn]] = {}
_opening = threading.Lock()


async def score(
    args: Any, sample: Any, *, path: str, sha256: str | None = None, label: str = "answer"
) -> Reward | list[Reward]:
    """Return a sample's reward, or one for each of a list of samples, as `--custom-rm-path` wants it.

    A reward is a dict of numbers with the same keys for every sample: `hub/total`, for `--reward-key`; each
    reward's score by name; `hub/missing`, `hub/failed/<name>`. A sample without a total gets the mean of its
    group's valid totals. With `--group-rm` the list is the whole group. Else its samples come on their own,
    and that mean is put right in the dict as more of them come; of an evaluation, whose samples belong to no
    group, it is 0.0 (`hub_miles.log.evaluation` puts it right).

    Args:
        args: the trainer's arguments; `group_rm` and `n_samples_per_prompt` are read.
        sample: a sample of Miles or slime, or a list of them.
        path: the mix file.
        sha256: its digest when it was exported; None: whatever it is now.
        label: which column a sample's label becomes.

    Raises:
        ConfigError: the mix file has changed or is wrong, its weights change over steps, or it compares the
            completions of a prompt and these come one by one.
        BadInput: the list holds lists: several samples of a generation, which `--group-rm` cannot take.
        RewardFailed: a reward failed, and the mix says `on_failure = "raise"`.
    """
    opened = _opened.get((path, sha256))
    mix, groups, turn = opened if opened is not None else await asyncio.to_thread(_open, path, sha256)
    whole = isinstance(sample, Sequence) and bool(getattr(args, "group_rm", False))
    if mix.compares and not whole:
        raise ConfigError(
            f"{', '.join(mix.compares)}: needs all completions of a prompt, but the trainer gives one at a "
            "time: give it --group-rm; without groups, as in an evaluation, this mix cannot be used"
        )
    listed = list(sample) if isinstance(sample, Sequence) else [sample]
    if any(isinstance(one, Sequence) for one in listed):
        raise BadInput("a list of lists: --group-rm cannot take several samples of one generation")
    if isinstance(sample, Sequence):
        results = await _results(mix, listed, label)
    elif is_aborted(sample):
        results = [_aborted(mix)]
    else:  # the trainer needs a group's samples together
        results = [await turn.ascore(sample_of(sample, label), sample.group_index)]
    if whole:
        keys = [one.group_index for one in listed]
        return [reward_of(lowered) for lowered in hub.lower(results, keys)]
    size = None if isinstance(sample, Sequence) else args.n_samples_per_prompt
    rewards = [
        reward_of(lower_one(result, 0.0, {}))
        if one.group_index is None
        else groups.add(one.group_index, result, size)
        for one, result in zip(listed, results, strict=True)
    ]
    return rewards if isinstance(sample, Sequence) else rewards[0]


async def _results(mix: hub.Mix, samples: list[Any], label: str) -> list[hub.MixScore]:
    """One result per sample; what was broken off has no total and is not compared with the others."""
    whole = [one for one in samples if not is_aborted(one)]
    scored = iter(await mix.ascore([sample_of(one, label) for one in whole]))
    return [_aborted(mix) if is_aborted(one) else next(scored) for one in samples]


def _aborted(mix: hub.Mix) -> hub.MixScore:
    total = hub.Score.failed(hub.Failure.CANCELLED, "the trainer broke the generation off")
    none = hub.Score.abstained("generation was broken off")
    return hub.MixScore(total, dict.fromkeys(mix.names, none), dict.fromkeys(mix.names, None))


def _open(path: str, sha256: str | None) -> tuple[hub.Mix, Groups, Turn]:
    with _opening:
        if (path, sha256) not in _opened:
            mix = mix_of(path, sha256)
            if mix.is_scheduled:
                raise ConfigError(f"{path}: {SCHEDULE}")
            mix.warm()
            _opened[path, sha256] = mix, Groups(), Turn(mix)
        return _opened[path, sha256]
