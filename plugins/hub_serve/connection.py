"""HTTP connections with two limits more than uvicorn's: on the size of a request's head, and its time.

Without them a client that sends its head byte by byte holds a connection for ever, and one that never ends
its head fills the memory (uvicorn 0.54.0, protocols/http/httptools_impl.py).
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 1 << 16
"""Largest head of a request."""


class Connection(HttpToolsProtocol):
    """One client's connection."""

    header_timeout_s = 10.0
    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0

    @classmethod
    def within(cls, header_timeout_s: float) -> type["Connection"]:
        """Return the class with another limit: seconds in which a head must have come."""
        return type("Connection", (cls,), {"header_timeout_s": header_timeout_s})

    def connection_made(self, transport: Any) -> None:
        """Start the clock for the first request."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the head's bytes; close the connection where there are too many."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n")
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head = True
        if self._timer is None:
            self._start_clock()

    def on_headers_complete(self) -> None:
        """A head is there."""
        self._stop_clock()
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def _start_clock(self) -> None:
        self._timer = self.loop.call_later(self.header_timeout_s, self._too_slow)

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()
