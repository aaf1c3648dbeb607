"""The clients: the mix's own results bit for bit, whatever the network and the service do."""

import asyncio
import gc
import json
import os
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import BadInput, RewardFailed
from hub_serve.client import AsyncClient, Client, ServiceError, ServiceRefused, ServiceUnavailable
from hub_serve.mixes import Mixes
from tests.plugins.hub_serve.conftest import Running, running, wait_for

TEXTS = ["a", "oh!", "what?", "so ~", "", "x" * 500, "\ud800", "é\u2028\n"]


def samples(count: int = 200, groups: int = 25) -> list[hub.Sample]:
    return [
        hub.Sample(f"prompt {i % groups}", TEXTS[i % 8] + str(i // 7), {"answer": str(i)})
        for i in range(count)
    ]


@pytest.mark.parametrize("mix", ["plain", "fussy", "gdpo", "rank", "length"])
def test_the_same_results_in_the_same_order(service: Running, files: dict[str, Path], mix: str) -> None:
    given = samples()
    wanted = hub.Mix.load(files[mix]).score(given, engine=service.service.engine)
    with Client(service.url, mix, batch=7) as client:
        assert repr(client.score(given)) == repr(wanted)
        assert repr(client.score([])) == "[]"
        assert client.names == hub.Mix.load(files[mix]).names
        assert client.compares == hub.Mix.load(files[mix]).compares


def test_groups_of_their_own_names_stay_whole(service: Running, files: dict[str, Path]) -> None:
    names: list[Any] = [None, "None", ("a", 1), 1.5, "('a', 1)"]
    given = [hub.Sample("same prompt", "x" * (i % 11), group=names[i % 5]) for i in range(60)]
    wanted = hub.Mix.load(files["rank"]).score(given, engine=service.service.engine)
    with Client(service.url, "rank", batch=5) as client:
        assert repr(client.score(given)) == repr(wanted)


def test_steps(service: Running) -> None:
    with Client(service.url, "scheduled") as client:
        found = [client.score([hub.Sample("", "abc")], step=step)[0].value for step in (0, 10, None)]
        assert found == [1.0, 3.0, 3.0]
        assert client.is_scheduled


def test_coroutines(service: Running, files: dict[str, Path]) -> None:
    given = samples(50)
    wanted = hub.Mix.load(files["plain"]).score(given, engine=service.service.engine)

    async def score() -> list[list[hub.MixScore]]:
        async with AsyncClient(service.url, "plain", batch=9) as client:
            with Client(service.url, "plain") as other:
                return list(
                    await asyncio.gather(client.score(given), client.ascore(given), other.ascore(given))
                )

    assert [repr(found) for found in asyncio.run(score())] == [repr(wanted)] * 3


def test_it_stands_in_a_mix_place(service: Running) -> None:
    with Client(service.url, "fussy") as client:
        gatherer = hub.Gatherer(client, group_size=2)  # type: ignore[arg-type]
        futures = [gatherer.submit(hub.Sample("p", text)) for text in ("abc", "oh!")]
        assert [future.result(30).value for future in futures] == [0.7 + 0.1 * 1.0] * 2
        gatherer.close()


def test_it_is_pickled_and_forked(service: Running) -> None:
    with Client(service.url, "length") as client:
        with pickle.loads(pickle.dumps(client)) as copy:
            assert copy.score([hub.Sample("", "abc")])[0].value == 1.0
        pid = os.fork()
        if not pid:
            fine = client.score([hub.Sample("", "abc")])[0].value == 1.0
            os._exit(0 if fine else 1)
        assert os.waitpid(pid, 0)[1] == 0


def test_batches_that_are_too_large_are_cut(mixes: Mixes) -> None:
    with running(mixes, max_batch=10, max_body=4000) as service, Client(service.url, "length") as client:
        given = [hub.Sample("", "x" * (50 + n)) for n in range(64)]
        assert [result.value for result in client.score(given)] == [(50 + n) / 3 for n in range(64)]
        with pytest.raises(ServiceRefused, match="larger than 4000 bytes"):
            client.score([hub.Sample("", "x" * 5000)])
        with (
            Client(service.url, "rank") as rank,
            pytest.raises(ServiceRefused, match="11 samples in one request; at most 10"),
        ):
            rank.score([hub.Sample("one group", str(n)) for n in range(11)])


NOT_JSON: dict[str, tuple[Any, str]] = {
    "bytes": (b"x", "holds a bytes, which JSON does not have"),
    "a set": ({1}, "holds a set"),
    "numbers as keys": ({1: "a"}, "the key 1 is no text"),
    "deep inside": ([{"a": [object()]}], "holds a object"),
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_json_does_not_have_is_not_sent(service: Running, name: str) -> None:
    value, message = NOT_JSON[name]
    with Client(service.url, "length") as client, pytest.raises(BadInput, match=f"sample 1.*{message}"):
        client.score([hub.Sample("", "a"), hub.Sample("", "a", {"column": value})])


def test_what_the_service_refuses_is_said(service: Running, mixes: Mixes) -> None:
    with (
        Client(service.url, "nope") as client,
        pytest.raises(ServiceRefused, match=r"has no mix 'nope' \(it has:"),
    ):
        client.score([])
    with Client(service.url, "strict") as client, pytest.raises(RewardFailed, match="ValueError: a bang"):
        client.score([hub.Sample("", "oh!")])
    with Client("nonsense://x") as client, pytest.raises(ServiceRefused, match="no address"):
        client.score([])
    with running(mixes, token="s3cret") as closed:
        with (
            Client(closed.url, token="wrong") as client,
            pytest.raises(ServiceRefused, match="401: a token is"),
        ):
            client.score([])
        with Client(closed.url, "length", token="s3cret") as client:
            assert client.score([hub.Sample("", "abc")])[0].value == 1.0


def test_a_service_that_is_not_there() -> None:
    message = "does not answer: ConnectError"
    with Client("http://127.0.0.1:9", patience_s=0.3) as c, pytest.raises(ServiceUnavailable, match=message):
        c.score([hub.Sample("", "a")])


class Faulty(BaseHTTPRequestHandler):
    """Gives the faults of its server's list, one a request, and then an answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        about = {"name": "m", "rewards": ["r"], "compares": [], "groupwise": [], "is_scheduled": False}
        self.answer(200, {"mixes": [about]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server: Any = self.server
        server.keys.append(self.headers["Idempotency-Key"])
        fault = server.faults.pop(0) if server.faults else None
        if fault == "reset":
            self.close_connection = True
            self.connection.close()
        elif fault == "half":
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"resu')
            self.close_connection = True
        elif fault is not None:
            self.answer(fault, {"error": {"code": "some", "message": "not now"}})
        else:
            score = {"value": 0.5, "outcome": "scored", "reason": ""}
            one = {"score": 0.5, "outcome": "scored", "reason": "", "scores": {"r": score}}
            self.answer(200, {"results": [{**one, "weighted": {"r": 0.5}} for _ in body["samples"]]})

    def answer(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def faulty(faults: list[Any]) -> Iterator[tuple[str, list[str]]]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    server.daemon_threads, server.faults, server.keys = True, faults, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", server.keys
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("fault", [429, 500, 502, 503, 504, 408, "reset", "half"])
def test_what_may_go_is_asked_again_under_the_same_key(fault: Any) -> None:
    with faulty([fault, fault]) as (url, keys), Client(url) as client:
        assert client.score([hub.Sample("", "a")])[0].value == 0.5
        assert len(keys) == 3
        assert len(set(keys)) == 1
        client.score([hub.Sample("", "a")])
        assert len(set(keys)) == 2


@pytest.mark.parametrize("fault", [400, 401, 404, 422])
def test_what_will_not_go_is_asked_once(fault: int) -> None:
    with faulty([fault]) as (url, keys), Client(url) as client:
        with pytest.raises(ServiceRefused, match=f"answered {fault}: not now"):
            client.score([hub.Sample("", "a")])
        assert len(keys) == 1


def test_patience_ends() -> None:
    message = r"answered 503: not now \(asked \d+ times in 0.3 s\)"
    with faulty([503] * 1000) as (url, _), Client(url, patience_s=0.3) as client:  # noqa: SIM117
        with pytest.raises(ServiceUnavailable, match=message):
            client.score([hub.Sample("", "a")])


def test_an_interrupted_caller_cancels_what_is_under_way(service: Running, tmp_path: Path) -> None:
    async def score() -> None:
        async with AsyncClient(service.url, "waits") as client:
            task = asyncio.ensure_future(client.score([hub.Sample("", "x", {"folder": str(tmp_path)})]))
            while not (tmp_path / "began").exists():
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(score())
    wait_for(lambda: service.service.under_way == 0)


def test_a_token_may_have_any_letters(mixes: Mixes) -> None:
    with running(mixes, token="tök€n") as service, Client(service.url, "length", token="tök€n") as client:
        assert client.score([hub.Sample("", "abc")])[0].value == 1.0


@pytest.mark.parametrize("token", ["a\nb", "a b", "a\tb", "a\0"])
def test_a_token_that_no_header_can_hold_is_refused_at_once(token: str) -> None:
    with pytest.raises(BadInput, match="the token should have no spaces"):
        Client("http://127.0.0.1:9", token=token)


def client_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "hub-serve-client"}


def test_a_client_that_nobody_has_any_more_ends_its_thread(service: Running) -> None:
    before = client_threads()
    client = Client(service.url, "length")
    assert client.score([hub.Sample("", "abc")])[0].value == 1.0
    assert len(client_threads() - before) == 1
    del client
    gc.collect()
    wait_for(lambda: not client_threads() - before)


def test_a_closed_client_stays_closed(service: Running) -> None:
    before = client_threads()
    client = Client(service.url, "length")
    client.close()
    client.close()
    with pytest.raises(ServiceError, match="this client is closed"):
        client.score([hub.Sample("", "abc")])
    assert not client_threads() - before
