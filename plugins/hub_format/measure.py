"""What a completion is measured in: characters, words or tokens."""

from collections.abc import Sequence
from typing import Any, Literal

import hub
from hub.errors import BadInput

Unit = Literal["characters", "words", "tokens"]


def units(sample: hub.Sample, unit: Unit) -> Sequence[Any]:
    """Return a completion's characters (code points), words (between white space) or token ids.

    Raises:
        MissingColumn: tokens are asked for and the row has no column `completion_ids`.
        BadInput: that column is not a list of integers.
    """
    if unit == "characters":
        return sample.text
    if unit == "words":
        return sample.text.split()
    ids = sample["completion_ids"]
    ids = getattr(ids, "tolist", lambda: ids)()
    if not isinstance(ids, list | tuple) or not all(isinstance(token, int) for token in ids):
        raise BadInput(f"the column 'completion_ids' is {type(ids).__name__}, not a list of token ids")
    return ids
