"""Offers the sandbox `docker`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_sandboxes() -> Iterator[hub.SandboxPlugin]:
    yield hub.SandboxPlugin(
        "docker",
        "hub_docker.sandbox:DockerSandbox",
        "Warm containers without network, rights or a writable root, and the walls of `local` inside",
    )
