from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.target import load_file


@pytest.fixture(scope="session")
def tiny() -> Any:
    """The module that makes small models."""
    return load_file(str(Path(__file__).parent / "tiny_models.py"))


@pytest.fixture(scope="session")
def saved(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Saves decoders, each once."""
    known: dict[str, Path] = {}

    def save(*args: Any, **keys: Any) -> Path:
        name = repr((args, keys))
        if name not in known:
            known[name] = tiny.save_decoder(tmp_path_factory.mktemp("decoder"), *args, **keys)
        return known[name]

    return save


@pytest.fixture(scope="session")
def encoder(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT with three labels."""
    folder: Path = tiny.save_encoder(tmp_path_factory.mktemp("encoder"), ("rude", "helpful", "true"))
    return folder
