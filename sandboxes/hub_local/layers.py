"""Which walls this machine can give, and what a zygote is told about them."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hub_local import kernel

TIERS = ("namespaces", "landlock")
SCRATCH_MB = 64
CLEANS_S = 1.0
"""Seconds of cleaning after which a report goes first: in the tier "landlock" nothing limits what is left."""
PRELOAD = (
    "typing collections itertools functools math re json random string heapq bisect copy operator datetime "
    "decimal fractions dataclasses enum abc contextlib io time textwrap collections.abc threading struct "
    "traceback ast"
).split()
"""Modules that programs find imported: what tests of code generation use most."""
_LIBRARIES = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
)
_TOOLS = (
    "/bin", "/usr/bin", "/usr/local/bin", "/usr/include", "/usr/local/include", "/usr/libexec",
    "/usr/local/lib", "/usr/share/nodejs", "/etc/alternatives",
)  # fmt: skip


def refused_namespaces() -> str | None:
    """Return why namespaces are refused; None if they are not. Tried in a process of its own."""
    flags = kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET
    script = (
        "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); "
        f"print(os.strerror(ctypes.get_errno()) if libc.unshare({flags}) else '')"
    )
    command = [sys.executable, "-I", "-S", "-c", script]
    tried = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    answer = tried.stdout.strip() or tried.stderr.strip()
    return f"unshare: {answer}" if answer else None


def configuration(
    tier: str, preload: list[str], packages: list[str], tools: bool, scratch: str, own_scratch: bool
) -> dict[str, Any]:
    """Return what a zygote of this tier is told.

    Args:
        tier: "namespaces" or "landlock".
        preload: modules to import beside `PRELOAD`.
        packages: folders of packages that programs may import.
        tools: show compilers and interpreters too.
        scratch: the folder that programs may write to, in the tier "landlock".
        own_scratch: it was made for the zygote, which removes it when its host is gone.
    """
    base = sysconfig.get_paths(vars={"base": sys.base_prefix, "platbase": sys.base_exec_prefix})
    readable = [*_LIBRARIES, base["stdlib"], base["platstdlib"], *(_TOOLS if tools else ())]
    readable += map(str, Path(sys.base_prefix, "lib").glob("libpython*"))
    return {
        "tier": tier,
        "package": str(Path(__file__).resolve().parent.parent),
        "paths": sorted({str(Path(folder).parent) for folder in packages}),
        "preload": [*PRELOAD, *preload],
        "readable": [path for path in dict.fromkeys(readable) if Path(path).exists()],
        "packages": packages,
        "covered": _covered([base["stdlib"], base["platstdlib"]]),
        "landlock_abi": kernel.landlock_abi(),
        "gvisor": kernel.is_gvisor(),
        "scratch_mb": SCRATCH_MB,
        "cleans_s": CLEANS_S,
        "scratch": scratch,
        "own_scratch": own_scratch,
        "tools": tools,
    }


def _covered(libraries: list[str]) -> list[str]:
    """Return the folders of what is installed beside the standard library: not for programs to read."""
    beside = [Path(library, name) for library in libraries for name in ("site-packages", "dist-packages")]
    for prefix in ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"):
        beside += Path(prefix).glob("python3*/*-packages")
    return sorted({os.path.realpath(folder) for folder in beside if folder.is_dir()})
