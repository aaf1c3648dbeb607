"""The sandbox docker holds to what every sandbox must, on a real engine."""

from typing import Any

import pytest

from hub.testing import SandboxSuite


class TestDocker(SandboxSuite):
    """Two containers."""

    sandbox = "docker"
    options = {"slots": 2}

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _needs_an_engine(cls, engine_client: Any) -> None:
        """Skip where there is none."""
