"""Offers the sandbox `sandboxfusion`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_sandboxes() -> Iterator[hub.SandboxPlugin]:
    yield hub.SandboxPlugin(
        "sandboxfusion",
        "hub_sandboxfusion.sandbox:SandboxFusion",
        "A server that speaks SandboxFusion's protocol; the walls are its operator's",
    )
