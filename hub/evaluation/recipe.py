"""What a run is known by: all that decides its numbers. Two different recipes never share a folder."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.mix.mix import Mix
from hub.mix.under_way import MixReward

WHERE = ("address", "batch_size", "device", "folder")
"""Keys of a model's description that say where it was and how it was run, not which model it is."""
FROM = ("path", "dataset")
"""Options of benchmarks that say where rows come from: the hash over the rows counts in their place."""
SHOWN = 80
"""Characters of a value that `differences` shows."""


def describe_mix(mix: Mix, *, whole: bool = False) -> dict[str, Any]:
    """Return a mix as plain data, with each reward's code, version and, where it tells it, provenance.

    Args:
        mix: the rewards.
        whole: with the options that decide no value (a class says which in `no_effect`), and with the folders
            that rewards of files are in.
    """
    rewards = []
    for reward in mix.rewards:
        config = reward.config
        use = config.use if isinstance(config.use, str) else str(reward.bound.target)
        code, options = reward.bound.target.identity, dict(config.options)
        if not whole:
            use, code = (text.rpartition("/")[2] if ".py:" in text else text for text in (use, code))
            options = without(options, getattr(reward.bound.target.load(), "no_effect", ()))
        rewards.append(
            {
                "name": reward.name,
                "use": use,
                "code": code,
                "weight": [list(point) for point in config.weight.points],
                "when": dict(config.when),
                "gate": str(config.gate) if config.gate else None,
                "with": options,
                "map": dict(config.map),
                "timeout_s": reward.bound.timeout_s if config.timeout_s is None else config.timeout_s,
                "on_timeout": config.on_timeout,
                **_provenance(reward),
            }
        )
    return {"on_failure": mix.config.on_failure, "aggregate": mix.config.aggregate, "rewards": rewards}


def without(options: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return options without some of them, and without tables that nothing is left of.

    Args:
        options: by name.
        names: which; a dot leads into a table, or into each table of a list.

    >>> without({"cache": "x", "server": {"retries": 1}, "seats": [{"url": "y", "model": "m"}]},
    ...         ["cache", "server.retries", "seats.url"])
    {'seats': [{'model': 'm'}]}
    """
    kept = dict(options)
    for name in names:
        first, _, rest = name.partition(".")
        inside = kept.get(first)
        if not rest:
            kept.pop(first, None)
        elif isinstance(inside, Mapping):
            kept[first] = without(inside, [rest])
            if not kept[first]:
                del kept[first]
        elif isinstance(inside, list):
            kept[first] = [without(one, [rest]) if isinstance(one, Mapping) else one for one in inside]
    return kept


def _provenance(reward: MixReward) -> dict[str, Any]:
    """What a reward says that its values depend on beside its code and options, such as a model's weights."""
    tell = getattr(reward.bound.target.load(), "provenance", None)
    return {"provenance": dict(tell(**reward.bound.options))} if callable(tell) else {}


def hash_recipe(recipe: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that stand for a recipe."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]


def differences(old: Any, new: Any, where: str = "", between: str = ", now ") -> Iterator[str]:
    """Yield what differs between two recipes: the innermost keys, with their values, or where these part.

    Args:
        old: a recipe, or a part of one.
        new: another.
        where: the name of the part.
        between: the words between the two values.

    >>> list(differences({"mix": {"rewards": [{"with": {"low": 0}}]}}, {"mix": {"rewards": [{"with": {}}]}}))
    ['mix.rewards[0].with.low: 0, now not given']
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            one, other = (part.get(key, _NOT_GIVEN) for part in (old, new))
            yield from differences(one, other, f"{where}.{key}".lstrip("."), between)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{where}[{number}]", between)
    elif old != new:
        texts = [repr(value) for value in (old, new)]
        same = next(
            (at for at, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts))
        )
        start = 0 if max(map(len, texts)) <= SHOWN else max(0, same - SHOWN // 2)
        shown = [f"{'...' if start else ''}{text[start : start + SHOWN]}" for text in texts]
        yield f"{where}: {between.join(shown)}"


class _NotGiven:
    def __repr__(self) -> str:
        return "not given"


_NOT_GIVEN = _NotGiven()
