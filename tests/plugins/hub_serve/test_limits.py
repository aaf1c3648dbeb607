"""Who may ask, how much, and how slowly; what an attacker sends costs nobody else anything."""

import base64
import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from hub_serve.connection import HEAD_BYTES
from hub_serve.mixes import Mixes
from tests.plugins.hub_serve.conftest import Running, running, wait_for

FOUR = {"samples": [{"completion": "four"}]}


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


# Tokens

AUTHORIZATIONS: dict[str, tuple[str | None, int]] = {
    "bearer": ("Bearer s3cret", 200),
    "bearer in small letters": ("bearer s3cret", 200),
    "a password": (basic("any:s3cret"), 200),
    "a password without a user": (basic(":s3cret"), 200),
    "none": (None, 401),
    "another": ("Bearer other", 401),
    "the beginning": ("Bearer s3cre", 401),
    "more": ("Bearer s3crets", 401),
    "empty": ("Bearer", 401),
    "the token alone": ("s3cret", 401),
    "the token as user": (basic("s3cret:"), 401),
    "no base64": ("Basic %%%", 401),
    "another scheme": ("Digest s3cret", 401),
    "a very long one": ("Bearer " + "x" * 50_000, 401),
}


def test_tokens(mixes: Mixes) -> None:
    with running(mixes, token="s3cret") as service:
        for name, (value, status) in AUTHORIZATIONS.items():
            service.http.headers.pop("Authorization", None)
            headers = {"Authorization": value} if value is not None else {}
            response = service.http.post("/v1/mixes/length/score", json=FOUR, headers=headers)
            assert response.status_code == status, name
        for path, status in {"/v1/mixes": 401, "/metrics": 401, "/nowhere": 401}.items():
            assert service.http.get(path).status_code == status
        assert [service.http.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def test_without_a_token_the_body_is_not_read(mixes: Mixes) -> None:
    with running(mixes, token="s3cret") as service:
        head = "POST /v1/mixes/length/score HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\n\r\n"
        answer = raw(service, head.encode())
        assert b" 401 " in answer.splitlines()[0]
        assert b"connection: close" in answer


# Sizes


def raw(service: Running, data: bytes, timeout_s: float = 20.0) -> bytes:
    """Send bytes; return all that comes until the connection is closed."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout_s) as sock:
        sock.sendall(data)
        answer = b""
        while part := sock.recv(65536):
            answer += part
        return answer


def test_too_large_a_body(mixes: Mixes) -> None:
    with running(mixes, max_body=10_000) as service:
        fits = {"samples": [{"completion": "x" * 9000}]}
        assert service.post("/v1/mixes/length/score", fits)["results"][0]["score"] == 3000.0
        for path in ("/v1/mixes/length/score", "/get_reward", "/remote_rm", "/classify"):
            assert service.error(path, 413, content=b"x" * 10_001)[0] == "body_too_large"
        chunked = service.http.post("/v1/mixes/length/score", content=iter([b" " * 6000] * 2))
        assert chunked.status_code == 413  # where no length is said beforehand
        head = "POST /v1/mixes/length/score HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n"
        assert b" 413 " in raw(service, head.encode())
        assert service.post("/v1/mixes/length/score", FOUR)["results"][0]["score"] == 4 / 3


@pytest.mark.parametrize("kind", ["gzip", "deflate", "br"])
def test_packed_bodies_are_refused(service: Running, kind: str) -> None:
    headers = {"Content-Encoding": kind}
    assert service.error("/v1/mixes/length/score", 415, content=b"x", headers=headers)[0] == "packed"


def test_too_many_samples(mixes: Mixes) -> None:
    with running(mixes, max_batch=3) as service:
        samples = [{"completion": "four"}] * 4
        assert service.error("/v1/mixes/length/score", 413, json={"samples": samples})[0] == "batch_too_large"
        assert service.error("/get_reward", 413, json={"query": ["a"] * 4})[0] == "batch_too_large"
        assert service.error("/classify", 413, json={"input": ["a"] * 4})[0] == "batch_too_large"
        assert len(service.post("/v1/mixes/length/score", {"samples": samples[:3]})["results"]) == 3


# Waiting


def test_more_than_may_wait_is_refused_and_never_scored(mixes: Mixes, tmp_path: Path) -> None:
    def ask(answers: list[Any]) -> None:
        samples = [{"completion": str(n), "columns": {"folder": str(tmp_path)}} for n in range(2)]
        answers.append(service.post("/v1/mixes/waits/score", {"samples": samples}))

    with running(mixes, max_waiting=3) as service:
        answers: list[Any] = []
        first = threading.Thread(target=ask, args=(answers,))
        first.start()
        wait_for(lambda: service.service.waiting == 2)
        three = {"samples": [{"completion": "four"}] * 2}
        response = service.http.post("/v1/mixes/length/score", json=three)
        assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
        assert response.json()["error"]["code"] == "too_many_waiting"
        assert service.http.post("/get_reward", json={"query": ["a", "b"]}).status_code == 429
        verl = service.http.post("/mixes/length/classify", json={"input": ["a", "b"]})
        assert (verl.status_code, verl.headers["Retry-After"]) == (503, "1")  # it would stop at a 4xx
        assert service.post("/v1/mixes/length/score", FOUR)["results"][0]["score"] == 4 / 3  # one more fits
        (tmp_path / "go").touch()
        first.join()
        assert [one["score"] for one in answers[0]["results"]] == [1.0, 1.0]
        assert service.service.waiting == 0
        assert service.post("/v1/mixes/length/score", three)["results"][1]["score"] == 4 / 3


def test_a_client_that_goes_ends_its_work(service: Running, tmp_path: Path) -> None:
    samples = [{"completion": "x", "columns": {"folder": str(tmp_path)}}]
    body = json.dumps({"samples": samples}).encode()
    head = f"POST /v1/mixes/waits/score HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as sock:
        sock.sendall(head.encode() + body)
        wait_for((tmp_path / "began").exists)
    wait_for((tmp_path / "cancelled").exists)
    wait_for(lambda: service.service.waiting == 0)
    assert service.post("/v1/mixes/length/score", FOUR)["results"][0]["score"] == 4 / 3


def test_a_client_that_goes_before_its_body_is_there(service: Running) -> None:
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as sock:
        sock.sendall(b"POST /v1/mixes/length/score HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        wait_for(lambda: service.service.under_way == 1)
    wait_for(lambda: service.service.under_way == 0)


# Slow and malformed HTTP

SLOW = {
    "nothing at all": b"",
    "half a head": b"POST /v1/mixes/length/score HTTP/1.1\r\nhost: x\r\n",
    "half a second head": b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /healthz HT",
}


@pytest.mark.parametrize("name", SLOW)
def test_a_head_that_does_not_come_is_not_waited_for(mixes: Mixes, name: str) -> None:
    with running(mixes, header_timeout_s=0.2) as service:
        answer = raw(service, SLOW[name])
        assert answer.count(b" 200 ") == (name == "half a second head")


def test_a_body_that_does_not_come_is_not_waited_for(mixes: Mixes) -> None:
    with running(mixes, body_timeout_s=0.2) as service:
        head = b"POST /v1/mixes/length/score HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"
        answer = raw(service, head)
        assert b" 408 " in answer.splitlines()[0]


HEADS = {
    "a header that does not end": (b"x: " + b"a" * (HEAD_BYTES + 70_000), b" 431 "),
    "headers without end": (b"x: a\r\n" * 30_000, b" 431 "),
    "no HTTP": (b"hello\r\n\r\n", b" 400 "),
    "two lengths": (b"content-length: 1\r\ncontent-length: 2\r\n\r\n", b" 400 "),
    "a length that is none": (b"content-length: -1\r\n\r\n", b" 400 "),
    "a length and chunks": (b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", b" 400 "),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_that_are_none(service: Running, name: str) -> None:
    data, status = HEADS[name]
    start = b"" if name == "no HTTP" else b"POST /v1/mixes/length/score HTTP/1.1\r\nhost: x\r\n"
    try:
        answer = raw(service, start + data)
    except (ConnectionResetError, BrokenPipeError):  # it was closed while we were still sending
        answer = status
    assert status in answer
    assert service.http.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/get_reward"), ("PUT", "/remote_rm"), ("POST", "/metrics")]
)
def test_other_methods(service: Running, method: str, path: str) -> None:
    response = service.http.request(method, path)
    assert (response.status_code, response.json()["error"]["code"]) == (405, "method")
    assert response.headers["Allow"] in ("POST", "GET, HEAD")


# Request ids and logs

REQUEST_IDS = {
    "one of their own": ("abc-123.4:5", True),
    "a long one": ("x" * 129, False),
    "spaces": ("a b", False),
    "JSON": ('","level":"error', False),
    "another alphabet": ("é", False),
    "empty": ("", False),
}


@pytest.mark.parametrize("name", REQUEST_IDS)
def test_request_ids_are_returned_where_they_are_harmless(service: Running, name: str) -> None:
    given, kept = REQUEST_IDS[name]
    response = service.http.get("/healthz", headers=[(b"X-Request-Id", given.encode("latin-1"))])
    assert (response.headers["X-Request-Id"] == given) is kept
    assert len(response.headers["X-Request-Id"]) >= 1


def test_a_log_line_is_one_line_of_json_whatever_is_asked(
    mixes: Mixes, caplog: pytest.LogCaptureFixture
) -> None:
    from hub_serve.logs import Lines

    with caplog.at_level("INFO", logger="hub_serve.access"), running(mixes, access_log=True) as service:
        service.http.post("/v1/mixes/%0A%7B%22level%22:%22error%22%7D%1b[31m/score", json=FOUR)
        service.post("/v1/mixes/length/score", FOUR, headers={"X-Request-Id": "mine"})
    lines = [Lines().format(record) for record in caplog.records if record.name == "hub_serve.access"]
    assert all("\n" not in line and "\x1b" not in line for line in lines)
    first, second = (json.loads(line) for line in lines)
    assert (first["status"], first["level"]) == (404, "info")
    assert first["path"] == '/v1/mixes/\n{"level":"error"}\x1b[31m/score'
    assert {key: second[key] for key in ("request_id", "status", "mix", "samples", "method")} == {
        "request_id": "mine",
        "status": 200,
        "mix": "length",
        "samples": 1,
        "method": "POST",
    }
