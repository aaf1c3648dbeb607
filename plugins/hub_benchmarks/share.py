"""Takes a part of a benchmark that is all for testing to train on; a row is in one of the two, always."""

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import Any

from hub.errors import OptionError


def share(
    name: str,
    split: str,
    train_share: float,
    rows: Iterable[dict[str, Any]],
    question: Callable[[dict[str, Any]], str],
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a split.

    Args:
        name: the benchmark's.
        split: "test" or "train".
        train_share: the part of all rows that is for training, 0 to less than 1; these are not in "test".
        rows: all of them.
        question: what tells a row's place: equal questions are on the same side.

    Raises:
        OptionError: the share is out of range, or there is nothing to train on.
    """
    if not 0 <= train_share < 1:
        raise OptionError(f"{name}: train_share is at least 0 and less than 1, not {train_share}")
    if split == "train" and not train_share:
        raise OptionError(
            f"{name}: all of it is for testing. To train on a part of it, and to test on the rest, give "
            "train_share, e.g. 0.8, to both"
        )
    for row in rows:
        digest = blake2b(" ".join(question(row).split()).encode(), digest_size=4).digest()
        if (int.from_bytes(digest) < train_share * 2**32) == (split == "train"):
            yield row
