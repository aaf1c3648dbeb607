"""A real server that judges, for the rewards that ask one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import hub
from tests.plugins.hub_generators.openai_protocol import Answer, Server
from tests.plugins.hub_judge.judges import asked, framed, told

Says = Callable[[str, str], str | Answer]
"""What a judge writes, by its whole question and by the answer that it judges."""

Judged = Callable[..., list[hub.Score]]


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    opened: list[Server] = []
    yield opened
    for server in opened:
        server.close()


@pytest.fixture
def judged(engine: hub.Engine, servers: list[Server]) -> Judged:
    """Scores samples with a reward whose judge says so; the server is the last of `servers`."""

    def score(use: str, says: Says, samples: list[hub.Sample], **options: Any) -> list[hub.Score]:
        def answer(_: str, body: dict[str, Any], __: int) -> Answer:
            frames = framed(body)
            text = says(asked(body), frames[0] if frames else "")
            return told(text) if isinstance(text, str) else text

        servers.append(Server(answer))
        given = {"model": "m", "url": servers[-1].address, "server": {"backoff_s": 0.0, "retries": 1}}
        given |= options.pop("judge", {})
        return engine.score(hub.find_reward(use).bind({"judge": given, **options}), samples)

    return score
