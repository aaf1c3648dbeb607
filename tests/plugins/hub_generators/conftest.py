from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.target import load_file

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def tiny() -> Any:
    """The module that makes small models."""
    return load_file(str(HERE / "tiny_model.py"))


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
    """The module with the server."""
    return load_file(str(HERE / "openai_protocol.py"))


@pytest.fixture
def serve(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Starts servers, and ends them after the test."""
    monkeypatch.delenv("HUB_OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    servers = []

    def start(answer: Any, **keys: Any) -> Any:
        servers.append(protocol.Server(answer, **keys))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
