"""`hub serve-model`: what it answers is what the model says in this process, whoever asks beside it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
import uvicorn

import hub
from hub.cli.main import main
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import read_run
from hub.open import open_generator
from hub_serve_model.app import make_app
from hub_serve_model.batches import Batches
from tests.plugins.hub_generators import tiny_model

HUB = str(Path(sys.executable).with_name("hub"))
PROMPTS = [f"Count to {number}" + ", please" * (number % 4) for number in range(12)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.save(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def generator(model: Path) -> Iterator[Any]:
    with closing(open_generator(str(model), None, batch_size=4)) as opened:
        yield opened


def listen(app: Any) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def address(generator: Any) -> Iterator[str]:
    yield from listen(make_app(Batches(generator, 8, 100), "tiny", 16, None))


def ask(address: str, path: str = "/chat/completions", **body: Any) -> httpx.Response:
    body = {"messages": [{"role": "user", "content": "Hi"}], "temperature": 0, "max_tokens": 8} | body
    return httpx.post(f"{address}{path}", json=body, timeout=60)


def test_requests_at_once_get_what_each_gets_alone(address: str, generator: Any) -> None:
    decoding = hub.Decoding(max_new_tokens=8)
    alone = {one.index: one for one in generator.generate(PROMPTS, decoding)}
    with ThreadPoolExecutor(12) as threads:
        answers = list(
            threads.map(
                lambda prompt: ask(address, messages=[{"role": "user", "content": prompt}]).json(), PROMPTS
            )
        )
    for index, answer in enumerate(answers):
        (choice,) = answer["choices"]
        assert choice["message"] == {"role": "assistant", "content": alone[index].text}
        assert (choice["finish_reason"], choice["logprobs"]) == (alone[index].finish, None)
        given, made = alone[index].prompt_tokens, alone[index].tokens
        assert given
        assert made
        assert answer["usage"] == {
            "prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made,
        }  # fmt: skip


def test_an_evaluation_through_it_is_the_one_in_this_process(
    address: str, generator: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    """A conversation, so that chat messages of all roles pass through."""

    def rows(split: str) -> Iterator[dict[str, Any]]:
        for name in ("owl", "eel"):
            yield {"id": f"{name}/1", "prompt": f"Where does the {name} live?"}
            yield {"id": f"{name}/2", "prompt": "And then?", "after": f"{name}/1"}

    plan = make_plan(
        hub.Benchmark(
            "talk", rows, {"length": {"with": {"max": 9}}}, "", decoding=hub.Decoding(max_new_tokens=8)
        )
    )
    with closing(open_generator(address)) as served:
        assert served.describe()["model"] == "tiny"
        evaluate(plan, served, tmp_path / "served", engine=engine)
    evaluate(plan, generator, tmp_path / "here", engine=engine)
    served_text, text = (
        [
            (line["id"], line["prompt"], line["completion"])
            for line in read_run(tmp_path / name).samples.values()
        ]
        for name in ("served", "here")
    )
    assert served_text == text


def test_plain_text_gets_no_chat_template(address: str, generator: Any) -> None:
    (alone,) = generator.generate(["Hi"], hub.Decoding(max_new_tokens=8, chat_template=False))
    assert ask(address, "/completions", prompt="Hi").json()["choices"][0]["text"] == alone.text


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_log_probabilities_are_the_models_own(address: str, model: Path, temperature: float) -> None:
    """Whatever the temperature; beside requests of other lengths, whose padding does not count."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(model)
    weights: Any = AutoModelForCausalLM.from_pretrained(model)

    def one(prompt: str) -> Any:
        messages = [{"role": "user", "content": prompt}]
        told: dict[str, Any] = {
            "logprobs": True,
            "top_logprobs": 5,
            "max_tokens": 1,
            "temperature": temperature,
        }
        return ask(address, messages=messages, **told).json()["choices"][0]

    with ThreadPoolExecutor(12) as threads:
        choices = list(threads.map(one, PROMPTS))
    for prompt, choice in zip(PROMPTS, choices, strict=True):
        encoded = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        with torch.no_grad():
            top = weights(**encoded).logits[0, -1].log_softmax(-1).topk(5)
        (content,) = choice["logprobs"]["content"]
        assert [one["token"] for one in content["top_logprobs"]] == [
            tokenizer.decode([i]) for i in top.indices.tolist()
        ]
        assert [one["logprob"] for one in content["top_logprobs"]] == pytest.approx(
            top.values.tolist(), abs=1e-4
        )
        if temperature == 0.0 and choice["message"]["content"]:
            assert content["token"] == choice["message"]["content"] == content["top_logprobs"][0]["token"]


def test_seeds(address: str) -> None:
    """The same seed, the same text; no seed, another one each time."""

    def said(**more: Any) -> str:
        return str(
            ask(address, temperature=1.0, max_tokens=16, **more).json()["choices"][0]["message"]["content"]
        )

    assert said(seed=3) == said(seed=3)
    assert len({said() for _ in range(4)}) > 1


HI = [{"role": "user", "content": "Hi"}]
BAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "another model": ({"model": "gpt-4"}, 404, "there is no model 'gpt-4' here; this is 'tiny'"),
    "no messages": ({"messages": []}, 400, "'messages' should be a list of messages"),
    "a message without content": ({"messages": [{"role": "user"}]}, 400, "no message of text"),
    "a message that is none": ({"messages": ["Hi"]}, 400, "no message of text"),
    "an unknown part": ({"messages": [{"role": "user", "content": 7}]}, 400, "no message of text"),
    "several": ({"n": 2}, 400, "'n' is not supported"),
    "a stream": ({"stream": True}, 400, "'stream' is not supported"),
    "tools": ({"tools": [{}]}, 400, "'tools' is not supported"),
    "JSON": ({"response_format": {"type": "json_object"}}, 400, "'response_format' is not supported"),
    "a cold temperature": ({"temperature": -1}, 400, "out of range"),
    "a warm text": ({"temperature": "warm"}, 400, "'temperature' should be a number"),
    "no tokens": ({"max_tokens": 0}, 400, "out of range"),
    "half a token": ({"max_tokens": 1.5}, 400, "'max_tokens' should be a whole number"),
    "too many likely ones": ({"logprobs": True, "top_logprobs": 50, "max_tokens": 1}, 400, "at most 20"),
    "log-probabilities of a text": ({"logprobs": True, "top_logprobs": 5}, 400, "set max_tokens to 1"),
    "a stop that is none": ({"stop": [1]}, 400, "'stop' should be"),
    "a stop that is a number": ({"stop": 5}, 400, "'stop' should be"),
    "a stop that is a table": ({"stop": {"a": 1}}, 400, "'stop' should be"),
    "a stop that every text has": ({"stop": [""]}, 400, "'stop' should be"),
    "a picture": ({"messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:,"}}]}]}, 400, "other than text"),
    "more than the model sees": ({"max_tokens": 1000}, 400, "more than the 256"),
    "a prompt that is too long": ({"messages": [{"role": "user", "content": "a" * 300}]}, 400, "more than the 256"),
    "what the chat template refuses": ({"messages": [{"role": "system", "content": "Hi"}, *HI]}, 400, "no system prompts"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_done_is_told(case: str, address: str) -> None:
    changes, status, message = BAD[case]
    answer = ask(address, **changes)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]


def test_what_is_no_request_is_told(address: str) -> None:
    for content, message in (
        (b"{", "not JSON"),
        (b"[]", "should be a JSON object"),
        (b"[" * 10**5, "not JSON"),
        (
            b'{"messages": [{"role": "user", "content": "Hi"}], "temperature": NaN}',
            "'temperature' should be a number",
        ),
        (b'{"messages": [{"role": "user", "content": "Hi"}], "top_p": 1e999}', "'top_p' should be a number"),
    ):
        answer = httpx.post(f"{address}/chat/completions", content=content)
        assert (answer.status_code, message in answer.json()["error"]["message"]) == (400, True)
    assert httpx.post(f"{address}/chat/completions", content=b" " * (17 << 20)).status_code == 413
    assert httpx.get(f"{address}/chat/completions").status_code == 405


def test_a_limit_that_is_null_is_none(address: str) -> None:
    answer = ask(address, max_completion_tokens=None, max_tokens=2).json()
    assert answer["usage"]["completion_tokens"] <= 2
    assert ask(address, max_completion_tokens=1, max_tokens=3).json()["usage"]["completion_tokens"] == 1


def test_one_that_is_too_long_costs_no_other(address: str) -> None:
    texts = ["a" * 300 if number == 3 else f"Hi {number}" for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda text: ask(address, messages=[{"role": "user", "content": text}]), texts)
        )
    assert [answer.status_code for answer in answers] == [400 if number == 3 else 200 for number in range(8)]


class Stuck:
    """A model that answers when it is let."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.seen: list[str] = []

    def generate(self, prompts: Any, decoding: hub.Decoding) -> Iterator[hub.Completion]:
        self.seen += [prompt[-1]["content"] for prompt in prompts]
        self.begun.set()
        assert self.go.wait(30)
        for index in range(len(prompts)):
            yield hub.Completion(index, "done")

    def describe(self) -> Any:
        return {}

    def close(self) -> None:
        pass


def until(batches: Batches, waiting: int) -> None:
    for _ in range(3000):
        if batches.waiting == waiting:
            return
        time.sleep(0.01)
    raise AssertionError(f"{batches.waiting} requests wait, not {waiting}")


def test_no_more_wait_than_may_and_nobody_is_asked_for_a_client_that_is_gone() -> None:
    stuck = Stuck()
    batches = Batches(stuck, 1, 2)
    for address in listen(make_app(batches, "stuck", 8, None)):
        with ThreadPoolExecutor(4) as threads:
            first = threads.submit(ask, address, messages=[{"role": "user", "content": "first"}])
            assert stuck.begun.wait(30)
            until(batches, 0)
            with httpx.Client() as client, pytest.raises(httpx.ReadTimeout):
                client.post(f"{address}/chat/completions", json={"messages": HI}, timeout=0.2)
            until(batches, 0)
            waiting = [
                threads.submit(ask, address, messages=[{"role": "user", "content": f"{n}"}]) for n in range(2)
            ]
            until(batches, 2)
            refused = ask(address)
            stuck.go.set()
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
            assert [one.result().status_code for one in (first, *waiting)] == [200, 200, 200]
    assert sorted(stuck.seen) == ["0", "1", "first"]


def test_log_probabilities_of_a_model_that_cannot_tell() -> None:
    stuck = Stuck()
    for address in listen(make_app(Batches(stuck, 1, 2), "stuck", 8, None)):
        answer = ask(address, logprobs=True, top_logprobs=5, max_tokens=1)
        assert (answer.status_code, "cannot tell log-probabilities" in answer.text) == (400, True)


def test_a_key(generator: Any) -> None:
    for address in listen(make_app(Batches(generator, 8, 8), "tiny", 8, "secret")):
        assert httpx.get(f"{address}/models").status_code == 401
        wrong, right = ({"Authorization": f"Bearer {key}"} for key in ("secre", "secret"))
        assert httpx.get(f"{address}/models", headers=wrong).status_code == 401
        assert httpx.get(f"{address}/models", headers=right).json()["data"][0]["id"] == "tiny"


def test_the_command(model: Path, tmp_path: Path) -> None:
    """Ctrl-C ends it without a word of trouble."""
    command = [HUB, "serve-model", str(model), "--port", "0", "--name", "tiny"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        address = line.rsplit(maxsplit=1)[-1]
        assert line.startswith("tiny is served at http://127.0.0.1:")
        assert ask(address).json()["model"] == "tiny"
        server.send_signal(signal.SIGINT)
        _, err = server.communicate(timeout=60)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0 lets other machines in: set HUB_TOKEN"),
        (["--generator-option", "batch_size"], "should be NAME=VALUE"),
        (["--generator-option", "speed=9"], "has no option 'speed'"),
        (["--port", "TAKEN"], "cannot listen there: Address already in use"),
    ],
)
def test_bad_options(
    arguments: list[str],
    message: str,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HUB_TOKEN", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = [str(taken.getsockname()[1]) if one == "TAKEN" else one for one in arguments]
        with pytest.raises(SystemExit) as ended:
            main(["serve-model", str(model), *given])
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
