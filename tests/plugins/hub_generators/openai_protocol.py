"""A real HTTP server that speaks OpenAI's protocol and can be told to misbehave."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes | Iterator[bytes]]
"""Status, headers, body or pieces of one that is never whole; status 0 breaks the connection."""


def completion(text: str | None, finish: str = "stop", tokens: int | None = 3) -> Answer:
    """What a healthy server answers, good for both endpoints."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "text": text,
        "finish_reason": finish,
    }
    body: dict[str, Any] = {"choices": [choice]}
    if tokens is not None:
        body["usage"] = {"completion_tokens": tokens}
    return 200, {}, json.dumps(body).encode()


class Server:
    """A server on a free port of this machine.

    Args:
        answer: given the path and the body of each POST (and its number, from 0), says what to answer.
        models: what GET /models lists.
    """

    def __init__(
        self, answer: Callable[[str, dict[str, Any], int], Answer], models: list[str] | None = None
    ) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.models = ["tiny"] if models is None else models
        self.in_flight = self.most_in_flight = 0
        self.lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.headers.append(dict(self.headers))
                listed = {"data": [{"id": name, "owned_by": "tests"} for name in server.models]}
                self.reply((200, {}, json.dumps(listed).encode()))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server.lock:
                    number = len(server.requests)
                    server.requests.append((self.path, body))
                    server.headers.append(dict(self.headers))
                    server.in_flight += 1
                    server.most_in_flight = max(server.most_in_flight, server.in_flight)
                try:
                    made = answer(self.path, body, number)
                finally:
                    with server.lock:
                        server.in_flight -= 1
                self.reply(made)

            def reply(self, made: Answer) -> None:
                status, headers, body = made
                if not status:
                    self.close_connection = True
                    return
                try:
                    self.send_response(status)
                    for name, value in {
                        "Content-Type": "application/json",
                        "Content-Length": str(len(body) if isinstance(body, bytes) else 10**6),
                        **headers,
                    }.items():
                        self.send_header(name, value)
                    self.end_headers()
                    for piece in (body,) if isinstance(body, bytes) else body:
                        self.wfile.write(piece)
                    self.close_connection |= not isinstance(body, bytes)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._http.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def trickle(over: threading.Event) -> Answer:
    """A space every 20 ms until a test is over: an answer that never ends."""
    return 200, {}, iter(lambda: b"" if over.wait(0.02) else b" ", b"")


def question(body: dict[str, Any]) -> str:
    """The text of a request's last user message, or its prompt."""
    return str(body["messages"][-1]["content"] if "messages" in body else body["prompt"])
