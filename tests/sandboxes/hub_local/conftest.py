"""Sandboxes of both tiers, opened once."""

from collections.abc import Iterator

import pytest

import hub
from hub_local.kernel import landlock_abi
from hub_local.layers import TIERS, refused_namespaces
from hub_local.sandbox import LocalSandbox

GIVEN = dict(zip(TIERS, (refused_namespaces() is None, landlock_abi() > 0), strict=True))
"""Whether this machine gives a tier."""


@pytest.fixture(scope="session", params=TIERS)
def box(request: pytest.FixtureRequest) -> Iterator[LocalSandbox]:
    """A sandbox of one slot in each tier that this machine gives."""
    if not GIVEN[request.param]:
        pytest.skip(f"this machine refuses the tier {request.param}")
    sandbox = hub.open_sandbox("local", require=[request.param], slots=1)
    assert isinstance(sandbox, LocalSandbox)
    yield sandbox
    sandbox.close()
