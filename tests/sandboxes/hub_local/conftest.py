"""Sandboxes of both tiers, opened once."""

from collections.abc import Iterator

import pytest

import hub
from hub_local.layers import layers
from hub_local.sandbox import LocalSandbox

ACTIVE = {layer.name for layer in layers() if layer.active}
TIERS = {"namespaces": "namespace: user", "landlock": "landlock"}


@pytest.fixture(scope="session", params=TIERS)
def box(request: pytest.FixtureRequest) -> Iterator[LocalSandbox]:
    """A sandbox of one slot in each tier that this machine gives."""
    if TIERS[request.param] not in ACTIVE:
        pytest.skip(f"this machine refuses the tier {request.param}")
    sandbox = hub.open_sandbox("local", require=[request.param], slots=1)
    assert isinstance(sandbox, LocalSandbox)
    yield sandbox
    sandbox.close()
