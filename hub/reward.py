"""What a reward plugin declares, and the decorator that declares it."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar, overload

from hub.errors import OptionError, PluginError, nearest
from hub.options import check_options
from hub.origin import Origin
from hub.target import Target

Function = TypeVar("Function", bound=Callable[..., Any])


class Per(StrEnum):
    """What one call of a reward is given."""

    SAMPLE = "sample"
    """one sample; returns one score"""
    BATCH = "batch"
    """any list of samples; each score depends on its own sample alone"""
    GROUP = "group"
    """all completions of one prompt; scores may depend on each other"""


class Lane(StrEnum):
    """Where a reward runs."""

    PROCESS = "process"
    """in warm worker processes; a time limit kills (the default of sync functions)"""
    INLINE = "inline"
    """in the caller's thread, without a time limit: only where the cost is provably bounded"""
    ASYNC = "async"
    """on the engine's event loop, in a thread of its own (the default of async functions)"""
    BATCH = "batch"
    """in the calling process, in one thread, for models on a GPU (the default of batch=True)"""


DEFAULT_TIMEOUT_S = {Lane.PROCESS: 10.0, Lane.INLINE: None, Lane.ASYNC: 60.0, Lane.BATCH: 600.0}


@dataclass(frozen=True)
class Reward:
    """A reward as a plugin offers it.

    Args:
        name: what mixes and commands call it.
        target: what computes it: a function, a class (its constructor takes the options, and is
            called once per worker; its `__call__` scores), or "package.module:name", imported when
            the reward is first used.
        summary: one line for listings; by default the first line of the docstring.
        needs: columns that a row must have; checked before anything runs. None: not declared, the
            reward sees every column and nothing is checked.
        uses: columns that it reads where they exist.
        per: what one call is given.
        lane: where it runs; None: async functions in `async`, batch functions in `batch`, others
            in `process`.
        timeout_s: seconds one call may take, from when it starts. None: the lane's default
            (process 10, async 60, batch 600, inline no limit).
        setup_timeout_s: seconds that importing and constructing it may take.
        memory_mb: MiB of memory that it may hold in a worker, with what it imports (process lane).
        deterministic: the same sample gets the same score; otherwise nothing is cached or scored
            once for duplicates.
        concurrency: calls under way at once (async lane).
        preload: modules that workers are forked with, so that a fresh one does not import them.
        range: lowest and highest value it can return, None where it has no bound.
        origin: the distribution and version that offers it; set when it is discovered.
    """

    name: str
    target: Callable[..., Any] | str
    summary: str = ""
    needs: tuple[str, ...] | None = None
    uses: tuple[str, ...] = ()
    per: Per = Per.SAMPLE
    lane: Lane | None = None
    timeout_s: float | None = None
    setup_timeout_s: float = 60.0
    memory_mb: int = 4096
    deterministic: bool = True
    concurrency: int = 64
    preload: tuple[str, ...] = ()
    range: tuple[float | None, float | None] = (None, None)
    origin: Origin = field(default=Origin(), compare=False)

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        for key, kind in (("per", Per), ("lane", Lane)):
            value = getattr(self, key)
            if value is not None and value not in list(kind):
                names = ", ".join(kind)
                raise PluginError(f"reward {self.name!r}: {key} is one of {names}, not {value!r}")
            set_(self, key, None if value is None else kind(value))
        for key in ("timeout_s", "setup_timeout_s", "memory_mb", "concurrency"):
            value = getattr(self, key)
            if value is not None and not 0 < value < float("inf"):
                raise PluginError(f"reward {self.name!r}: {key} is greater than 0, not {value!r}")
        for key in ("needs", "uses", "preload"):
            value = getattr(self, key)
            if isinstance(value, str):
                raise PluginError(f"reward {self.name!r}: {key} is a list of names, not one string")
            if value is not None:
                set_(self, key, tuple(value))
        if not self.summary and callable(self.target):
            set_(self, "summary", (inspect.getdoc(self.target) or "").split("\n")[0])

    def lane_for(self, call: Callable[..., Any]) -> Lane:
        """Return the lane that is declared, or the default one of what scores.

        Args:
            call: the function that scores; of a class, its `__call__`.
        """
        is_async = inspect.iscoroutinefunction(call)
        default = Lane.ASYNC if is_async else Lane.BATCH if self.per is Per.BATCH else Lane.PROCESS
        return self.lane or default

    def bind(self, options: Mapping[str, Any] | None = None) -> "BoundReward":
        """Fix the options, after checking them against the target's signature.

        Raises:
            OptionError: an option is unknown or missing.
            MissingDependency: the target's module needs a library that is not installed.
            PluginError: the target cannot be imported, or is of a kind that cannot score.
        """
        return BoundReward(self, dict(options or {}))


@dataclass(frozen=True, eq=False)
class BoundReward:
    """A reward with its options: what the engine runs. Made by `Reward.bind`."""

    reward: Reward
    options: dict[str, Any]
    target: Target = field(init=False)
    lane: Lane = field(init=False)
    timeout_s: float | None = field(init=False)

    def __post_init__(self) -> None:
        reward = self.reward
        whose = f"reward {reward.name!r} of {reward.origin}"
        found: Any = reward.target
        if isinstance(found, str):
            found = Target.of(found, reward.origin).load()
            if getattr(found, "__hub_reward__", reward) != reward:
                raise PluginError(
                    f"{whose}: {reward.target} is declared a second time, with @hub.reward: remove that, or "
                    "offer the function itself"
                )
        is_class = inspect.isclass(found)
        _check_kind(found, is_class, whose)
        if is_class:
            check_options(found, self.options, whose)
        elif self.options:
            given = ", ".join(map(repr, self.options))
            raise OptionError(f"{whose} takes no options, but was given {given}")
        lane = self._choose_lane(found.__call__ if is_class else found, whose)
        set_ = object.__setattr__
        set_(self, "lane", lane)
        set_(self, "target", Target.of(reward.target, reward.origin, stays=lane is not Lane.PROCESS))
        limit = reward.timeout_s
        set_(self, "timeout_s", DEFAULT_TIMEOUT_S[lane] if limit is None else limit)

    def _choose_lane(self, call: Callable[..., Any], whose: str) -> Lane:
        reward = self.reward
        is_async = inspect.iscoroutinefunction(call)
        lane = reward.lane_for(call)
        if is_async != (lane is Lane.ASYNC):
            kind = "async" if is_async else "not async"
            raise PluginError(f"{whose} is {kind}: lane={str(lane)!r} cannot run it")
        if lane is Lane.INLINE and reward.timeout_s is not None:
            raise PluginError(f"{whose}: lane='inline' cannot hold a time limit (timeout_s); leave one out")
        if lane is Lane.BATCH and reward.per is Per.SAMPLE:
            raise PluginError(f"{whose}: lane='batch' needs batch=True or group=True")
        return lane


@overload
def reward(function: Function) -> Function: ...
@overload
def reward(
    function: None = None,
    *,
    name: str | None = None,
    needs: Iterable[str] | None = None,
    uses: Iterable[str] = (),
    batch: bool = False,
    group: bool = False,
    lane: Lane | str | None = None,
    timeout_s: float | None = None,
    setup_timeout_s: float = 60.0,
    memory_mb: int = 4096,
    deterministic: bool = True,
    concurrency: int = 64,
    preload: Iterable[str] = (),
    range: tuple[float | None, float | None] = (None, None),
) -> Callable[[Function], Function]: ...
def reward(
    function: Any = None, *, name: str | None = None, batch: bool = False, group: bool = False, **keys: Any
) -> Any:
    """Declare a function or a class as a reward.

    The function itself is returned unchanged, so it can still be called and tested directly.

    Args:
        function: takes one `Sample` (a list of them with `batch` or `group`) and returns a float, a
            bool, None (abstain) or a `Score` (a list of those); sync or async. Or a class whose
            constructor takes the options and whose `__call__` is such a function.
        name: by default the function's, with dashes for underscores.
        batch: it takes any list of samples and scores each on its own.
        group: it takes all completions of one prompt and may compare them.
        keys: the other arguments of `Reward`.

    >>> @reward(needs=["answer"])
    ... def same(sample):
    ...     "1.0 where the completion is the reference answer."
    ...     return sample.text == sample["answer"]
    >>> as_reward(same).name, as_reward(same).needs
    ('same', ('answer',))
    """
    per = Per.GROUP if group else Per.BATCH if batch else Per.SAMPLE
    if batch and group:
        raise PluginError("a reward is per batch or per group, not both")

    known = [f.name for f in fields(Reward) if f.name not in ("name", "target", "per", "origin")]
    for key in keys:
        if key not in known:
            raise PluginError(f"@hub.reward takes no argument {key!r}{nearest(key, known)}")

    def declare(target: Function) -> Function:
        declared = Reward(name or _name_of(target), target, per=per, **keys)
        target.__hub_reward__ = declared  # type: ignore[attr-defined]
        return target

    return declare if function is None else declare(function)


def as_reward(thing: object) -> Reward:
    """Return what `@reward` declared on a function or class, or declare a bare one with defaults.

    Raises:
        PluginError: it is neither a `Reward` nor callable.
    """
    if isinstance(thing, Reward):
        return thing
    declared = getattr(thing, "__hub_reward__", None)
    if isinstance(declared, Reward) and declared.target is thing:
        return declared
    if callable(thing) and (inspect.isclass(thing) or hasattr(thing, "__name__")):
        return Reward(_name_of(thing), thing)
    raise PluginError(f"{thing!r} is not a reward: give a function or class, or hub.Reward(...)")


def _check_kind(found: Any, is_class: bool, whose: str) -> None:
    """Find what cannot be called with a sample, before anything runs."""
    if not callable(found):
        raise PluginError(f"{whose}: its target is a {type(found).__name__}, not a function or a class")
    if is_class and not any("__call__" in vars(kind) for kind in found.__mro__):
        raise PluginError(f"{whose}: the class has no __call__(self, sample), which is what scores")
    try:
        parameters = list(inspect.signature(found.__call__ if is_class else found).parameters.values())
    except (TypeError, ValueError):
        return  # built in: nothing is known of it
    first = parameters[1:] if is_class else parameters
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    taken = [p.name for p in first if p.kind in positional and p.default is p.empty]
    starred = any(p.kind is p.VAR_POSITIONAL for p in first)
    accepts = len(taken) == 1 or (not taken and (starred or any(p.kind in positional for p in first)))
    if not accepts or taken in (["completions"], ["prompts"]):
        form = "(self, sample)" if is_class else "(sample)"
        raise PluginError(
            f"{whose}: is called with one argument, as {form}: a hub.Sample, or a list of them with "
            f"batch=True or group=True; this one takes ({', '.join(map(str, parameters))})"
        )


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__)).replace("_", "-")
