"""Frames over a stream between two processes: a length, then so many bytes."""

import socket
import struct

_LENGTH = struct.Struct("<Q")
LONGEST = 80 << 20


class Gone(Exception):
    """The other side has closed its end, or sends what is no frame."""


class TooLong(Gone):
    """A frame longer than is of use."""


def send(sock: socket.socket, data: bytes) -> None:
    """Send one frame."""
    try:
        sock.sendall(_LENGTH.pack(len(data)))
        sock.sendall(data)
    except OSError as error:
        raise Gone(str(error)) from None


def receive(sock: socket.socket, longest: int = LONGEST) -> bytes:
    """Read one frame of at most so many bytes.

    Raises:
        Gone: there is none.
        TooLong: it is longer.
    """
    (length,) = _LENGTH.unpack(_exactly(sock, _LENGTH.size))
    if length > longest:
        raise TooLong("a frame that is too long")
    return _exactly(sock, length)


def _exactly(sock: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        try:
            part = sock.recv(min(count, 1 << 20))
        except OSError as error:
            raise Gone(str(error)) from None
        if not part:
            raise Gone("closed")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
