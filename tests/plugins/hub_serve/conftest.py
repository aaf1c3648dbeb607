"""Services that listen: a server in a thread, over real HTTP."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import hub
from hub_serve.mixes import Mixes
from hub_serve.server import Server, address, bind
from hub_serve.service import Service
from hub_serve.settings import Settings

REWARDS = Path(__file__).with_name("rewards.py")


def table(name: str, *more: str) -> str:
    return "\n".join(["[[reward]]", f"use = '{REWARDS}:{name}'", *more, ""])


MIXES = {
    "plain": table("right") + table("length", "weight = 0.1"),
    "fussy": table("fussy") + table("length", "weight = 0.1"),
    "length": table("length"),
    "interrupts": table("interrupts"),
    "hangs": table("hangs"),
    "masked": table("hangs", "on_timeout = 0.25"),
    "waits": table("waits"),
    "rank": table("rank"),
    "gdpo": "aggregate = 'normalize_then_sum'\n" + table("length") + table("right"),
    "strict": "on_failure = 'raise'\n" + table("fussy"),
    "scheduled": table("length", "weight = [[0, 1.0], [10, 3.0]]"),
    "routed": table("length", "when = { task = 'long' }"),
}


@dataclass(frozen=True)
class Running:
    """A service that listens.

    Args:
        url: its address.
        service: its state.
        server: what listens.
        thread: in which it does.
        http: a client of it.
    """

    url: str
    service: Service
    server: Server
    thread: threading.Thread
    http: httpx.Client

    def post(self, path: str, value: Any, **more: Any) -> Any:
        """Send JSON; return the answer's, which must be fine."""
        response = self.http.post(path, content=json.dumps(value), **more)
        assert response.status_code == 200, response.text
        return response.json()

    def error(self, path: str, status: int, **more: Any) -> tuple[str, str]:
        """Send what is refused; return the code and the message."""
        response = self.http.post(path, **more)
        assert response.status_code == status, response.text
        answer = response.json()
        assert answer["request_id"] == response.headers["X-Request-Id"]
        return answer["error"]["code"], answer["error"]["message"]


@contextmanager
def running(mixes: Mixes, **settings: Any) -> Iterator[Running]:
    """Listen at a free port until the end of the block."""
    service = Service(mixes, Settings(**{"access_log": False, "drain_s": 10.0, **settings}))
    with bind("127.0.0.1", 0) as sock:
        server = Server(service, sock)
        thread = threading.Thread(target=server.listen)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        headers = {b"Authorization": f"Bearer {settings['token']}".encode()} if settings.get("token") else {}
        with httpx.Client(base_url=address(sock), timeout=30, headers=headers) as http:
            try:
                yield Running(address(sock), service, server, thread, http)
            finally:
                server.drain()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def serve_engine() -> Iterator[hub.Engine]:
    with hub.Engine(2) as engine:
        yield engine


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The mix files, by name."""
    folder = tmp_path_factory.mktemp("mixes")
    for name, text in MIXES.items():
        (folder / f"{name}.toml").write_text(text)
    return {name: folder / f"{name}.toml" for name in MIXES}


@pytest.fixture(scope="session")
def mixes(files: dict[str, Path], serve_engine: hub.Engine) -> Mixes:
    return Mixes(files, serve_engine, group_wait_s=30.0)


@pytest.fixture(scope="session")
def service(mixes: Mixes) -> Iterator[Running]:
    """One service for all tests that change nothing about it."""
    with running(mixes) as found:
        yield found


def wait_for(what: Callable[[], Any]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)
