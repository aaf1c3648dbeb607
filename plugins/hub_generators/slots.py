"""Completes many prompts a few at a time: when some are done, the next take their places.

A batch that waits for its longest completion goes on computing rows that were done long before. Here rows
that are done leave the cache, and prompts that wait come into it, padded on the left to what the others have
by then. What a row sees is the same as in a batch: its own tokens at their own positions; the rest is masked.

For models whose cache is plain keys and values. Not here: sliding windows, recurrent states, and models that
prepare their inputs in a way of their own; `fits` tells, and `generate` of transformers does those.
"""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch  # noqa: TID253 - imported with transformers_model, late
from transformers import DynamicCache, GenerationMixin  # noqa: TID253

from hub_generators.sampling import RowSampler, check_numbers

PART = 4
"""Rows are exchanged when one in so many is done, as an exchange copies the cache once."""


@dataclass
class Row:
    """A prompt, and what it is completed with.

    Args:
        index: which prompt it is.
        prompt: its tokens.
        seed: for sampling.
        made: tokens of the completion, as far as it is.
        is_done: whether it has ended.
    """

    index: int
    prompt: Sequence[int]
    seed: int
    made: list[int] = field(default_factory=list)
    is_done: bool = False


def fits(model: Any) -> bool:
    """Whether a model can be run like this."""
    own = getattr(type(model), "prepare_inputs_for_generation", None)
    if own is not GenerationMixin.prepare_inputs_for_generation or model.config.is_encoder_decoder:
        return False
    if not {"position_ids", "logits_to_keep"} <= inspect.signature(model.forward).parameters.keys():
        return False
    layers = getattr(DynamicCache(config=model.config), "layers", [])
    return bool(layers) and {type(layer).__name__ for layer in layers} == {"DynamicLayer"}


class Slots:
    """Rows that are completed together.

    Args:
        model: one that `fits`.
        tokenizer: its own.
        size: rows at once.
        limit: longest completion, in tokens.
        pad: a token to pad with.
        ends: tokens that end a completion.
        stop: texts that end a completion.
        sampler: draws tokens; None: greedy.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        size: int,
        limit: int,
        pad: int,
        ends: set[int],
        stop: Sequence[str] = (),
        sampler: RowSampler | None = None,
    ) -> None:
        self._model, self._tokenizer, self._sampler = model, tokenizer, sampler
        self._size, self._limit, self._pad, self._ends, self._stop = size, limit, pad, ends, stop
        # A token holds at least one byte; two more, as the first of a window may lose its leading space.
        self._window = max((len(text.encode()) for text in stop), default=0) + 2
        self._rows: list[Row] = []
        self._streams: dict[int, torch.Generator] = {}
        self._cache: Any = None
        self._mask: Any = None

    def run(self, waiting: Sequence[Row]) -> Iterator[Row]:
        """Complete rows, the first ones first; yield each when it is done."""
        left = list(reversed(waiting))
        while left or not all(row.is_done for row in self._rows):
            kept = [place for place, row in enumerate(self._rows) if not row.is_done]
            free = self._size - len(kept)
            if not kept or free >= max(1, self._size // PART):
                self._keep(kept)
                coming = [left.pop() for _ in range(min(len(left), free))]
                if coming:
                    yield from self._join(coming)
            if not all(row.is_done for row in self._rows):
                yield from self._step()

    def _keep(self, kept: list[int]) -> None:
        """Let go of rows that are done."""
        if len(kept) == len(self._rows):
            return
        self._rows = [self._rows[place] for place in kept]
        if not kept:
            self._cache = self._mask = None
            return
        places = torch.tensor(kept, device=self._mask.device)
        self._mask = self._mask[places]
        begin = int(self._mask.any(dim=0).to(torch.int).argmax())  # where the longest row begins
        self._mask = self._mask[:, begin:]
        for layer in self._cache.layers:
            layer.keys, layer.values = layer.keys[places, :, begin:], layer.values[places, :, begin:]

    def _join(self, coming: list[Row]) -> Iterator[Row]:
        """Take in new rows; yield those that end with their first token."""
        longest, device = max(len(row.prompt) for row in coming), self._model.device
        pads = [longest - len(row.prompt) for row in coming]
        rows = zip(pads, coming, strict=True)
        tokens = torch.tensor([[self._pad] * pad + list(row.prompt) for pad, row in rows], device=device)
        mask = torch.tensor([[0] * pad + [1] * (longest - pad) for pad in pads], device=device)
        cache: Any = DynamicCache(config=self._model.config)
        logits = self._forward(tokens, mask, (mask.cumsum(dim=-1) - 1).clamp(min=0), cache)
        if self._cache is None:
            self._cache, self._mask = cache, mask
        else:
            width = max(self._mask.shape[1], mask.shape[1])
            for ours, theirs in zip(self._cache.layers, cache.layers, strict=True):
                ours.keys = torch.cat([_widen(ours.keys, width), _widen(theirs.keys, width)])
                ours.values = torch.cat([_widen(ours.values, width), _widen(theirs.values, width)])
            self._mask = torch.cat([_widen(self._mask, width, -1), _widen(mask, width, -1)])
        self._rows += coming
        yield from self._take(coming, logits)

    def _step(self) -> Iterator[Row]:
        """Make one token for each row; yield those that end with it."""
        last = torch.tensor([[row.made[-1]] for row in self._rows], device=self._mask.device)
        self._mask = torch.cat([self._mask, torch.ones_like(last)], dim=-1)
        positions = self._mask.sum(dim=-1, keepdim=True) - 1
        done = torch.tensor([[row.is_done] for row in self._rows], device=positions.device)
        logits = self._forward(last, self._mask, positions.masked_fill(done, 0), self._cache)
        yield from self._take(self._rows, logits)

    def _forward(self, tokens: Any, mask: Any, positions: Any, cache: Any) -> Any:
        made = self._model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits = made.logits[:, -1].float()
        check_numbers(logits)
        return logits

    def _take(self, rows: list[Row], logits: Any) -> Iterator[Row]:
        if self._sampler is not None:
            logits = self._sampler.draw(logits, [self._stream(row, logits.device) for row in rows])
        for row, token in zip(rows, logits.argmax(dim=-1).tolist(), strict=True):
            if row.is_done:
                continue
            row.made.append(token)
            row.is_done = token in self._ends or len(row.made) >= self._limit or self._is_stopped(row)
            if row.is_done:
                self._streams.pop(row.index, None)
                yield row

    def _stream(self, row: Row, device: torch.device) -> torch.Generator:
        if row.index not in self._streams:
            self._streams[row.index] = torch.Generator(device).manual_seed(row.seed)
        return self._streams[row.index]

    def _is_stopped(self, row: Row) -> bool:
        if not self._stop:
            return False
        tail = str(self._tokenizer.decode(row.made[-self._window :], skip_special_tokens=True))
        return any(text in tail for text in self._stop)


def _widen(held: torch.Tensor, width: int, dim: int = -2) -> torch.Tensor:
    """Add zeros at the beginning of a dimension."""
    missing = width - held.shape[dim]
    if not missing:
        return held
    shape = list(held.shape)
    shape[dim] = missing
    return torch.cat([held.new_zeros(shape), held], dim=dim)
