"""How many worker processes this process's engine has by default: its share of the machine's cores."""

import os
import sys

from hub.errors import EngineError


def default_workers() -> int:
    """Return `HUB_WORKERS`; or one for each core this process may use, which processes like it share.

    Processes that torchrun started divide them by their number. An actor of Ray has as many as the CPUs that
    it was given where these are more than one, as one is what trainers ask for whatever it does; else one
    with GPUs has the share of the node's cores that these are of the node's GPUs.

    Raises:
        EngineError: `HUB_WORKERS` is no number of processes.
    """
    asked = os.environ.get("HUB_WORKERS", "")
    if asked:
        if not asked.isdecimal() or int(asked) < 1:
            raise EngineError(f"HUB_WORKERS is {asked!r}, but should be a number of processes, at least 1")
        return int(asked)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = cores / int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, int(min(share, _given_by_ray(cores))))


def _given_by_ray(cores: int) -> float:
    """How many of the node's cores are this actor's; all where Ray does not say, or is not here."""
    ray = sys.modules.get("ray")
    try:
        if ray is None or not ray.is_initialized():
            return cores
        context = ray.get_runtime_context()
        given = context.get_assigned_resources()
        cpus, gpus = given.get("CPU", 0.0), given.get("GPU", 0.0)
        if cpus > 1 or not gpus:
            return float(cpus) if cpus > 1 else cores
        here = context.get_node_id()
        of_node = [node["Resources"].get("GPU", 0.0) for node in ray.nodes() if node["NodeID"] == here]
        return float(cores * gpus / max([gpus, *of_node]))
    except Exception:  # a driver is given nothing, and says so by an assertion
        return cores
