"""Fixtures of the benchmarks' tests."""

from pathlib import Path
from typing import Any

import pytest

from hub.target import load_file

HARD = load_file(str(Path(__file__).with_name("ifeval_responses.py")))


@pytest.fixture(scope="session")
def responses() -> dict[str, str]:
    """What a model may write in answer to an instruction, by what is hard about it."""
    found: dict[str, str] = HARD.RESPONSES
    return found


@pytest.fixture(scope="session")
def arguments() -> dict[str, list[dict[str, Any]]]:
    """Arguments of each kind of instruction."""
    found: dict[str, list[dict[str, Any]]] = HARD.ARGUMENTS
    return found
