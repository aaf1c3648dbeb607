"""The service in a process: listens, reads its mixes again on SIGHUP, drains and ends on SIGTERM."""

import asyncio
import gc
import logging
import signal
import socket
import threading
import time
from types import FrameType

import uvicorn

from hub_serve.app import App, open_to
from hub_serve.connection import Connection
from hub_serve.service import Service

KEEP_ALIVE_S = 75
"""How long an idle connection stays open: longer than clients keep theirs, so that they close first."""
_log = logging.getLogger("hub_serve")


class Server(uvicorn.Server):
    """A uvicorn server for one service.

    Args:
        service: what answers.
        sock: a socket that is bound, see `bind`.
    """

    def __init__(self, service: Service, sock: socket.socket) -> None:
        self.service, self._sock = service, sock
        self._drained_by = 0.0
        settings = service.settings
        config = uvicorn.Config(
            open_to(App(service), settings.origins),
            http=Connection.within(settings.header_timeout_s, settings.write_timeout_s),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)

    def listen(self) -> None:
        """Serve until a signal, or `drain`, ends it."""
        gc.collect()
        gc.freeze()  # what is loaded stays; looking through it again and again would stall requests
        gc.set_threshold(20_000, 20, 20)  # a request makes thousands of objects and hardly a cycle
        self.run(sockets=[self._sock])

    def drain(self) -> None:
        """Take nothing new, finish what is under way, then end; called from any thread."""
        if not self.service.draining:
            self._drained_by = time.monotonic() + self.service.settings.drain_s
            self.service.draining = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM and Ctrl-C: drain; the second time, end at once."""
        if self.service.draining:
            self.force_exit = self.should_exit = True
        self.drain()

    async def on_tick(self, counter: int) -> bool:
        """Look, ten times a second, whether the service is drained."""
        if self.service.draining:
            late = time.monotonic() > self._drained_by
            if late and self.service.under_way:
                _log.warning("%d requests are not answered: the time is over", self.service.under_way)
            self.should_exit = self.should_exit or late or not self.service.under_way
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and heed SIGHUP."""
        await super().startup(sockets)
        if threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGHUP"):
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(self._reload()))
        names = ", ".join(served.name for served in self.service.mixes)
        _log.info("listening", extra={"fields": {"address": address(self._sock), "mixes": names}})

    async def _reload(self) -> None:
        wrong = await asyncio.to_thread(self.service.reload)
        for served in self.service.mixes:
            fields = {"mix": served.name, "sha256": served.sha256}
            if served.name in wrong:
                fields["detail"] = wrong[served.name]
                _log.error("a mix was not read again; the old one stays", extra={"fields": fields})
            else:
                _log.info("a mix was read again", extra={"fields": fields})


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: a name or address.
        port: 0 for any that is free.

    Raises:
        OSError: it is taken, or not this machine's.
    """
    family, kind, protocol, _, where = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(4096)
    except OSError:
        sock.close()
        raise
    sock.set_inheritable(True)
    return sock


def address(sock: socket.socket) -> str:
    """Return the address of a socket for people and clients, e.g. "http://127.0.0.1:8000"."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
