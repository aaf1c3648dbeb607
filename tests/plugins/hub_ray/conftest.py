"""A Ray cluster on this machine."""

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HEAD: dict[str, Any] = {
    "num_cpus": 3,
    "resources": {"sandbox": 1},
    "include_dashboard": False,
    "include_log_monitor": False,
}
ATTEMPTS = 3


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One node with 3 CPUs and a place for a sandbox; tests add others."""
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'posttrain-hub[ray]'")
    # Ray gives up a node that has not started in 30 seconds; so one at a time, where tests run side by side.
    with open(tmp_path_factory.getbasetemp().parent / "ray.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = start(ray)
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()


def start(ray: Any) -> Any:
    from ray.cluster_utils import Cluster

    for attempt in range(ATTEMPTS):
        made = Cluster()
        try:
            made.add_node(**HEAD)
        except Exception:
            made.shutdown()  # type: ignore[no-untyped-call]
            if attempt == ATTEMPTS - 1:
                raise
            continue
        # Where a program on this machine that names no cluster would find this one.
        Path(ray._private.utils.get_ray_address_file(None)).unlink(missing_ok=True)
        return made
