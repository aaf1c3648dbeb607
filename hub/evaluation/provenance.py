"""Where and with what an evaluation ran: hardware, versions."""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hub
from hub.evaluation.plan import Plan
from hub.plugins import load


def describe_hardware() -> dict[str, Any]:
    """Return the machine's system, processor, cores and, where torch is in use, its GPUs."""
    affinity = getattr(os, "sched_getaffinity", None)
    torch: Any = sys.modules.get("torch")
    has_gpu = torch is not None and torch.cuda.is_available()
    gpus = (
        [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())] if has_gpu else []
    )
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "gpus": gpus,
    }


def describe_versions(plan: Plan, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the versions of the hub, Python and every plugin that took part.

    Args:
        plan: what was evaluated.
        model: the generator's description of itself.
    """
    generators = load().generators
    made_by = generators.items.get(str(model.get("generator")))
    return {
        "hub": hub.__version__,
        "python": platform.python_version(),
        "benchmark": str(plan.benchmark.origin),
        "generator": str(made_by.origin) if made_by else "",
        "rewards": {reward.name: str(reward.bound.reward.origin) for reward in plan.mix.rewards},
    }


def _processor() -> str:
    """The processor's name; Python itself does not know it on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
