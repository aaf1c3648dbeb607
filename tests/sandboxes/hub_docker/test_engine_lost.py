"""An engine of its own is stopped in mid-batch, and started again."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import pytest

from hub.errors import SandboxUnavailable
from hub.sandbox import Limits, Program, Verdict
from hub_docker.sandbox import IMAGE, DockerSandbox

WITHIN_S = 15.0
"""Seconds in which a caller must be told that the engine is gone."""


class Engine:
    """A dockerd with folders and a socket of its own."""

    def __init__(self, folder: Path) -> None:
        self.host = f"unix://{folder}/docker.sock"
        self._command = [
            "dockerd", f"--host={self.host}", f"--data-root={folder}/data", f"--exec-root={folder}/exec",
            f"--pidfile={folder}/pid", "--bridge=none", "--iptables=false", "--ip6tables=false",
        ]  # fmt: skip
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"no second engine: {self._log.read_text()[-2000:]}")
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            docker.DockerClient(base_url=self.host).close()
        except docker.errors.DockerException:
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)


@pytest.fixture
def engine(engine_client: Any, engine_is_away: None) -> Iterator[Engine]:
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("needs root and dockerd to start a second engine")
    folder = Path("/tmp", f"hub-engine-{os.getpid()}")  # a socket's path is short
    folder.mkdir()
    engine = Engine(folder)
    try:
        engine.start()
        client = docker.DockerClient(base_url=engine.host, timeout=120)
        image = client.images.load(engine_client.images.get(IMAGE).save(named=True))
        assert image[0].tag(IMAGE)
        client.close()
        yield engine
    finally:
        engine.stop()
        shutil.rmtree(folder)


@pytest.mark.usefixtures("engine_is_away")
def test_an_engine_that_is_stopped_and_comes_back(engine: Engine) -> None:
    sandbox = DockerSandbox(slots=2, host=engine.host)
    try:
        sleeps = Program("import time\ntime.sleep(60)")
        with ThreadPoolExecutor(4) as pool:
            batch = [pool.submit(sandbox.run, sleeps, Limits(wall_s=120)) for _ in range(4)]
            time.sleep(1.0)
            assert not any(asked.done() for asked in batch)
            engine.stop()
            start = time.monotonic()
            for asked in batch:
                with pytest.raises(SandboxUnavailable):
                    asked.result(WITHIN_S)
            assert time.monotonic() - start < WITHIN_S
        start = time.monotonic()
        for _ in range(3):
            with pytest.raises(SandboxUnavailable, match="no Docker engine answers"):
                sandbox.run(Program("print(1)"), Limits())
        assert time.monotonic() - start < WITHIN_S
        engine.start()
        done = sandbox.run(Program("print(1)", expected_stdout="1"), Limits())
        assert done.verdict is Verdict.PASSED
    finally:
        sandbox.close()
    client = docker.DockerClient(base_url=engine.host)
    assert client.containers.list(all=True) == []
    client.close()
