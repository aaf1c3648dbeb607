"""What a prompt is known by: equal for all completions of one prompt, images and all."""

import hashlib
import json
import pickle
from collections.abc import Mapping
from typing import Any


def prompt_key(prompt: Any) -> str:
    """Return a text that is equal for equal prompts.

    Trainers decode a row's images anew for each of its completions, so that they are other objects each time:
    an image, an array or a tensor is known by what it holds.

    Args:
        prompt: text, or messages.

    >>> prompt_key([{"content": "2+2?", "role": "user"}]) == prompt_key([{"role": "user", "content": "2+2?"}])
    True
    """
    return prompt if isinstance(prompt, str) else json.dumps(prompt, sort_keys=True, default=_known_by)


def _known_by(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _digest("bytes", bytes(value))
    if str(getattr(value, "dtype", "")) == "object":  # an array whose bytes are addresses
        return value.tolist()
    if callable(getattr(value, "tobytes", None)):  # images of Pillow, arrays
        shape = [str(getattr(value, name, "")) for name in ("mode", "size", "dtype", "shape")]
        palette = value.getpalette() if callable(getattr(value, "getpalette", None)) else None
        return _digest([*shape, palette], value.tobytes())
    if callable(getattr(value, "detach", None)):  # tensors
        return [str(value.dtype), value.tolist()]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    try:
        return _digest(type(value).__qualname__, pickle.dumps(value))
    except Exception:
        return repr(value)


def _digest(kind: Any, content: bytes) -> str:
    return f"{kind}:{hashlib.sha256(content).hexdigest()}"
