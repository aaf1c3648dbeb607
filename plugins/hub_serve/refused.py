"""Answers that are errors: a status, a code for programs and a sentence for people."""

import json
from collections.abc import Mapping


class Refused(Exception):
    """A request that is answered with an error.

    Args:
        status: of HTTP; 4xx is the client's fault, 5xx is not.
        code: one word that stays the same, e.g. "too_many_waiting".
        message: what is wrong and what to do.
        headers: sent with it.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}

    def body(self, request_id: str) -> bytes:
        """Return the answer's body."""
        error = {"code": self.code, "message": self.message}
        return json.dumps({"error": error, "request_id": request_id}).encode()


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


CLOSE = {"Connection": "close"}
"""For answers that are given before the body was read: what follows of it is not to be waited for."""


def unfit(where: str, message: str) -> Refused:
    """Return the refusal of a body whose JSON is not of the form that it should be.

    Args:
        where: the place in it, e.g. "samples[3].columns"; "" for all of it.
        message: what it should be.
    """
    return Refused(422, "unfit", f"{where}: {message}" if where else message)


def busy(message: str, status: int = 429, code: str = "too_many_waiting", after_s: int = 1) -> Refused:
    """Return the refusal of a request that may succeed later."""
    return Refused(status, code, message, {"Retry-After": str(after_s)})
