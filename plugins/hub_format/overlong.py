"""The reward `soft-overlong`: a penalty that sets in before the longest completion allowed."""

import hub
from hub_format.measure import units


class SoftOverlong:
    """0.0 for a completion that ends in time, falling to -1.0 at the longest allowed.

    Soft overlong punishment of DAPO (arXiv 2503.14476, equation 13). With L tokens:

        0                                   where L <= max_tokens - buffer
        (max_tokens - buffer - L) / buffer  where it lies between
        -1                                  where L > max_tokens

    DAPO allows 20,480 tokens with a buffer of 4,096. Used beside a reward for the answer, e.g. with
    weight 1.0.

    Args:
        max_tokens: longest completion allowed, in tokens; the trainer's own limit.
        buffer: how many tokens before that the penalty sets in.

    Raises:
        ValueError: unless 0 < buffer <= max_tokens.

    >>> SoftOverlong(100, 20)(hub.Sample("", "", {"completion_ids": [7] * 90}))
    -0.5
    """

    def __init__(self, max_tokens: int, buffer: int) -> None:
        if not 0 < buffer <= max_tokens:
            raise ValueError(f"should be 0 < buffer <= max_tokens, not {buffer} and {max_tokens}")
        self.max_tokens, self.buffer = max_tokens, buffer

    def __call__(self, sample: hub.Sample) -> float:
        """Score one completion by its number of tokens."""
        length = len(units(sample, "tokens"))
        if length > self.max_tokens:
            return -1.0
        return min(0.0, (self.max_tokens - self.buffer - length) / self.buffer)
