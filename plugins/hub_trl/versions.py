"""What differs between versions of TRL; `scripts/test-trl-versions` runs the tests in each of them."""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class Change:
    """Something that changed in TRL and that the hub has to know.

    Args:
        since: the first version with it.
        what: for people.
    """

    since: tuple[int, int]
    what: str


LOWEST = (1, 0)
"""The lowest version that is tested."""
LEAVES_OUT_MISSING = Change((1, 6), "a sample for which every function returns None is left out of its group")
"""Before, it counted as a sum of 0, so the hub puts the mean of its group's values in its place."""
AWAITS_OBJECTS = Change((1, 14), "an object with an async `__call__` is awaited; before, only `async def` is")
"""The hub gives `async def` functions, which every version awaits."""
NO_PPO = Change((1, 13), "PPOTrainer is no longer there")
OTHER_METRICS = Change(
    (1, 14), "processes may log different metrics; before, they wait for each other forever"
)
"""The hub has them log the same."""
CHANGES = (LEAVES_OUT_MISSING, NO_PPO, AWAITS_OBJECTS, OTHER_METRICS)


@cache
def installed() -> tuple[int, int]:
    """Return major and minor version of the installed TRL; without one, what the newest would be."""
    try:
        major, minor = version("trl").split(".")[:2]
    except PackageNotFoundError:
        return max(change.since for change in CHANGES)
    return int(major), int(minor)


def has(change: Change) -> bool:
    """Whether the installed TRL has a change."""
    return installed() >= change.since
