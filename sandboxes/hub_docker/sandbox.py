"""The sandbox `docker`: programs run behind the walls of `local`, inside warm, hardened containers."""

import atexit
import os
from typing import Any

from hub.errors import BadInput, MissingDependency, OptionError, SandboxOverloaded, SandboxUnavailable
from hub.sandbox import Execution, Layer, Limits, Program
from hub_docker.container import Container, Walls, code_digest, engine_errors
from hub_docker.leftovers import labels, remove_leftovers
from hub_docker.pool import Place, Pool, Queue
from hub_docker.wire import Lost

IMAGE = "posttrain-hub-sandbox"
_BESIDE_MB = 256
"""MiB of a container that are not for the program or its judge: their server, /tmp and texts on their way."""


class DockerSandbox:
    """Runs programs in containers that wait for them, each one program at a time.

    A container has no network, no capability, a root that cannot be written, a /tmp in memory, Docker's
    seccomp filter, and limits of memory, processor and processes. In it runs the code of the sandbox `local`
    (Landlock, seccomp, limits; tests in a process apart), so the verdicts are the same. The hub talks to it
    over its attached input and output, so a run costs milliseconds. A container is replaced after
    `runs_per_container` programs, after one that had to be killed, and when it breaks.

    Args:
        slots: programs that run at once, and containers that are kept. 0: one per core.
        image: made by `build_image.sh` or the `Dockerfile` beside this file.
        host: the engine, e.g. "unix:///run/docker.sock"; None: what DOCKER_HOST says, else this machine's.
        runtime: of the containers, e.g. "runsc" for gVisor; None: the engine's own.
        require: walls and layers that must be there inside the container (see `describe`), e.g. "gvisor".
            None: "landlock" with the engine's own runtime, and with another one the best that it gives:
            gVisor has no Landlock, and Docker's seccomp profile refuses namespaces.
        seccomp: the path of a profile in JSON; None: Docker's own.
        packages: packages of the image that programs may import beside the standard library.
        memory_mb: MiB of one container, for the program, its judge and /tmp.
        cpus: processors of one container.
        processes: processes and threads of one container.
        runs_per_container: programs after which it is replaced.
        user: "uid:gid" inside, never root.
        queue_s: seconds that a program waits for a free container before it is refused as overload.
        engine_s: seconds within which the engine must answer.

    Raises:
        SandboxUnavailable: no engine, no image, or the walls inside do not hold.
        OptionError: an option that makes no sense.
        MissingDependency: the package `docker` is not installed.
    """

    def __init__(
        self,
        slots: int = 0,
        image: str = IMAGE,
        host: str | None = None,
        runtime: str | None = None,
        require: list[str] | str | None = None,
        seccomp: str | None = None,
        packages: list[str] | str | None = None,
        memory_mb: int = 1024,
        cpus: float = 1.0,
        processes: int = 512,
        runs_per_container: int = 2_000,
        user: str = "10000:10000",
        queue_s: float = 60.0,
        engine_s: float = 10.0,
    ) -> None:
        if slots < 0 or queue_s < 0 or min(memory_mb, cpus, processes, runs_per_container, engine_s) <= 0:
            raise OptionError("sandbox docker: slots, queue_s and limits cannot be negative, nor limits 0")
        if user.split(":")[0] in ("", "0", "root"):
            raise OptionError(f"sandbox docker: programs never run as root, but user is {user!r}")
        self.walls = Walls(
            image=image,
            user=user,
            memory_mb=memory_mb,
            cpus=cpus,
            processes=processes,
            scratch_mb=64,
            seccomp=_profile(seccomp),
            runtime=runtime,
            options={"require": _required(require, runtime), "packages": _listed(packages)},
            labels=labels(),
            code=code_digest(),
        )
        self.queue_s, self.runs_per_container = queue_s, runs_per_container
        self._pid = os.getpid()
        self._closed = False
        count = slots or os.cpu_count() or 1
        self._client = _client(host, engine_s, count, self.walls)
        self._pool = Pool(lambda: Container(self._client, self.walls), count)
        atexit.register(self.close)
        places = [Place(self._pool) for _ in range(count)]
        self._places = Queue()
        try:
            with engine_errors(self.walls):
                remove_leftovers(self._client)
            for place in places:
                place.prepare()
            self.about: dict[str, Any] = places[0].container().about
        except BaseException:
            self.close()
            raise
        for place in reversed(places):
            self._places.give(place)

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run one program to its end, or to a limit.

        Raises:
            SandboxUnavailable: it was closed, opened in another process, or the engine or two containers
                were lost.
            SandboxOverloaded: no container came free in time.
            BadInput: the language is not known, a text is too large, or a limit is beyond the container's.
        """
        if self._closed or os.getpid() != self._pid:
            raise SandboxUnavailable("the sandbox is closed, or was opened in another process; open one here")
        processes = 1 if program.tests is None or program.in_process else 2
        if processes * limits.memory_mb + _BESIDE_MB > self.walls.memory_mb:
            raise BadInput(
                f"the program may use {limits.memory_mb} MiB, and its container has {self.walls.memory_mb}: "
                f"open the sandbox with memory_mb={processes * limits.memory_mb + _BESIDE_MB} or more"
            )
        try:
            place = self._places.take(self.queue_s)
        except TimeoutError:
            raise SandboxOverloaded(f"no container came free in {self.queue_s:g} s") from None
        try:
            return self._run(place, program, limits)
        finally:
            self._places.give(place)

    def _run(self, place: Place, program: Program, limits: Limits) -> Execution:
        lost: Lost | None = None
        for _ in (1, 2):
            container = place.container()
            try:
                return container.run(program, limits)
            except Lost as error:
                if self._closed:
                    raise SandboxUnavailable("the sandbox was closed while the program ran") from error
                lost = error
            finally:
                if (container.spent or container.runs >= self.runs_per_container) and not self._closed:
                    place.replace(container)
        raise SandboxUnavailable(f"two containers were lost over the program: {lost}") from lost

    def describe(self) -> list[Layer]:
        """Return the container's walls, then those inside it."""
        walls = self.walls
        runtime = walls.runtime or "the engine's own runtime"
        found = [
            Layer(
                "container", True, f"{walls.image}, {runtime}, as {walls.user}, Python {self.about['python']}"
            ),
            Layer("container: network", True, "none"),
            Layer("container: files", True, f"a root that cannot be written, {walls.scratch_mb} MiB of /tmp"),
            Layer("container: rights", True, "no capabilities, no new privileges"),
            Layer("container: seccomp", True, "a given profile" if walls.seccomp else "the engine's profile"),
            Layer(
                "container: limits",
                True,
                f"{walls.memory_mb} MiB, {walls.cpus:g} processors, {walls.processes} processes",
            ),
        ]
        inside = [
            Layer(str(name), bool(active), str(detail)) for name, active, detail in self.about["layers"]
        ]
        return found + inside

    def close(self) -> None:
        """Remove every container; what runs is lost."""
        if os.getpid() != self._pid or self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._places.refuse(SandboxUnavailable("the sandbox was closed"))
        self._pool.close()
        self._client.close()


def _required(names: list[str] | str | None, runtime: str | None) -> list[str]:
    return ["landlock"] if names is None and runtime is None else _listed(names)


def _listed(names: list[str] | str | None) -> list[str]:
    return [names] if isinstance(names, str) else names or []


def _client(host: str | None, engine_s: float, places: int, walls: Walls) -> Any:
    try:
        import docker
    except ImportError:
        raise MissingDependency(
            "the sandbox docker needs the package docker: pip install 'posttrain-hub[docker]'"
        ) from None
    with engine_errors(walls):
        options: dict[str, Any] = {"timeout": engine_s, "max_pool_size": places + 8}
        return docker.DockerClient(base_url=host, **options) if host else docker.from_env(**options)


def _profile(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise OptionError(f"sandbox docker: the seccomp profile {path} cannot be read: {error}") from None
