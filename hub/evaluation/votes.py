"""maj@k: whether the answer that most of k completions give is right (Wang et al. 2022, arXiv 2203.11171)."""

from collections.abc import Sequence
from typing import TypeAlias

Vote: TypeAlias = tuple[str | None, float]
"""What a completion answers, None where no answer was found in it, and the value that it got."""


def maj_at_k(groups: Sequence[Sequence[Vote]]) -> dict[int, float]:
    """Return the mean value of the answer that most of k completions give.

    For k = 4, 8, 16, ..., for 10 and 100, and for as many completions as every prompt has, from 3 on. The
    completions of a prompt are cut, in their order, into as many blocks of k as there are, and each block
    votes. Answers are the same where their text is. A tie counts as the mean of those that lead; a completion
    without an answer has no vote, and a block without any earns 0.

    Args:
        groups: the votes of each prompt; one without votes does not count. There is no k that some other
            prompt has too few votes for, and no maj@k where no completion has an answer.

    >>> maj_at_k([[("7", 1.0), ("8", 0.0), ("7", 1.0)], [("3", 0.0), ("4", 1.0), (None, 0.0)]])
    {3: 0.75}
    """
    if not any(answer is not None for group in groups for answer, _ in group):
        return {}
    used = [group for group in groups if group]
    fewest = min(map(len, used))
    wanted = {2**power for power in range(2, fewest.bit_length())} | {10, 100, fewest}
    found = {}
    for k in sorted(k for k in wanted if 3 <= k <= fewest):
        cut = [[group[at : at + k] for at in range(0, len(group) - k + 1, k)] for group in used]
        shares = [_mean([*map(_vote, blocks)]) for blocks in cut]
        found[k] = _mean(shares)
    return found


def _vote(block: Sequence[Vote]) -> float:
    values: dict[str, list[float]] = {}
    for answer, value in block:
        if answer is not None:
            values.setdefault(answer, []).append(value)
    most = max(map(len, values.values()), default=0)
    leading = [_mean(given) for given in values.values() if len(given) == most]
    return _mean(leading) if leading else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
