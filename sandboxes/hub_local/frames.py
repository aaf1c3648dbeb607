"""Frames over a stream between two processes: a length, then so many bytes."""

import socket
import struct

_LENGTH = struct.Struct("<Q")
LONGEST = 80 << 20
_SHORT = 1 << 16


class Gone(Exception):
    """The other side has closed its end, or sends what is no frame."""


class TooLong(Gone):
    """A frame longer than is of use."""


def frame(data: bytes) -> bytes:
    """Return data as one frame."""
    return _LENGTH.pack(len(data)) + data


def first(buffer: bytearray, longest: int = LONGEST) -> bytes | None:
    """Take the first frame of at most so many bytes out of what was received; None if it is not all there.

    Raises:
        TooLong: it is longer.
    """
    if len(buffer) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(buffer)
    if length > longest:
        raise TooLong("a frame that is too long")
    end = _LENGTH.size + length
    if len(buffer) < end:
        return None
    data = bytes(buffer[_LENGTH.size : end])
    del buffer[:end]
    return data


class Frames:
    """Frames over a socket that blocks.

    Args:
        sock: a stream.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()

    def send(self, data: bytes) -> None:
        """Send one frame.

        Raises:
            Gone: nobody reads it.
        """
        try:
            self.sock.sendall(frame(data))
        except OSError as error:
            raise Gone(str(error)) from None

    def receive(self) -> bytes:
        """Read one frame.

        Raises:
            Gone: there is none.
            TooLong: it is longer than any that is meant.
        """
        while (data := first(self._buffer)) is None:
            try:
                part = self.sock.recv(_SHORT if len(self._buffer) < _SHORT else 1 << 20)
            except OSError as error:
                raise Gone(str(error)) from None
            if not part:
                raise Gone("closed")
            self._buffer += part
        return data
