"""The sandbox that the tests of rewards for programs run in."""

import pytest

import hub
from hub.errors import SandboxUnavailable


@pytest.fixture(scope="session")
def sandbox() -> str:
    """The name of a sandbox that works here."""
    try:
        hub.open_sandbox("local", slots=1).close()
    except SandboxUnavailable as error:
        pytest.skip(f"needs the sandbox local: {error}")
    return "local"
