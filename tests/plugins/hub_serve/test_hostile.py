"""Clients that mean harm: web pages, memory that is asked for and not used, answers that nobody reads."""

import contextlib
import gc
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

import hub
from hub_serve.decode import read_json, read_request
from hub_serve.exchange import Exchange
from hub_serve.mixes import Mixes
from hub_serve.refused import Refused
from hub_serve.service import BODIES
from tests.plugins.hub_serve.conftest import Running, running, wait_for

FOUR = {"samples": [{"completion": "four"}]}
SCORE = "/v1/mixes/length/score"


# Web pages


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:8000", "null", ""])
def test_a_web_page_is_not_answered(service: Running, origin: str) -> None:
    """A page that the researcher's browser has open can post to this machine; a trainer sends no Origin."""
    headers = {"Origin": origin, "Content-Type": "text/plain;charset=UTF-8"}
    assert service.error(SCORE, 403, content=json.dumps(FOUR), headers=headers)[0] == "origin"
    assert service.http.get("/v1/mixes", headers={"Origin": origin}).status_code == 403
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    assert "Access-Control-Allow-Origin" not in service.http.options(SCORE, headers=asked).headers


def test_a_page_that_the_operator_allows_is_answered_and_no_other(mixes: Mixes) -> None:
    mine, other = {"Origin": "https://lab.example"}, {"Origin": "https://lab.example.evil"}
    with running(mixes, origins=("https://lab.example",), token="s3cret") as service:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        before = service.http.options(SCORE, headers={**mine, **asked})
        assert (before.status_code, before.headers["Access-Control-Allow-Origin"]) == (200, mine["Origin"])
        answer = service.http.post(SCORE, json=FOUR, headers=mine)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, mine["Origin"])
        assert service.error(SCORE, 403, json=FOUR, headers=other)[0] == "origin"
        wrong = {**mine, "Authorization": "Bearer other"}
        assert service.error(SCORE, 401, json=FOUR, headers=wrong)[0] == "token"
        assert service.post(SCORE, FOUR)["results"][0]["score"] == 4 / 3


# Memory


def connect(service: Running, small: bool = False) -> socket.socket:
    host, port = service.url.removeprefix("http://").split(":")
    sock = socket.socket()
    if small:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(20)
    sock.connect((host, int(port)))
    return sock


def test_bodies_count_from_their_first_byte(mixes: Mixes) -> None:
    size = 10_000
    with running(mixes, max_body=size) as service, contextlib.ExitStack() as open_ones:
        head = f"POST {SCORE} HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\n\r\n".encode()
        for _ in range(BODIES + 10):
            sock = open_ones.enter_context(connect(service))
            with contextlib.suppress(OSError):
                sock.sendall(head + b"x" * (size - 1))
        wait_for(lambda: service.service.body_bytes > (BODIES - 1) * size)
        response = service.http.post(SCORE, json={"samples": [{"completion": "x" * 9000}]})
        assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
        assert service.service.body_bytes <= (BODIES + 1) * size
        open_ones.close()
        wait_for(lambda: service.service.body_bytes == 0)
        assert service.post(SCORE, FOUR)["results"][0]["score"] == 4 / 3
        wait_for(lambda: service.service.body_bytes == 0)


def test_what_was_answered_is_freed_at_once(mixes: Mixes) -> None:
    """A request that refers to itself keeps its body and its samples until the next collection."""

    def left() -> int:
        return sum(isinstance(thing, Exchange | hub.Sample | hub.MixScore) for thing in gc.get_objects())

    with running(mixes) as service:
        service.post(SCORE, FOUR)
        gc.collect()
        before = left()
        gc.disable()
        try:
            for mix in ("length", "plain"):
                service.post(f"/v1/mixes/{mix}/score", FOUR)
            service.post("/mixes/length/get_reward", {"query": ["a"]})
            wait_for(lambda: left() == before)
        finally:
            gc.enable()


def test_what_was_refused_is_freed_at_once(mixes: Mixes) -> None:
    """An error that refers to itself keeps its frames, and so the body, until the next collection."""

    def refusals() -> int:
        return sum(isinstance(thing, Refused) for thing in gc.get_objects())

    with running(mixes, max_body=10_000, token="s3cret") as service:
        gc.collect()
        before = refusals()
        gc.disable()
        try:
            service.error(SCORE, 413, content=b"x" * 10_001)
            service.error(SCORE, 413, content=iter([b"x" * 6000] * 2))
            service.error(SCORE, 400, content=b"{")
            service.error(SCORE, 422, json={"samples": [4]})
            service.error("/get_reward", 422, json={"query": ["a"], "prompts": [4]})
            service.error("/classify", 422, json={"input": 4})
            service.error("/nowhere", 404, json={})
            service.error(SCORE, 401, json=FOUR, headers={"Authorization": "Bearer other"})
            service.error(SCORE, 403, json=FOUR, headers={"Origin": "null"})
            wait_for(lambda: refusals() == before)
        finally:
            gc.enable()


def test_a_body_of_more_values_than_are_read_at_once(mixes: Mixes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub_serve.service.MOST_VALUES", 100)
    with running(mixes) as service:
        columns: list[Any] = [[0] * 120, [[]] * 60, [{}] * 60, [{"a": []}] * 40]
        for column in columns:
            value = {"samples": [{"completion": "four", "columns": {"a": column}}]}
            assert service.error(SCORE, 413, json=value)[0] == "body_too_large"
        value = {"samples": [{"completion": "four", "columns": {"a": [0] * 50}}]}
        assert service.post(SCORE, value)["results"][0]["score"] == 4 / 3


def test_large_bodies_are_read_beside_the_loop(mixes: Mixes, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def noted(read: Callable[..., Any]) -> Callable[..., Any]:
        def read_and_note(*arguments: Any) -> Any:
            threads.append(threading.current_thread())
            return read(*arguments)

        return read_and_note

    for module in ("openrlhf", "remote_rm", "pooling"):
        monkeypatch.setattr(f"hub_serve.{module}.read_json", noted(read_json))
    monkeypatch.setattr("hub_serve.app.read_request", noted(read_request))
    text = "x" * 300_000
    with running(mixes) as service:
        for completion in ("four", text):
            service.post(SCORE, {"samples": [{"completion": completion}]})
            service.post("/mixes/length/get_reward", {"query": [completion]})
            service.post("/mixes/length/remote_rm", {"response": completion})
            service.post("/mixes/length/classify", {"input": completion})
        assert [thread is service.thread for thread in threads] == [True] * 4 + [False] * 4


NAMES = ["x" * 201, 2**64, -(2**65), 1.5, [1], True]


@pytest.mark.parametrize("key", ["id", "group"])
def test_what_is_sent_back_is_short(service: Running, key: str) -> None:
    for name in NAMES:
        value = {"samples": [{"completion": "four", key: name}]}
        code, message = service.error(SCORE, 422, json=value)
        assert (code, message[:20]) == ("unfit", f"samples[0].{key}: should be a text"[:20])
    for name in ("x" * 200, 2**63, -5, None):
        service.post(SCORE, {"samples": [{"completion": "four", key: name}]})


def test_an_answer_that_nobody_reads_is_not_kept(mixes: Mixes) -> None:
    samples = [{"completion": "four", "id": "x" * 200}] * 30_000
    body = json.dumps({"samples": samples}).encode()
    with running(mixes, max_batch=30_000, max_waiting=30_000, write_timeout_s=0.3) as service:
        with connect(service, small=True) as sock:
            head = f"POST {SCORE} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
            sock.sendall(head.encode() + body)
            wait_for(lambda: not service.server.server_state.connections)
        wait_for(lambda: service.service.under_way == 0)
        assert service.service.body_bytes == 0
        assert len(service.post(SCORE, {"samples": samples})["results"]) == 30_000  # who reads gets all of it


# Threads


def test_reading_a_mix_again_leaves_no_threads(mixes: Mixes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.training.gather.IDLE_S", 0.05)

    def gathering() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "hub-gather"}

    before = gathering()
    with running(Mixes({"length": mixes.get("length").path}, mixes.engine)) as service:
        for size in (1, 1, 2, 3) * 2:
            value = {"query": ["a"] * size}
            service.post(f"/get_reward?group_size={size}", value)
            assert service.service.reload() == {}
        wait_for(lambda: not gathering() - before)
