"""Sampling whose draws do not depend on the batch, and the end of completions at stop texts.

Each completion has a random stream of its own, from the seed and its prompt. A run that was interrupted and
goes on with other batches draws what it would have drawn, and torch's own random state stays as it was.
"""

from collections.abc import Sequence
from hashlib import blake2b

import torch  # noqa: TID253 - imported with transformers_model, late
from transformers import (  # noqa: TID253
    LogitsProcessor,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    TopPLogitsWarper,
)

from hub.errors import GeneratorError


def row_seeds(prompts: Sequence[Sequence[int]], seed: int) -> list[int]:
    """Return a seed for each prompt's tokens; equal prompts get different ones.

    >>> len(set(row_seeds([[1, 2], [1, 2], [3]], 0))), row_seeds([[3]], 0) == row_seeds([[1], [3]], 0)[1:]
    (3, True)
    """
    seen: dict[bytes, int] = {}
    seeds = []
    for tokens in prompts:
        content = blake2b(repr(list(tokens)).encode(), digest_size=16).digest()
        again = seen[content] = seen.get(content, -1) + 1
        drawn = blake2b(content + f"{seed}/{again}".encode(), digest_size=8).digest()
        seeds.append(int.from_bytes(drawn) >> 1)
    return seeds


class RowSampler(LogitsProcessor):
    """Turns greedy decoding into sampling: the largest of logit + Gumbel noise is a draw from the softmax.

    Args:
        seeds: one per row of the batch.
        temperature: greater than 0.
        top_p: probability mass kept; 1 keeps all.
        device: where the logits are.
    """

    def __init__(self, seeds: Sequence[int], temperature: float, top_p: float, device: torch.device) -> None:
        self._streams = [torch.Generator(device).manual_seed(seed) for seed in seeds]
        self._temperature = temperature
        self._nucleus = TopPLogitsWarper(top_p) if top_p < 1 else None

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Return logits with each row's own noise."""
        return self.draw(scores, self._streams)  # type: ignore[return-value]

    def draw(self, scores: torch.Tensor, streams: Sequence[torch.Generator]) -> torch.Tensor:
        """Return logits with noise from the given streams, one per row."""
        warped = scores.float() / self._temperature
        if self._nucleus is not None:
            warped = self._nucleus(torch.empty(0, dtype=torch.long), warped)
        noise = torch.empty_like(warped)
        for row, stream in zip(noise, streams, strict=True):
            row.exponential_(generator=stream)
        return warped - noise.log()


def check_numbers(logits: torch.Tensor) -> None:
    """Refuse logits that are no numbers: what would be drawn from them says nothing about the model.

    Raises:
        GeneratorError: one is NaN.
    """
    if torch.isnan(logits.sum()):
        raise GeneratorError(
            "the model's logits are no numbers (NaN): its weights are broken, or too large for "
            "their dtype (try --generator-option dtype=float32)"
        )


class OnlyNumbers(LogitsProcessor):
    """Passes on logits that are numbers."""

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Return the logits.

        Raises:
            GeneratorError: one is NaN.
        """
        check_numbers(scores)
        return scores


class StopTexts(StoppingCriteria):
    """Ends a row once its completion contains a stop text; the prompt is not searched.

    Args:
        stop: the texts.
        tokenizer: turns the last tokens back into text.
        prompt_tokens: length of the padded prompts.
        rows: rows in the batch.
    """

    def __init__(
        self, stop: Sequence[str], tokenizer: PreTrainedTokenizerBase, prompt_tokens: int, rows: int
    ) -> None:
        self._stop = stop
        self._tokenizer = tokenizer
        self._prompt_tokens = prompt_tokens
        # A token holds at least one byte; two more, as the first of a window may lose its leading space.
        self._window = max((len(text.encode()) for text in stop), default=0) + 2
        self.ended_at: list[int | None] = [None] * rows
        """Tokens of each completion when its stop text was complete; None: it had none."""

    def __call__(
        self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **_: object
    ) -> torch.BoolTensor:
        """Return which rows are done."""
        start = max(self._prompt_tokens, input_ids.shape[1] - self._window)
        for row, ended in enumerate(self.ended_at):
            if ended is None:
                tail = str(self._tokenizer.decode(input_ids[row, start:], skip_special_tokens=True))
                if any(text in tail for text in self._stop):
                    self.ended_at[row] = input_ids.shape[1] - self._prompt_tokens
        done = [ended is not None for ended in self.ended_at]
        return torch.tensor(done, device=input_ids.device)  # type: ignore[return-value]
