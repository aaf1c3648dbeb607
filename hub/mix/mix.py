"""A mix of rewards: looked up, checked against the data, and scored together."""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from hub.engine.component import Component
from hub.engine.engine import default_engine
from hub.engine.interface import AnyEngine
from hub.errors import ConfigError, HubError, RewardFailed, nearest
from hub.find import find_reward
from hub.mix.combine import MixScore, ScoredBatch, combine
from hub.mix.config import MixConfig, RewardConfig, Source, parse_mix
from hub.mix.under_way import MixReward, UnderWay
from hub.plugins import load
from hub.reward import Lane, Per, Reward
from hub.sample import Sample

Weight = float | Sequence[Sequence[float]] | Mapping[str, Any]


class Mix:
    """Rewards with weights, routes, gates, schedules and a failure policy.

    Args:
        rewards: weight by reward; a reward is an installed name, "path/to/file.py:name", a function or
            a class. In place of a weight: a list of [step, weight] points, or a mapping with the keys
            of a `[[reward]]` table.
        options: `on_failure`, `aggregate` and `allow_unrouted` as in a mix file.

    Raises:
        UnknownName, OptionError, ConfigError: something in it is unknown or unfit; nothing has run.

    >>> Mix({"think-format": 1.0}).score([Sample("", "<think>a</think>b")])[0].value
    1.0
    """

    def __init__(self, rewards: Mapping[Any, Weight], **options: Any) -> None:
        if not isinstance(rewards, Mapping):
            raise ConfigError(
                f"a mix is made of a mapping like {{'math': 1.0}}, not of {rewards!r:.80}; "
                "hub.Mix.load(path) reads a file"
            )
        tables = [_table(use, weight) for use, weight in rewards.items()]
        self._set_up(parse_mix({"reward": tables, **options}, Source()))

    @classmethod
    def load(cls, path: str | Path) -> "Mix":
        """Read a mix file (TOML).

        Raises:
            ConfigError: something in it is wrong; the message holds the file and line.
        """
        source, data = Source.read(path)
        return cls.from_tables(data, source)

    @classmethod
    def from_tables(cls, data: Mapping[str, Any], source: Source | None = None) -> "Mix":
        """Make a mix from the tables of a mix file, e.g. those inside a recipe or a benchmark.

        `{"math": 1.0}` (weights by name, no `reward` key) is the short form.
        """
        mix = cls.__new__(cls)
        if "reward" not in data and data and all(map(_is_weight, data.values())):
            data = {"reward": [_table(use, weight) for use, weight in data.items()]}
        mix._set_up(parse_mix(data, source or Source()))
        return mix

    def __reduce__(self) -> tuple[Callable[[MixConfig], "Mix"], tuple[MixConfig]]:
        return _of_config, (self.config,)  # components belong to an engine, and stay with it

    def with_options(self, options: Mapping[str, Mapping[str, Any]]) -> "Mix":
        """Return this mix with some of its rewards' options changed.

        Args:
            options: by reward, as the mix names it, and option.

        Raises:
            ConfigError: the mix has no such reward.
            OptionError: a reward has no such option, or it is unfit.

        >>> mix = Mix({"length": {"with": {"max": 10}}}).with_options({"length": {"max": 20}})
        >>> dict(mix.rewards[0].config.options)
        {'max': 20}
        """
        for name in options:
            if name not in self.names:
                raise ConfigError(f"the mix has no reward {name!r}{nearest(name, self.names)}")
        tables = (
            replace(one.config, options={**one.config.options, **options.get(one.name, {})})
            for one in self.rewards
        )
        return _of_config(replace(self.config, rewards=tuple(tables)))

    def _set_up(self, config: MixConfig) -> None:
        self.config = config
        self.rewards: tuple[MixReward, ...] = tuple(
            self._find(index, table) for index, table in enumerate(config.rewards)
        )
        self._components: WeakKeyDictionary[AnyEngine, dict[str, Component]] = WeakKeyDictionary()
        self._check_names()
        self._order = self._gate_order()

    def _find(self, index: int, table: RewardConfig) -> MixReward:
        source = self.config.source
        try:
            reward = find_reward(table.use, source.path.parent if source.path else None)
            bound = reward.bind(table.options)
            for column in table.map:
                declared = reward.needs and (*reward.needs, *reward.uses)
                if declared and column not in declared:
                    raise ConfigError(f"it reads no column {column!r}{nearest(column, declared)}")
        except HubError as error:
            raise _located(error, source, ("reward", index, _key_of(error))) from error
        if table.timeout_s is not None and bound.lane is Lane.INLINE:
            message = f"the reward {reward.name!r} runs inline, where no time limit can hold"
            raise source.error(("reward", index, "timeout_s"), message)
        return MixReward(table.name or reward.name, table, bound)

    def _check_names(self) -> None:
        names = [reward.name for reward in self.rewards]
        for index, reward in enumerate(self.rewards):
            where = ("reward", index)
            if reward.name in names[:index]:
                raise self.config.source.error(
                    where, f"the name {reward.name!r} is taken by an earlier reward: give this one a `name`"
                )
            gate = reward.config.gate
            if gate is not None and gate.reward not in names:
                raise self.config.source.error(
                    (*where, "gate"),
                    f"no reward of this mix is called {gate.reward!r}{nearest(gate.reward, names)}",
                )

    def _gate_order(self) -> list[MixReward]:
        """Order the rewards so that each comes after the one that gates it."""
        order: list[MixReward] = []
        waiting = list(self.rewards)
        while waiting:
            done = {reward.name for reward in order}
            ready = [r for r in waiting if r.config.gate is None or r.config.gate.reward in done]
            if not ready:
                names = " and ".join(repr(reward.name) for reward in waiting)
                raise self.config.source.error(("reward",), f"{names} gate each other in a circle")
            order += ready
            waiting = [reward for reward in waiting if reward not in ready]
        return order

    @property
    def names(self) -> tuple[str, ...]:
        """The rewards' names, in the mix's order."""
        return tuple(reward.name for reward in self.rewards)

    @property
    def groupwise(self) -> tuple[str, ...]:
        """Names of rewards that compare the completions of one prompt, so need whole groups."""
        return tuple(r.name for r in self.rewards if r.bound.reward.per is Per.GROUP)

    @property
    def compares(self) -> tuple[str, ...]:
        """What in the mix needs all completions of a prompt at once, in words; empty where nothing does."""
        both = self.config.aggregate == "normalize_then_sum"
        return (*self.groupwise, *(['aggregate = "normalize_then_sum"'] if both else []))

    @property
    def is_scheduled(self) -> bool:
        """Whether a weight changes over training steps, so that a trainer must tell them."""
        return any(not reward.config.weight.is_constant for reward in self.rewards)

    def weights(self, step: float | None = None) -> dict[str, float]:
        """Return each reward's weight at a training step; None: the end of its schedule."""
        return {reward.name: reward.config.weight.at(step) for reward in self.rewards}

    def check(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Check rows before anything runs; return how many there are.

        Raises:
            ConfigError: a row lacks a column that a reward routed to it needs, or no reward takes it.
        """
        count, columns = 0, set[str]()
        for count, row in enumerate(rows, 1):
            columns |= row.keys()
            takers = [reward for reward in self.rewards if reward.applies(row)]
            for reward in takers:
                for name in reward.bound.reward.needs or ():
                    column = reward.config.map.get(name, name)
                    if column not in row:
                        raise ConfigError(_lacks(reward, name, column, row, count))
            if not takers and not self.config.allow_unrouted:
                routes = "; ".join(f"{r.name}: {dict(r.config.when)}" for r in self.rewards)
                raise ConfigError(
                    f"no reward takes row {count} (routes: {routes}); add one, or set allow_unrouted = true"
                )
        for index, reward in enumerate(self.rewards):
            for column in reward.config.when:
                if count and column not in columns and not self.config.allow_unrouted:
                    message = f"no row has a column {column!r}{nearest(column, columns)}"
                    raise self.config.source.error(("reward", index, "when"), message)
        return count

    def warm(self, engine: AnyEngine | None = None) -> None:
        """Construct every reward now, so that one that cannot be is found before training.

        Raises:
            ConfigError: one cannot be constructed.
        """
        engine = engine or default_engine()
        broken = engine.warm(list(self._in(engine).values()))
        for index, reward in enumerate(self.rewards):
            if reward.name in broken:
                message = f"{reward.name!r} of {reward.bound.reward.origin} cannot be set up: "
                raise self.config.source.error(("reward", index), message + broken[reward.name])

    def score(
        self, samples: Iterable[Sample], *, step: int | None = None, engine: AnyEngine | None = None
    ) -> list[MixScore]:
        """Score samples with every reward and combine: one result per sample, in their order.

        Args:
            samples: their `group` matters to group rewards and to "normalize_then_sum"; where it is
                None, samples with the same prompt are a group.
            step: the training step, for schedules; None gives the end of each schedule.
            engine: by default this process's own.

        Raises:
            RewardFailed: a reward failed and the mix says `on_failure = "raise"`.
        """
        under_way = self._begin(samples, engine)
        try:
            under_way.run(self._order)
        except BaseException:
            under_way.cancel()
            raise
        return self._finish(under_way, step)

    async def ascore(
        self,
        samples: Iterable[Sample],
        *,
        step: int | None = None,
        engine: AnyEngine | None = None,
        in_thread: bool | None = None,
    ) -> list[MixScore]:
        """`score` from a coroutine, without blocking its event loop; cancelling it cancels the work.

        No thread waits while the rewards run, so thousands of calls may be under way at once.

        Args:
            samples: as for `score`.
            step: as for `score`.
            engine: as for `score`.
            in_thread: False runs on the event loop what takes microseconds per sample (inline rewards, the
                hooks `hub_scored`), which saves a small batch most of its time. None: where there are at most
                16 samples and no inline rewards.
        """
        under_way = self._begin(samples, engine)
        if in_thread is None:
            inline = any(reward.bound.lane is Lane.INLINE for reward in self.rewards)
            in_thread = inline or len(under_way.samples) > 16
        try:
            await under_way.arun(self._order, in_thread)
        except BaseException:
            under_way.cancel()
            raise
        if in_thread:
            return await asyncio.to_thread(self._finish, under_way, step)
        return self._finish(under_way, step)

    def _begin(self, samples: Iterable[Sample], engine: AnyEngine | None) -> UnderWay:
        if isinstance(samples, Sample):
            raise ConfigError("a mix scores a list of samples, not one: mix.score([sample])")
        listed = list(samples)
        if set(map(type, listed)) - {Sample} and not all(isinstance(sample, Sample) for sample in listed):
            raise ConfigError("a mix scores hub.Sample objects: hub.Sample(prompt, completion, columns)")
        engine = engine or default_engine()
        return UnderWay(engine, self._in(engine), listed)

    def _finish(self, under_way: UnderWay, step: int | None) -> list[MixScore]:
        samples, config = under_way.samples, self.config
        ordered = {name: under_way.scores[name] for name in self.names}
        groups: Sequence[Hashable] = range(len(samples))
        if config.aggregate == "normalize_then_sum":
            groups = [s.group if s.group is not None else repr(s.prompt) for s in samples]
        results = combine(ordered, self.weights(step), groups, config.on_failure, config.aggregate)
        load().scored(ScoredBatch(samples, results, step))
        if config.on_failure == "raise":
            raise_failures(results)
        return results

    def stats(self, engine: AnyEngine | None = None) -> dict[str, dict[str, Any]]:
        """Return the accounts of each reward, by name (see `hub.engine.stats.Stats.as_dict`)."""
        components = self._in(engine or default_engine())
        return {name: components[name].stats.as_dict() for name in self.names}

    def _in(self, engine: AnyEngine) -> dict[str, Component]:
        if engine not in self._components:
            self._components[engine] = {
                reward.name: engine.add(reward.bound, name=reward.name, timeout_s=reward.config.timeout_s)
                for reward in self.rewards
            }
        return self._components[engine]


def _of_config(config: MixConfig) -> Mix:
    mix = Mix.__new__(Mix)
    mix._set_up(config)
    return mix


def _lacks(reward: MixReward, name: str, column: str, row: Mapping[str, Any], number: int) -> str:
    known = ", ".join(sorted(row)) or "none"
    if column != name:
        return (
            f"row {number} has no column {column!r}, which `map` of the reward {reward.name!r} takes for "
            f"{name!r} (it has: {known})"
        )
    return (
        f"row {number} has no column {name!r}, which the reward {reward.name!r} needs (it has: {known}); "
        f"if another column holds it, say so with `map`: {name} = that column"
    )


def raise_failures(results: Sequence[MixScore]) -> None:
    """Raise `RewardFailed` where a reward failed, as `on_failure = "raise"` asks for."""
    failed = [(i, n, s) for i, r in enumerate(results) for n, s in r.scores.items() if s.fault]
    if failed:
        index, name, score = failed[0]
        error = RewardFailed(
            f"{len(failed)} of {len(results)} samples have a failed reward; the first: sample {index}, "
            f'reward {name!r}: {score.reason}: {score.detail} (on_failure = "raise")'
        )
        error.results = results
        raise error


def _table(use: Callable[..., Any] | Reward | str, weight: Weight) -> dict[str, Any]:
    if isinstance(weight, Mapping):
        return {"use": use, **weight}
    return {"use": use, "weight": weight}


def _is_weight(value: object) -> bool:
    """Whether it can stand beside a reward in the short form of a mix."""
    if isinstance(value, list):
        return all(isinstance(point, list) for point in value)
    return isinstance(value, int | float | Mapping) and not isinstance(value, bool)


def _key_of(error: HubError) -> str:
    from hub.errors import OptionError

    return "with" if isinstance(error, OptionError) else "use"


def _located(error: HubError, source: Source, keys: tuple[str | int, ...]) -> HubError:
    """The same kind of error, with where in the mix it is."""
    located = source.error(keys, str(error))
    error.args = located.args
    return error
