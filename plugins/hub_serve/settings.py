"""How a service is run: its limits and its token."""

from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Settings:
    """What an operator sets.

    Args:
        token: what clients must send; None: anybody may use the service.
        origins: of web pages that may ask, e.g. "https://lab.example:8080"; a browser says where a page is
            from, and no other page's requests are answered.
        max_body: bytes of one request's body.
        max_batch: samples of one request.
        max_waiting: samples that are admitted and not answered; more are refused with 429.
        header_timeout_s: seconds in which a request's head must have come.
        body_timeout_s: seconds in which its body must have come.
        write_timeout_s: seconds in which a client must read what is sent to it.
        drain_s: seconds that what is under way may take after SIGTERM.
        group_wait_s: seconds without a new sample after which a group that is not whole is closed.
        access_log: log a line for each request.
    """

    token: str | None = None
    origins: tuple[str, ...] = ()
    max_body: int = 32 * MEGABYTE
    max_batch: int = 1024
    max_waiting: int = 16384
    header_timeout_s: float = 10.0
    body_timeout_s: float = 60.0
    write_timeout_s: float = 60.0
    drain_s: float = 60.0
    group_wait_s: float = 60.0
    access_log: bool = True
