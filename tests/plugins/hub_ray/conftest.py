"""A Ray cluster on this machine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """One node with 3 CPUs and a place for a sandbox; tests add others."""
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'posttrain-hub[ray]'")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 3, "resources": {"sandbox": 1}, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=head)
    # Where a program on this machine that names no cluster would find this one.
    Path(ray._private.utils.get_ray_address_file(None)).unlink(missing_ok=True)
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()  # type: ignore[no-untyped-call]
