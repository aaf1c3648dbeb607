from pathlib import Path
from typing import Any

import pytest

from hub.target import load_file


@pytest.fixture(scope="session")
def tiny() -> Any:
    """The module that makes small models."""
    return load_file(str(Path(__file__).parents[1] / "hub_generators" / "tiny_model.py"))


@pytest.fixture(scope="session")
def model(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with a chat template."""
    folder: Path = tiny.save(tmp_path_factory.mktemp("chat"))
    return folder


@pytest.fixture(scope="session")
def plain_model(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without a chat template."""
    folder: Path = tiny.save(tmp_path_factory.mktemp("plain"), chat=False)
    return folder


@pytest.fixture
def protocol() -> Any:
    """The module with a server that speaks OpenAI's protocol."""
    return load_file(str(Path(__file__).parents[1] / "hub_generators" / "openai_protocol.py"))
