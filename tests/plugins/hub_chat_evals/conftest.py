"""Fixtures of the chat evaluations' tests: the data, a judge, and a model that says what it is told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.sample import Sample
from tests.plugins.hub_chat_evals.judge import owls
from tests.plugins.hub_generators.openai_protocol import Server


@pytest.fixture
def data(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """HUB_DATA, set."""
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    return shared_data / "benchmarks"


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    """Starts a judge, where HUB_JUDGE_URL says that it is."""
    servers = []

    def start(answer: Any = owls) -> Server:
        servers.append(Server(answer))
        monkeypatch.setenv("HUB_JUDGE_URL", servers[-1].address)
        return servers[-1]

    yield start
    for server in servers:
        server.close()


class Says:
    """A model whose answer is a function of what it was asked last; it keeps what it was asked."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.answer = answer
        self.asked: list[tuple[Any, hub.Decoding]] = []

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index, prompt in enumerate(prompts):
            self.asked.append((prompt, decoding))
            yield hub.Completion(index, self.answer(Sample(prompt).prompt_text))

    def describe(self) -> Mapping[str, Any]:
        return {"generator": "says"}

    def close(self) -> None:
        pass


@pytest.fixture
def says() -> type[Says]:
    return Says
