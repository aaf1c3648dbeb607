"""Finds containers whose owner has ended without removing them: the engine was gone meanwhile."""

import os
from pathlib import Path
from typing import Any

LABEL = "hub.sandbox"
_OWNER = "hub.sandbox.owner"


def labels() -> dict[str, str]:
    """Return the labels of this process's containers: all have `hub.sandbox=1`."""
    return {LABEL: "1", _OWNER: f"{_machine()} {os.getpid()} {_started(os.getpid())}"}


def remove_leftovers(client: Any) -> None:
    """Remove containers that a process of this machine made, and that it outlived."""
    for container in client.containers.list(all=True, filters={"label": f"{LABEL}=1"}, ignore_removed=True):
        words = container.labels.get(_OWNER, "").split()
        if len(words) != 3 or words[0] != _machine() or not words[1].isdigit():
            continue
        if _started(int(words[1])) != words[2]:
            container.remove(force=True, v=True)


def _machine() -> str:
    """Return what tells this machine's processes from those of another, or of another container here."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return "unknown"


def _started(process: int) -> str:
    """Return when a process started, in ticks; "" where there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
