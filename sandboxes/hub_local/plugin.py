"""Offers the sandbox `local`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_sandboxes() -> Iterator[hub.SandboxPlugin]:
    yield hub.SandboxPlugin(
        "local",
        "hub_local.sandbox:LocalSandbox",
        "Confined by the Linux kernel: namespaces, else Landlock, with seccomp and limits; no daemon",
    )
