"""HTTP connections with three limits more than uvicorn's: a head's size, its time, and an answer's.

Without them a client that sends its head byte by byte holds a connection for ever, one that never ends its
head fills the memory, and so does one that never reads its answers (uvicorn 0.54.0,
protocols/http/httptools_impl.py).
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 1 << 16
"""Largest head of a request."""


class Connection(HttpToolsProtocol):
    """One client's connection."""

    header_timeout_s = 10.0
    write_timeout_s = 60.0
    _write_timer: asyncio.TimerHandle | None = None
    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0

    @classmethod
    def within(cls, header_timeout_s: float, write_timeout_s: float) -> type["Connection"]:
        """Return the class with other limits.

        Args:
            header_timeout_s: seconds in which a head must have come.
            write_timeout_s: seconds in which a client must read what is sent to it.
        """
        limits = {"header_timeout_s": header_timeout_s, "write_timeout_s": write_timeout_s}
        return type("Connection", (cls,), limits)

    def connection_made(self, transport: Any) -> None:
        """Start the clock for the first request."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_clock()
        self._stop_write_clock()
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

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.write_timeout_s, self._not_read)

    def resume_writing(self) -> None:
        """It has read."""
        self._stop_write_clock()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, at once where the client has not even read its answer."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _not_read(self) -> None:
        self._write_timer = None
        self.transport.abort()

    def _stop_write_clock(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

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
