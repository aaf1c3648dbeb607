"""Many texts through a model: the longest first, and what cannot be run costs nobody else's score."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import torch  # noqa: TID253 - this module is imported when a model is used

from hub.errors import OptionError
from hub.score import Score
from hub_reward_model.loaded import Loaded
from hub_reward_model.written import Written

BATCH_SIZE = {"cpu": 8, "cuda": 32, "mps": 8}
Found = TypeVar("Found")


def batch_size_for(device: torch.device, asked: int | None, reward: str) -> int:
    """Return how many texts go through the model at once.

    Raises:
        OptionError: less than one was asked for.
    """
    if asked is not None and asked < 1:
        raise OptionError(f"reward {reward!r}: batch_size is at least 1, not {asked}")
    return asked or BATCH_SIZE.get(device.type, 8)


def in_batches(
    lengths: Sequence[int], size: int, call: Callable[[list[int]], Sequence[Found]]
) -> list[Found | Score]:
    """Call for batches of similar length; return what comes of each, or why there is nothing.

    Where memory runs out the batch is halved, and later ones stay so small. Where a batch fails in another
    way, each of it is tried alone.

    Args:
        lengths: of each text, in tokens.
        size: most texts at once.
        call: is given which texts, and returns one result for each.
    """
    found: dict[int, Found | Score] = {}
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    while order:
        chunk, order = order[:size], order[size:]
        try:
            found.update(zip(chunk, call(chunk), strict=True))
        except (torch.OutOfMemoryError, MemoryError) as error:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            if len(chunk) == 1:
                found[chunk[0]] = Score.failed("memory", f"{lengths[chunk[0]]} tokens alone: {error}"[:500])
            else:
                size, order = len(chunk) // 2, chunk + order
        except Exception as error:
            if len(chunk) == 1:
                found[chunk[0]] = Score.failed("exception", f"{type(error).__name__}: {error}"[:500])
            else:
                for one in chunk:
                    found[one] = in_batches([lengths[one]], 1, partial(_only, call, one))[0]
    return [found[index] for index in range(len(lengths))]


def forward(loaded: Loaded, texts: Sequence[Written]) -> torch.Tensor:
    """Run the model once; return its logits in float32, on the CPU where they are one row for each text.

    Texts are padded on their right. A sequence classifier that is a decoder reads the last token that is not
    its padding token (transformers 5.23.0, modeling_layers.py). Where its configuration names none, it reads
    the last one of a text alone, and refuses batches; then a token that is in none of these texts is it.
    """
    longest = max(len(text.tokens) for text in texts)
    config = loaded.model.config.get_text_config()
    pad = config.pad_token_id
    fill = pad
    if pad is None and len(texts) > 1:
        used = {token for text in texts for token in text.tokens}
        fill = next(token for token in range(len(used) + 1) if token not in used)
    given: dict[str, list[list[int]]] = {
        "input_ids": [[*text.tokens, *[fill] * (longest - len(text.tokens))] for text in texts],
        "attention_mask": [[1] * len(text.tokens) + [0] * (longest - len(text.tokens)) for text in texts],
    }
    if all(text.types for text in texts):
        given["token_type_ids"] = [[*text.types, *[0] * (longest - len(text.types))] for text in texts]
    inputs: dict[str, Any] = {name: torch.tensor(rows, device=loaded.device) for name, rows in given.items()}
    with loaded.lock, torch.inference_mode():
        config.pad_token_id = fill
        try:
            logits: torch.Tensor = loaded.model(**inputs).logits
        finally:
            config.pad_token_id = pad
    return logits.float()


def _only(call: Callable[[list[int]], Sequence[Found]], index: int, _: list[int]) -> Sequence[Found]:
    return call([index])
