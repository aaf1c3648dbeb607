"""The sandbox sandboxfusion holds to what every sandbox must, as far as the protocol has it."""

from typing import Any

import pytest

from hub.sandbox import Sandbox
from hub.testing import SandboxSuite
from hub_local.languages import installed
from hub_sandboxfusion.sandbox import SandboxFusion

ADDRESS: list[str] = []


def opened() -> Sandbox:
    """A client of the session's server."""
    return SandboxFusion(ADDRESS[0], wait_s=0.01)


class TestSandboxFusion(SandboxSuite):
    """No tests in code, and the walls are the server's."""

    sandbox = staticmethod(opened)
    languages = tuple(sorted({"cpp", "javascript"} & set(installed())))
    judge = False
    in_process = False
    isolated = False

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _address(cls, fusion: Any) -> None:
        ADDRESS[:] = [fusion.url]
