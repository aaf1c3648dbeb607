"""Which rows have controls judged beside them: a few, since each costs the judge three more requests."""

from hub.errors import OptionError


def spread(count: int, wanted: int) -> set[int]:
    """Return which of several things are chosen, evenly spread over all.

    Args:
        count: how many there are.
        wanted: how many are chosen; at most all are, and 0 chooses none.

    Raises:
        OptionError: a negative number is wanted.

    >>> sorted(spread(80, 4))
    [0, 20, 40, 60]
    """
    if wanted < 0:
        raise OptionError(f"controls are at least 0, not {wanted}")
    return {index * count // wanted for index in range(wanted)} if wanted < count else set(range(count))
