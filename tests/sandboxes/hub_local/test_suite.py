"""The sandbox `local` passes the suite of all sandboxes, in both tiers."""

import pytest

from hub.testing import SandboxSuite
from hub_local.languages import installed
from hub_local.layers import layers

ACTIVE = {layer.name for layer in layers() if layer.active}
namespaces = pytest.mark.skipif("namespace: user" not in ACTIVE, reason="this machine refuses namespaces")
landlock = pytest.mark.skipif("landlock" not in ACTIVE, reason="this kernel has no Landlock")


@namespaces
class TestNamespaces(SandboxSuite):
    sandbox = "local"
    options = {"require": ["namespaces"], "slots": 2}
    languages = tuple(installed())


@landlock
class TestLandlock(SandboxSuite):
    sandbox = "local"
    options = {"require": ["landlock"], "slots": 2}
