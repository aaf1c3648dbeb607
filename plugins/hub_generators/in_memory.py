"""Knows a model in this process again: hashes of weights, configuration and tokenizer as they are now."""

import hashlib
from typing import Any

import torch  # noqa: TID253 - imported with transformers_model, late

from hub.evaluation.fingerprint import hash_settings


def hash_parameters(model: torch.nn.Module) -> str:
    """Return the SHA-256 over names, types, shapes and bytes of a model's weights and saved buffers.

    It is not the hash of the files that the model would be saved to.
    """
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}\n".encode())
        content = weight.detach().to("cpu").contiguous().view(-1)
        digest.update(memoryview(content.view(torch.uint8).numpy()) if content.numel() else b"")
    return digest.hexdigest()


def hash_config_of(model: Any) -> str:
    """Return the SHA-256 over a model's configuration and end-of-text tokens; not that of the saved files."""
    return hash_settings(model.config.to_dict(), model.generation_config.eos_token_id)


def hash_tokenizer_of(tokenizer: Any) -> str:
    """Return the SHA-256 over what a tokenizer knows: its tokens, how it splits, its chat template."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    knows = backend.to_str() if backend is not None else repr(sorted(tokenizer.get_vocab().items()))
    return hashlib.sha256(f"{knows}\n{tokenizer.chat_template}".encode()).hexdigest()
