"""Chooses the walls: the best tier that this machine gives and that has every layer that is required."""

import sys
from collections.abc import Mapping, Sequence

from hub.errors import OptionError, SandboxUnavailable
from hub_local import kernel
from hub_local.describe import describe
from hub_local.languages import LANGUAGES, installed
from hub_local.layers import TIERS, refused_namespaces
from hub_local.syscalls import MACHINE, SUPPORTED

_SETTINGS = (
    "user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns"
)


def choose(require: Sequence[str], refused: Mapping[str, str] | None = None) -> str:
    """Return the tier to use: "namespaces" or "landlock".

    Args:
        require: names of tiers and layers (see `describe`), all of which the tier must have.
        refused: why tiers were refused that were tried.

    Raises:
        SandboxUnavailable: the machine gives no tier that has them all; says what to set.
        OptionError: one of the names is none.
    """
    known = {tier: {tier, *_active(tier)} for tier in TIERS}
    names = {*TIERS, *(layer.name for layer in describe(TIERS[0], LANGUAGES))}
    for name in require:
        if name not in names:
            raise OptionError(f"sandbox local: {name!r} is no layer; there are: {', '.join(sorted(names))}")
    if not sys.platform.startswith("linux") or not SUPPORTED:
        raise SandboxUnavailable(
            f"the local sandbox needs Linux on x86_64 or aarch64, and this is {sys.platform} on {MACHINE}; "
            "use the sandbox docker"
        )
    reasons = []
    for tier in TIERS:
        missing = [name for name in require if name not in known[tier]]
        if missing:
            reasons.append(f"{tier} (has no {', '.join(missing)})")
        elif reason := (refused or {}).get(tier) or _refused(tier):
            hint = f"; user namespaces are allowed by sysctl {_SETTINGS}" if tier == TIERS[0] else ""
            reasons.append(f"{tier} ({reason}{hint})")
        else:
            return tier
    raise SandboxUnavailable(
        f"the local sandbox cannot wall programs in as asked: {' and '.join(reasons)}. Or use the sandbox "
        "docker"
    )


def _active(tier: str) -> list[str]:
    languages = installed() if tier == "namespaces" else {}
    return [layer.name for layer in describe(tier, languages) if layer.active]


def _refused(tier: str) -> str | None:
    """Return why the machine does not give a tier; None if it does."""
    if tier == "namespaces":
        return refused_namespaces()
    return None if kernel.landlock_abi() else "not in this kernel: Linux 5.13 or newer with lsm=landlock"
