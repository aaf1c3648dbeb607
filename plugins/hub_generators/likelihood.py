"""How likely a model in this process thinks a text is after a context."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch  # noqa: TID253 - imported with transformers_model, late

from hub.errors import GeneratorError
from hub.generator import Likelihood
from hub_generators.continuations import split_all


class TextLikelihood:
    """Measures texts with a causal model.

    Args:
        model: of transformers.
        tokenizer: its own.
        device: where it is.
        batch_size: texts at once.
        no_grad: what the model is called in: `torch.inference_mode`, or `torch.no_grad` where it goes on to
            be trained.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        device: torch.device,
        batch_size: int,
        no_grad: Callable[[], AbstractContextManager[Any]] = torch.inference_mode,
    ) -> None:
        self._model, self._tokenizer, self._device, self._batch_size = model, tokenizer, device, batch_size
        self._no_grad = no_grad
        self._room = getattr(model.config, "max_position_embeddings", None)

    def __call__(self, asked: Sequence[tuple[str | None, str]]) -> Iterator[tuple[int, Likelihood | str]]:
        """Yield the number and likelihood of each, longest first; or why the model cannot tell.

        Raises:
            GeneratorError: a text stands alone, or the device has too little memory.
        """
        encoded, refused = split_all(self._tokenizer, asked, self._room)
        yield from refused
        order = sorted(encoded, key=lambda i: (-len(encoded[i][0]) - len(encoded[i][1]), i))
        for start in range(0, len(order), self._batch_size):
            chosen = order[start : start + self._batch_size]
            try:
                found = self._measure([encoded[number] for number in chosen])
            except torch.OutOfMemoryError as error:
                raise GeneratorError(
                    f"{self._device} has too little memory for {len(chosen)} texts at once: lower the "
                    f"generator option batch_size ({error})"
                ) from error
            yield from zip(chosen, found, strict=True)

    def _measure(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[Likelihood]:
        """Measure one batch. Padding stands on the right, where a causal model does not see it."""
        inputs = [(before + after)[:-1] for before, after in pairs]
        longest = max(map(len, inputs))
        padded = torch.tensor([one + [0] * (longest - len(one)) for one in inputs], device=self._device)
        mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in inputs])
        with self._no_grad():
            logits = self._model(input_ids=padded, attention_mask=mask.to(self._device)).logits
        found = []
        for row, (before, after) in zip(logits, pairs, strict=True):
            end = len(before) + len(after) - 1
            chances = torch.log_softmax(row[end - len(after) : end].float(), dim=-1)
            wanted = torch.tensor(after, device=chances.device)
            logprob = chances.gather(1, wanted.unsqueeze(1)).sum()
            found.append((float(logprob), bool((chances.argmax(dim=-1) == wanted).all())))
        return found
