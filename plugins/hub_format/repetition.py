"""The reward `repetition`: a penalty for n-grams that are repeated."""

from typing import Literal

import hub
from hub_format.measure import units


class Repetition:
    """0.0 where no n-gram is repeated, down to the largest penalty where all are the same.

    `max_penalty * (1 - distinct n-grams / n-grams)`; 0.0 where there are fewer than `ngram` words or
    tokens. From "Demystifying Long Chain-of-Thought Reasoning in LLMs" (arXiv 2502.03373, appendix C.2),
    in the form that open-r1 made common (huggingface/open-r1, get_repetition_penalty_reward, lower-case
    words) and trl 1.16.0 has over token ids. It is a penalty: its best is 0.0, which an empty completion
    gets too, so it belongs beside a reward for the answer.

    Args:
        ngram: how many words or tokens make an n-gram, 1 to 100.
        max_penalty: the score that complete repetition tends to; at most 0.
        unit: "words" (lower case, between white space) or "tokens" (needs the column `completion_ids`);
            take tokens for languages that are written without spaces.

    Raises:
        ValueError: `ngram` is not 1 to 100, or `max_penalty` is not a number of at most 0.

    >>> Repetition(ngram=2)(hub.Sample("", "the cat the cat the cat"))
    -0.6
    """

    def __init__(
        self, ngram: int = 3, max_penalty: float = -1.0, unit: Literal["words", "tokens"] = "words"
    ) -> None:
        if not 1 <= ngram <= 100:
            raise ValueError(f"ngram is 1 to 100, not {ngram}")
        if not float("-inf") < max_penalty <= 0:
            raise ValueError(f"max_penalty is a number of at most 0, not {max_penalty}")
        self.ngram, self.max_penalty, self.unit = ngram, max_penalty, unit

    def __call__(self, sample: hub.Sample) -> float:
        """Score one completion; time and memory are linear in its length times `ngram`."""
        found = units(sample, self.unit)
        words = [word.lower() for word in found] if self.unit == "words" else found
        shifted = [words[start:] for start in range(self.ngram)]
        ngrams = list(zip(*shifted, strict=False))
        if len(set(ngrams)) == len(ngrams):
            return 0.0
        return self.max_penalty * (1 - len(set(ngrams)) / len(ngrams))
