"""The sandbox `local` passes the suite of all sandboxes, in both tiers."""

import pytest

from hub.testing import SandboxSuite
from hub_local.languages import installed
from tests.sandboxes.hub_local.conftest import GIVEN

namespaces = pytest.mark.skipif(not GIVEN["namespaces"], reason="this machine refuses namespaces")
landlock = pytest.mark.skipif(not GIVEN["landlock"], reason="this kernel has no Landlock")


@namespaces
class TestNamespaces(SandboxSuite):
    sandbox = "local"
    options = {"require": ["namespaces"], "slots": 2}
    languages = tuple(installed())


@landlock
class TestLandlock(SandboxSuite):
    sandbox = "local"
    options = {"require": ["landlock"], "slots": 2}
