"""A Docker engine with the sandbox's image; tests that need one skip where there is none."""

import gc
import os
import warnings
from collections.abc import Iterator
from typing import Any

import docker
import pytest

import hub
from hub.errors import SandboxUnavailable
from hub_docker.sandbox import IMAGE, DockerSandbox


@pytest.fixture(scope="session")
def engine_client() -> Iterator[Any]:
    """docker-py's client of an engine that has the image."""
    try:
        client = docker.from_env(timeout=30)
        client.ping()
        client.images.get(IMAGE)
    except docker.errors.DockerException as error:
        if os.environ.get("HUB_TEST_DOCKER") == "always":
            raise
        pytest.skip(f"needs a Docker engine with the image {IMAGE} (scripts/docker-engine): {error}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def gvisor_box(engine_client: Any) -> Iterator[DockerSandbox]:
    """A sandbox of one container in gVisor."""
    if "runsc" not in engine_client.info()["Runtimes"]:
        pytest.skip("needs a Docker engine that has gVisor (scripts/gvisor, then scripts/docker-engine)")
    try:
        sandbox = hub.open_sandbox("docker", slots=1, runtime="runsc", require="gvisor")
    except SandboxUnavailable as error:
        if os.environ.get("HUB_TEST_DOCKER") == "always":
            raise
        pytest.skip(f"needs a newer gVisor (scripts/gvisor): {error}")
    assert isinstance(sandbox, DockerSandbox)
    yield sandbox
    sandbox.close()


@pytest.fixture
def engine_is_away() -> Iterator[None]:
    """Around tests without an engine: docker-py 7.2 does not close a socket that it could not connect."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@pytest.fixture(scope="session")
def docker_box(engine_client: Any) -> Iterator[DockerSandbox]:
    """A sandbox of one container."""
    sandbox = hub.open_sandbox("docker", slots=1)
    assert isinstance(sandbox, DockerSandbox)
    yield sandbox
    sandbox.close()
