"""Knows a model again: hashes of its weights and tokenizer files. For generators, and for results."""

import hashlib
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WEIGHTS = ("*.safetensors", "*.bin", "*.gguf", "*.pt", "*.pth")
TOKENIZER = ("tokenizer*", "chat_template*", "special_tokens_map.json", "vocab.*", "merges.txt", "*.model")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def hash_weights(folder: Path) -> str | None:
    """Return the SHA-256 over a model folder's weights files, of the first format that it has.

    None where it has none. Other files (optimizer state, logs) do not count, nor does where the folder is.
    A file of the dataset hub's cache is not read: its name there is its SHA-256.
    """
    for pattern in WEIGHTS:
        ignored = ("training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth")
        files = [file for file in sorted(folder.glob(pattern)) if file.name not in ignored]
        if files:
            return _hash_files(files)
    return None


def hash_tokenizer(folder: Path) -> str | None:
    """Return the SHA-256 over a folder's tokenizer files and chat template; None where it has none."""
    files = {file for pattern in TOKENIZER for file in folder.glob(pattern) if file.is_file()}
    return _hash_files(sorted(files)) if files else None


def find_snapshot(model_id: str, revision: str | None) -> Path | None:
    """Return the local cache's folder of a model id, named after its commit; None if it is not there.

    Args:
        model_id: e.g. "org/name".
        revision: a branch, tag or commit; None: main.
    """
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model_id, "config.json", revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def _hash_files(files: Iterable[Path]) -> str:
    listed = list(files)
    with ThreadPoolExecutor(8) as threads:  # hashlib lets go of the GIL
        digests = list(threads.map(_hash_file, listed))
    lines = "".join(f"{digest}  {file.name}\n" for digest, file in zip(digests, listed, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()


def _hash_file(file: Path) -> str:
    name = file.resolve().name
    if file.is_symlink() and _SHA256.fullmatch(name):
        return name
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
