"""The generator `openai`, against a real server on this machine."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from hub import Completion, Decoding
from hub.errors import GeneratorError, OptionError
from hub.open import open_generator
from hub_generators.openai_request import LONGEST_WAIT_S, _retry_after

SHORT = Decoding(8)
PROMPTS = [f"question {number}" for number in range(10)]


@pytest.fixture
def echo(protocol: Any) -> Any:
    """A healthy server's answers: the question, in capitals."""
    return lambda path, body, number: protocol.completion(protocol.question(body).upper())


def complete(
    address: str, prompts: Any = PROMPTS, decoding: Decoding = SHORT, **options: Any
) -> list[Completion]:
    generator = open_generator(address, backoff_s=0.0, **options)
    return sorted(generator.generate(prompts, decoding), key=lambda completion: completion.index)


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
def test_every_prompt_is_answered_once(serve: Any, echo: Any, endpoint: str) -> None:
    server = serve(echo)
    made = complete(server.address, endpoint=endpoint, concurrency=3)
    assert made == [Completion(n, f"QUESTION {n}", "stop", 3) for n in range(10)]
    assert len(server.requests) == 10
    assert {path for path, _ in server.requests} == {
        "/v1/chat/completions" if endpoint == "chat" else "/v1/completions"
    }


def test_text_that_is_to_get_no_chat_template_is_completed(serve: Any, echo: Any) -> None:
    server = serve(echo)
    complete(
        server.address, ["2+2?", [{"role": "user", "content": "3+3?"}]], Decoding(9, chat_template=False)
    )
    asked = {path: body.get("prompt") for path, body in server.requests if path.startswith("/v1/c")}
    assert asked == {"/v1/completions": "2+2?", "/v1/chat/completions": None}


def test_what_is_asked_for_is_the_decoding(serve: Any, echo: Any) -> None:
    server = serve(echo)
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}]
    complete(server.address, [messages], Decoding(9), extra={"top_k": 3})
    complete(server.address, ["2+2?"], Decoding(9, 0.5, 0.9, ("\n",), 7), endpoint="completions")
    (_, first), (_, second) = server.requests
    assert first == {"messages": messages, "model": "tiny", "max_tokens": 9, "temperature": 0.0, "top_k": 3}
    assert second == {
        "prompt": "2+2?", "model": "tiny", "max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["\n"],
    }  # fmt: skip


def test_as_many_requests_are_under_way_as_allowed(serve: Any, protocol: Any) -> None:
    meeting = threading.Barrier(5)

    def answer(path: str, body: dict[str, Any], number: int) -> Any:
        meeting.wait(timeout=30)  # breaks, and with it the connection, unless five requests meet
        return protocol.completion("x")

    server = serve(answer)
    assert len(complete(server.address, concurrency=5, retries=0)) == 10
    assert server.most_in_flight == 5


TROUBLE = [
    ("overloaded", lambda p: (429, {"Retry-After": "0"}, b"slow down")),
    (
        "overloaded, with a date in the past",
        lambda p: (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, b""),
    ),
    ("overloaded, with nonsense", lambda p: (429, {"Retry-After": "soon"}, b"")),
    ("a server's failure", lambda p: (500, {}, b"Traceback")),
    ("a gateway's failure", lambda p: (503, {}, b"<html>")),
    ("a connection that breaks", lambda p: (0, {}, b"")),
    ("a body that breaks off", lambda p: (200, {"Content-Length": "999", "Connection": "close"}, b"{")),
]


@pytest.mark.parametrize("trouble", [case[1] for case in TROUBLE], ids=[case[0] for case in TROUBLE])
def test_passing_trouble_is_retried(serve: Any, protocol: Any, echo: Any, trouble: Any) -> None:
    def answer(path: str, body: dict[str, Any], number: int) -> Any:
        made = trouble(protocol) if number in (0, 1, 4) else echo(path, body, number)
        return made

    server = serve(answer)
    assert [c.text for c in complete(server.address, retries=3, concurrency=2)] == [
        p.upper() for p in PROMPTS
    ]
    assert len(server.requests) == 13


FATAL = [
    (
        "overloaded for good",
        (429, {"Retry-After": "0"}, b"slow down"),
        3,
        "429 Too Many Requests.*slow down.*3 tries",
    ),
    ("broken for good", (500, {}, b"out of memory"), 6, "500 .*out of memory.*3 tries"),
    ("away for good", (503, {}, b"back soon"), 3, "503 .*back soon"),
    ("a connection that always breaks", (0, {}, b""), 3, "Is the server running"),
    ("whatever it is asked", (400, {}, b'{"error": "no top_k here"}'), 2, "400 .*no top_k here"),
    ("a wrong key", (401, {}, b"who are you"), 1, "401 .*HUB_OPENAI_API_KEY"),
    ("no such model", (404, {}, b"no model"), 1, "404 .*no model.*served_name"),
    ("HTML", (200, {}, b"<html>welcome</html>"), 1, "not JSON.*welcome.*/v1"),
    ("nothing", (200, {}, b""), 1, "not JSON.*empty"),
    ("not text but bytes", (200, {}, b"\xff\xfe"), 1, "not JSON"),
    ("JSON of another kind", (200, {}, b'["a"]'), 1, "no completion"),
    ("no choices", (200, {}, b'{"choices": []}'), 1, "no completion, but says .*choices"),
    ("choices without a message", (200, {}, b'{"choices": [{"index": 0}]}'), 1, "no completion, but says"),
    ("an error", (200, {}, b'{"error": {"message": "it died"}}'), 1, "says {'message': 'it died'}$"),
    (
        "usage of another kind",
        (200, {}, b'{"choices": [{"message": {"content": "x"}}], "usage": [1]}'),
        1,
        "no completion",
    ),
    (
        "content that is no text",
        (200, {}, b'{"choices": [{"message": {"content": 7}}]}'),
        1,
        "7 in place of text",
    ),
]


@pytest.mark.parametrize(
    ("made", "tries", "words"), [case[1:] for case in FATAL], ids=[case[0] for case in FATAL]
)
def test_lasting_trouble_is_one_clear_error(serve: Any, made: Any, tries: int, words: str) -> None:
    server = serve(lambda path, body, number: made)
    with pytest.raises(GeneratorError, match=f"(?s){words}"):
        complete(server.address, ["x"], retries=2)
    assert len(server.requests) == tries


def test_what_is_no_address_is_not_tried_again() -> None:
    with pytest.raises(GeneratorError, match=r"\.\./tiny.* is no address like http://host:port/v1"):
        list(open_generator("../tiny", "openai").generate(["x"], SHORT))


REFUSED = [
    ("too long", 400, "chat", 11),
    ("too large", 413, "completions", 11),
    ("not what it takes", 422, "chat", 11),
    ("it breaks on it", 500, "chat", 12),
]


@pytest.mark.parametrize(
    ("status", "endpoint", "requests"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
@pytest.mark.parametrize("place", [0, 6])
def test_one_refused_prompt_costs_no_other(
    serve: Any, protocol: Any, echo: Any, status: int, endpoint: str, requests: int, place: int
) -> None:
    """Whether all are refused is asked once, unless the server answered before; each time where it broke."""

    def answer(path: str, body: dict[str, Any], number: int) -> Any:
        is_it = protocol.question(body) == PROMPTS[place]
        return (status, {}, b"context is 2048") if is_it else echo(path, body, number)

    server = serve(answer)
    made = complete(server.address, endpoint=endpoint, concurrency=1, retries=int(status == 500))
    assert [one.text for one in made] == [("" if n == place else f"QUESTION {n}") for n in range(10)]
    assert [one.finish for one in made if one.refused] == ["refused"]
    assert f"{status} " in made[place].refused
    assert "context is 2048" in made[place].refused
    assert len(server.requests) == requests - (place > 0 and status != 500)


def test_half_a_character_is_sent(serve: Any, echo: Any) -> None:
    assert complete(serve(echo).address, ["half \ud83d"])[0].text == "HALF \ud83d"


def test_what_was_answered_before_an_error_stands(serve: Any, echo: Any) -> None:
    server = serve(
        lambda path, body, number: echo(path, body, number) if number < 4 else (403, {}, b"enough")
    )
    completions = open_generator(server.address, concurrency=1).generate(PROMPTS, Decoding(8))
    answered = [next(completions).index for _ in range(4)]
    assert answered == [0, 1, 2, 3]
    with pytest.raises(GeneratorError, match="enough"):
        next(completions)


ANSWERS = [
    ("cut at the limit", ("x", "length", 8), Decoding(8), Completion(0, "x", "length", 8)),
    ("no count of tokens", ("x", "stop", None), Decoding(8), Completion(0, "x", "stop", None)),
    ("no text, e.g. a tool call", (None, "tool_calls", 3), Decoding(8), Completion(0, "", "stop", 3)),
    (
        "a stop text left in",
        ("4. Q: 5", "length", 3),
        Decoding(8, stop=("Q:",)),
        Completion(0, "4. ", "stop", 3),
    ),
    ("no reason to finish", ("x", None, 3), Decoding(8), Completion(0, "x", "stop", 3)),
    (
        "any language",
        ("四\ud83d\ude00\u2028", "stop", 3),
        Decoding(8),
        Completion(0, "四😀\u2028", "stop", 3),
    ),
]


@pytest.mark.parametrize(
    ("made", "decoding", "expected"), [c[1:] for c in ANSWERS], ids=[c[0] for c in ANSWERS]
)
def test_answers_are_read(
    serve: Any, protocol: Any, made: Any, decoding: Decoding, expected: Completion
) -> None:
    server = serve(lambda path, body, number: protocol.completion(*made))
    assert complete(server.address, ["x"], decoding) == [expected]


def test_the_only_model_is_found_and_the_key_is_recorded_nowhere(
    serve: Any, echo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(echo)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("HUB_OPENAI_API_KEY", "sk-secret")
    generator = open_generator(server.address)
    list(generator.generate(["x"], Decoding(8)))
    assert [headers["Authorization"] for headers in server.headers] == ["Bearer sk-secret"] * 2
    described = generator.describe()
    assert (described["model"], described["address"], described["served"]) == (
        "tiny",
        server.address,
        {"owned_by": "tests"},
    )
    assert "secret" not in json.dumps(described)


def test_a_password_in_the_address_is_used_and_shown_nowhere(serve: Any, echo: Any) -> None:
    server = serve(lambda path, body, number: (403, {}, b"enough"))
    generator = open_generator(server.address.replace("//", "//me:secret@"))
    assert server.headers[0]["Authorization"].startswith("Basic ")
    assert generator.describe()["address"] == server.address
    with pytest.raises(GeneratorError, match="enough") as raised:
        list(generator.generate(["x"], SHORT))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("models", "words"), [([], "lists 0 models"), (["a", "b"], r"lists 2 models \(a, b\).*served_name=MODEL")]
)
def test_which_model_must_be_clear(serve: Any, echo: Any, models: list[str], words: str) -> None:
    server = serve(echo, models=models)
    with pytest.raises(GeneratorError, match=words):
        open_generator(server.address)
    assert complete(server.address, ["x"], served_name="b")[0].text == "X"
    assert server.requests[0][1]["model"] == "b"


BAD = [
    (
        "nobody listens",
        "http://127.0.0.1:9/v1",
        {},
        GeneratorError,
        "http://127.0.0.1:9/v1/models.*Is the server running",
    ),
    ("no such host", "http://nowhere.invalid/v1", {}, GeneratorError, "nowhere.invalid"),
    ("no address", "http://", {}, GeneratorError, "http"),
    ("a port that is none", "http://localhost:port/v1", {}, GeneratorError, "http://host:port/v1"),
    ("no requests at once", "http://127.0.0.1:9/v1", {"concurrency": 0}, OptionError, "at least 1"),
    ("an unknown endpoint", "http://127.0.0.1:9/v1", {"endpoint": "edits"}, OptionError, "edits"),
    (
        "a key as an option",
        "http://127.0.0.1:9/v1",
        {"api_key": "sk"},
        OptionError,
        "has no option .api_key.",
    ),
]


@pytest.mark.parametrize(
    ("address", "options", "error", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_input_is_one_clear_error(
    address: str, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        open_generator(address, **options)


def test_messages_do_not_fit_the_completions_endpoint(serve: Any, echo: Any) -> None:
    server = serve(echo)
    with pytest.raises(GeneratorError, match=r"prompt 1 is chat messages.*endpoint=chat"):
        complete(server.address, ["x", [{"role": "user", "content": "x"}]], endpoint="completions")
    assert not server.requests


def test_closing_early_cancels_what_is_under_way(serve: Any, protocol: Any) -> None:
    release = threading.Event()

    def answer(path: str, body: dict[str, Any], number: int) -> Any:
        if number:
            release.wait(timeout=60)
        return protocol.completion("x")

    server = serve(answer)
    completions: Any = open_generator(server.address, concurrency=2).generate(PROMPTS, Decoding(8))
    try:
        next(completions)
        completions.close()  # returns although two requests have no answer
        assert not [thread for thread in threading.enumerate() if thread.name == "hub-openai"]
    finally:
        release.set()
    assert len(server.requests) <= 3


def test_it_works_inside_a_running_loop(serve: Any, echo: Any) -> None:
    server = serve(echo)

    async def inside() -> list[Completion]:
        return complete(server.address)

    assert len(asyncio.run(inside())) == 10


def waits() -> Iterator[tuple[str, float, float]]:
    now = datetime.now(UTC)
    yield "", 7.0, 7.0
    yield "3", 3.0, 3.0
    yield " 0.5 ", 0.5, 0.5
    yield "-4", 0.0, 0.0
    yield "1e9", LONGEST_WAIT_S, LONGEST_WAIT_S
    yield "nan", 7.0, 7.0
    yield "soon", 7.0, 7.0
    yield format_datetime(now - timedelta(hours=1), usegmt=True), 0.0, 0.0
    yield format_datetime(now + timedelta(days=1), usegmt=True), LONGEST_WAIT_S, LONGEST_WAIT_S
    yield format_datetime(now + timedelta(seconds=50), usegmt=True), 0.0, 50.0


def test_retry_after_is_read() -> None:
    for header, least, most in waits():
        answer = httpx.Response(429, headers={"Retry-After": header} if header else {})
        assert least <= _retry_after(answer, 7.0) <= most, header


def test_the_wait_of_retry_after_is_kept(serve: Any, echo: Any) -> None:
    server = serve(
        lambda path, body, number: (
            (429, {"Retry-After": "0.3"}, b"") if not number else echo(path, body, number)
        )
    )
    start = time.monotonic()
    complete(server.address, ["x"])
    assert time.monotonic() - start >= 0.3


def test_an_answer_that_never_ends_is_given_up(serve: Any, protocol: Any, echo: Any) -> None:
    over = threading.Event()
    server = serve(lambda path, body, number: protocol.trickle(over))
    try:
        with pytest.raises(GeneratorError, match=r"no whole answer .* within 0\.3 s .*timeout_s.*2 tries"):
            complete(server.address, ["x"], retries=1, timeout_s=0.3)
    finally:
        over.set()
    assert len(server.requests) == 2
