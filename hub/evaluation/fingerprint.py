"""Knows a model again: hashes of its weights, configuration and tokenizer, for generators and results."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

WEIGHTS = ("*.safetensors", "*.bin", "*.gguf", "*.pt", "*.pth")
TOKENIZER = ("tokenizer*", "chat_template*", "special_tokens_map.json", "vocab.*", "merges.txt", "*.model")
CONFIG = ("config.json", "adapter_config.json", "generation_config.json")
NO_MATTER = ("_name_or_path", "_commit_hash", "transformers_version", "use_cache")
"""Keys of a configuration that say where it came from or how it runs; completions do not depend on them."""
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


def hash_config(folder: Path) -> str | None:
    """Return the SHA-256 over a model folder's configuration; None where it has none.

    The same weights answer otherwise with another one (rope_theta, rms_norm_eps, an adapter's scale). Of the
    generation settings only the end-of-text tokens count: the others are not mixed in.
    """
    found = {name: _read_config(folder / name) for name in CONFIG if (folder / name).is_file()}
    settings = found.pop("generation_config.json", None)
    if not found:
        return None
    return hash_settings(found, settings.get("eos_token_id") if isinstance(settings, dict) else settings)


def hash_settings(config: Mapping[str, Any], ends: Any) -> str:
    """Return the SHA-256 over a configuration, without the keys that do not matter (`NO_MATTER`).

    Args:
        config: as JSON has it, at any depth.
        ends: the end-of-text tokens of the generation settings; None: none are set there.
    """
    content = json.dumps([_settled(config), ends], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def find_snapshot(model_id: str, revision: str | None) -> Path | None:
    """Return the local cache's folder of a model id, named after its commit; None if it is not there.

    Args:
        model_id: e.g. "org/name".
        revision: a branch, tag or commit; None: main.
    """
    from huggingface_hub import try_to_load_from_cache

    names = ("config.json", "adapter_config.json")
    found = (try_to_load_from_cache(model_id, name, revision=revision) for name in names)
    return next((Path(path).parent for path in found if isinstance(path, str)), None)


def _read_config(file: Path) -> Any:
    content = file.read_bytes()
    try:
        return json.loads(content)
    except ValueError:  # whoever loads it says so
        return content.hex()


def _settled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _settled(one) for key, one in value.items() if key not in NO_MATTER}
    return [_settled(one) for one in value] if isinstance(value, list | tuple) else value


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
