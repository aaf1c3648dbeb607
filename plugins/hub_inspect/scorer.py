"""A mix, or one reward, as a scorer of Inspect.

Inspect scores each sample by itself, many at the same time. Each is scored through the engine, without
blocking the event loop; where a reward takes whole batches, those that come at the same time go together.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

import anyio.to_thread
from inspect_ai.scorer import (  # noqa: TID253 - imported by Inspect, or with it
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    metric,
    scorer,
    stderr,
)
from inspect_ai.solver import TaskState  # noqa: TID253

import hub
from hub.errors import ConfigError, HubError, RewardFailed
from hub_inspect.convert import to_hub, to_score
from hub_inspect.together import Together


@metric
def mean() -> Metric:
    """The mean of what was scored, the same to the last bit as that of `hub eval`."""

    def compute(scores: list[SampleScore]) -> float:
        values = [score.score.as_float() for score in scores]
        return sum(values) / len(values) if values else float("nan")

    return compute


def mix_scorer(
    rewards: str | Mapping[str, Any], target: str = "answer", values: Sequence[str] = ()
) -> Scorer:
    """Score with a mix.

    Args:
        rewards: a mix file's path, or a mapping as in one: `{"math": 1.0}`.
        target: the column that the sample's target is, where its metadata has none of that name. Of several
            targets the one counts that earns most.
        values: rewards of the mix whose values are the score, by name, in place of the total.

    Raises:
        HubError: the mix is wrong, or compares the completions of a prompt.
    """
    mix = hub.Mix.load(rewards) if isinstance(rewards, str) else hub.Mix.from_tables(rewards)
    return score_with(mix, target, values)


def score_with(mix: hub.Mix, target: str = "answer", values: Sequence[str] = ()) -> Scorer:
    """Return what scores with a mix; without Inspect's registration.

    Raises:
        ConfigError: the mix compares the completions of a prompt, has no such reward, or one cannot be
            constructed.
    """
    if unknown := set(values) - set(mix.names):
        raise ConfigError(f"the mix has no reward {sorted(unknown)[0]!r} (it has: {', '.join(mix.names)})")
    if mix.compares:
        raise ConfigError(
            f"{', '.join(mix.compares)}: needs all completions of a prompt, but Inspect scores one at a time"
        )
    mix.warm()
    batches = any(reward.bound.lane is hub.Lane.BATCH for reward in mix.rewards)
    together = Together(mix) if batches else None

    column = target
    needs = [reward.bound.reward.needs for reward in mix.rewards]
    reads = any(one is None or column in one for one in needs)

    async def score(state: TaskState, target: Target) -> Score:
        several = reads and column not in state.metadata and len(target) > 1
        samples = [
            to_hub(state.input, state.output.completion, state.metadata, one, column, state.sample_id)
            for one in (list(target) if several else [target.text])
        ]
        try:
            results = [await _score(mix, together, sample) for sample in samples]
        except RewardFailed:
            raise
        except HubError as error:
            return Score.unscored(reason="scoring_failed", explanation=f"{type(error).__name__}: {error}")
        best = max(results, key=lambda one: -inf if one.value is None else one.value)
        return to_score(best, values)

    return score


def reward_scorer(name: str) -> Callable[..., Scorer]:
    """Return the scorer, to be registered, of an installed reward; it takes the reward's options."""

    def score_reward(target: str = "answer", **options: Any) -> Scorer:
        return score_with(hub.Mix({name: {"with": options}}), target)

    score_reward.__doc__ = hub.load().rewards[name].summary
    return score_reward


def register(name: str, make: Callable[..., Scorer]) -> Callable[..., Scorer]:
    """Register a scorer with Inspect as "hub/NAME"."""
    # Inspect puts the name of the function's package before it, unless it finds none; ours is to be "hub".
    make.__module__ = "hub:inspect"
    found: Callable[..., Scorer] = scorer(metrics=[mean(), stderr()], name=f"hub/{name}")(make)
    return found


mix = register("mix", mix_scorer)


async def _score(graded_by: hub.Mix, together: Together | None, sample: hub.Sample) -> hub.MixScore:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # Inspect runs on trio where it is asked to
        return (await anyio.to_thread.run_sync(graded_by.score, [sample]))[0]
    if together is not None:
        return await together.score(sample)
    return (await graded_by.ascore([sample]))[0]
