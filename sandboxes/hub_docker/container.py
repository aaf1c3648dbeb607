"""One container: how it is walled in, started, asked and removed."""

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import hub.errors
from hub.errors import BadInput, OptionError, SandboxUnavailable
from hub.sandbox import Execution, Limits, Program, Verdict
from hub_docker import wire
from hub_docker.wire import Lost, Stream

START_S = 30.0
GRACE_S = 10.0
"""Seconds that the server in the container may need beyond two programs at their limit (it retries once)."""
_KILLS = {Verdict.TIMEOUT, Verdict.KILLED, Verdict.OUTPUT_LIMIT}
_HOW_TO_BUILD = (
    "build it with sandboxes/hub_docker/build_image.sh, or, with a registry, from the root of the "
    "repository: docker build -t {image} -f sandboxes/hub_docker/Dockerfile ."
)

_HOW_TO_ALLOW = (
    "Docker's own seccomp profile allows Landlock from version 20.10.24 on; for an older engine, "
    "give `seccomp` the path of a newer profile. runsc of gVisor allows mounts in namespaces from 2024 on"
)


@dataclass(frozen=True)
class Walls:
    """What each container is made of; see `DockerSandbox`."""

    image: str
    user: str
    memory_mb: int
    cpus: float
    processes: int
    scratch_mb: int
    seccomp: str | None
    runtime: str | None
    options: dict[str, Any]
    labels: dict[str, str]
    code: str

    def arguments(self) -> dict[str, Any]:
        """Return docker-py's arguments for `containers.create`."""
        security = ["no-new-privileges"]
        if self.seccomp is not None:
            security.append(f"seccomp={self.seccomp}")
        mount = "mode=1777,nosuid,nodev,noexec,nr_inodes=8192"
        arguments: dict[str, Any] = {
            "image": self.image,
            "user": self.user,
            "labels": self.labels,
            "hostname": "sandbox",
            "environment": {"TMPDIR": "/var/tmp"},
            "working_dir": "/",
            # The engine ends the input when this process is gone, which ends the container, which removes it.
            "stdin_open": True,
            "auto_remove": True,
            "log_config": {"type": "none"},
            "network_mode": "none",
            "ipc_mode": "none",
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": security,
            "pids_limit": self.processes,
            "mem_limit": f"{self.memory_mb}m",
            "memswap_limit": f"{self.memory_mb}m",
            "nano_cpus": int(self.cpus * 1e9),
            "tmpfs": {"/tmp": f"size={self.scratch_mb}m,{mount}", "/var/tmp": f"size=16m,{mount}"},
            "ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
        }
        if self.runtime is not None:
            arguments["runtime"] = self.runtime
        return arguments


class Container:
    """A running container with one sandbox in it.

    Args:
        client: docker-py's client.
        walls: what it is made of.

    Raises:
        SandboxUnavailable: the engine, the image or the sandbox in it does not start.
        OptionError: the sandbox in it refuses its options.
    """

    def __init__(self, client: Any, walls: Walls) -> None:
        self.runs = 0
        self._busy = threading.Lock()
        self.spent = False
        self.stream: Stream | None = None
        with engine_errors(walls):
            self._container = client.containers.create(**walls.arguments())
        try:
            with engine_errors(walls):
                attach = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                self.stream = Stream(self._container.attach_socket(params=attach))
                self._container.start()
            self._open(walls)
        except BaseException:
            self.close()
            raise

    def _open(self, walls: Walls) -> None:
        assert self.stream is not None
        until = time.monotonic() + START_S
        try:
            self.stream.send({"slots": 1, "scratch": "/tmp", **walls.options}, until)
            answer = self.stream.receive(until, 1 << 20)
        except Lost as error:
            raise SandboxUnavailable(
                f"a container of the image {walls.image} did not start: {error}"
            ) from error
        if "refused" in answer:
            refused = f"the sandbox in the container refuses to run: {answer['refused']}"
            if answer.get("kind") == "OptionError":
                raise OptionError(refused)
            raise SandboxUnavailable(f"{refused}. {_HOW_TO_ALLOW}")
        if answer.get("protocol") != wire.PROTOCOL or answer.get("code") != walls.code:
            raise SandboxUnavailable(
                f"the image {walls.image} holds another version of the sandbox's code, whose verdicts may "
                f"differ: {_HOW_TO_BUILD.format(image=walls.image)}"
            )
        self.about: dict[str, Any] = {key: answer.get(key) for key in ("tier", "python", "layers")}

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run one program.

        Raises:
            Lost: the container ended or answered wrongly; it is of no more use.
            BadInput: the sandbox in it refuses the program.
        """
        assert self.stream is not None
        request = wire.request(program, limits)
        until = time.monotonic() + 2 * limits.wall_s + GRACE_S
        self.runs += 1
        try:
            with self._busy:
                self.stream.send(request, until)
                answer = self.stream.receive(until, (1 << 20) + 6 * limits.output_bytes)
            if answer.get("error") == "BadInput":
                raise BadInput(str(answer.get("message")))
            if "execution" not in answer:
                raise Lost(str(answer.get("message", "it sent an answer of no known form")))
            execution = wire.execution(answer["execution"])
        except Lost:
            self.spent = True
            raise
        self.spent = execution.verdict in _KILLS
        return execution

    def interrupt(self) -> None:
        """Have whoever waits for its answer see that it is lost."""
        if self.stream is not None:
            self.stream.interrupt()

    def close(self) -> None:
        """End and remove it, as far as the engine still answers."""
        import docker
        import requests

        if self.stream is not None:
            self.stream.interrupt()
            with self._busy:  # a closed descriptor's number may be another's while someone still reads
                self.stream.close()
        gone = (docker.errors.DockerException, requests.RequestException)
        with contextlib.suppress(*gone):
            self._container.remove(force=True, v=True)
            return
        with contextlib.suppress(*gone):  # the engine is removing it already, for its input has ended
            self._container.wait(timeout=60, condition="removed")


@contextlib.contextmanager
def engine_errors(walls: Walls) -> Iterator[None]:
    """Turn what docker-py raises into an error that says what to do."""
    import docker
    import requests

    try:
        yield
    except docker.errors.ImageNotFound as error:
        how = _HOW_TO_BUILD.format(image=walls.image)
        raise SandboxUnavailable(f"the Docker engine has no image {walls.image}: {how}") from error
    except docker.errors.APIError as error:
        raise SandboxUnavailable(f"the Docker engine refused a container: {error.explanation}") from error
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise SandboxUnavailable(
            f"no Docker engine answers: {error}. Is it started, and may this user use it (group docker, or "
            "DOCKER_HOST)?"
        ) from error


def code_digest() -> str:
    """Return the digest of the code that an image must hold (as `hub_local.serve.code_digest`)."""
    spec = find_spec("hub_local")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise SandboxUnavailable("the sandbox docker needs hub_local beside it: pip install posttrain-hub")
    core = Path(hub.errors.__file__).parent
    files = [*sorted(Path(folders[0]).glob("*.py")), core / "errors.py", core / "sandbox.py"]
    hashed = hashlib.sha256()
    for file in files:
        hashed.update(f"{file.name}\0".encode() + file.read_bytes())
    return hashed.hexdigest()
