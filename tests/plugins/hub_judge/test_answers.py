"""The file of answers: what is asked twice, replayed without a server, written by several processes, torn."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import OptionError
from hub_judge.answers import AnswerFile, key_of
from tests.plugins.hub_generators.openai_protocol import Server
from tests.plugins.hub_judge.judges import serve, told

SAMPLES = [hub.Sample("Name a bird.", text) for text in ("owl", "eel", "ant")]


@pytest.fixture
def server() -> Iterator[Server]:
    opened = serve()
    yield opened
    opened.close()


def score(samples: list[hub.Sample], use: str = "judge", **options: Any) -> list[hub.Score]:
    with hub.Engine(1) as engine:
        return engine.score(hub.find_reward(use).bind({"model": "m", **options}), samples)


def test_nothing_is_asked_twice(server: Server, tmp_path: Path) -> None:
    cache = str(tmp_path / "deep" / "answers.jsonl")
    first = score(SAMPLES, url=server.address, cache=cache)
    again = score(SAMPLES, url=server.address, cache=cache, prices={"prompt": 1.0})
    assert [one.value for one in first] == [one.value for one in again] == [1.0, 0.0, 0.0]
    assert len(server.requests) == 3
    assert again[0].info["judge"] == {
        "requests": 0,
        "kept": 1,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cost": 0.0,
    }


def test_replay_needs_no_server_and_a_miss_is_a_failure(server: Server, tmp_path: Path) -> None:
    cache = str(tmp_path / "answers.jsonl")
    score(SAMPLES[:2], url=server.address, cache=cache)
    before = Path(cache).read_bytes()
    server.close()
    scores = score(SAMPLES, cache=cache, mode="replay")
    assert [one.value for one in scores] == [1.0, 0.0, None]
    assert scores[2].reason == "unavailable"
    assert "holds no answer of 'm'" in scores[2].detail
    assert Path(cache).read_bytes() == before


def test_replay_by_the_environment(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_JUDGE_CACHE", str(tmp_path / "answers.jsonl"))
    monkeypatch.setenv("HUB_JUDGE_URL", server.address)
    assert score(SAMPLES[:1])[0].value == 1.0
    monkeypatch.setenv("HUB_JUDGE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HUB_JUDGE_MODE", "replay")
    assert [one.value for one in score(SAMPLES[:2])] == [1.0, None]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "other"},
        {"temperature": 0.5},
        {"max_tokens": 99},
        {"rubric": "Another."},
        {"system": "Another."},
        {"high": 11.0},
        {"frames": False},
        {"repeats": 2},
        {"server": {"extra": {"top_p": 0.5}}},
    ],
)
def test_whatever_is_asked_otherwise_is_asked_again(
    server: Server, tmp_path: Path, changes: dict[str, Any]
) -> None:
    cache = str(tmp_path / "answers.jsonl")
    score(SAMPLES[:1], url=server.address, cache=cache)
    score(SAMPLES[:1], **{"url": server.address, "cache": cache, **changes})
    assert len(server.requests) > 1


def test_where_the_judge_is_does_not_count(server: Server, tmp_path: Path) -> None:
    cache = str(tmp_path / "answers.jsonl")
    score(SAMPLES, url=server.address, cache=cache)
    other = serve()
    scores = score(SAMPLES, url=other.address, cache=cache, server={"retries": 0, "timeout_s": 5.0})
    other.close()
    assert other.requests == []
    assert scores[0].value == 1.0


def test_what_failed_is_not_kept_but_prose_is(tmp_path: Path) -> None:
    cache = tmp_path / "answers.jsonl"
    for answer, lines in (((500, {}, b""), 0), ((200, {}, b"{}"), 0), (told("prose"), 1)):
        server = serve(lambda *_, answer=answer: answer)
        (one,) = score(SAMPLES[:1], url=server.address, cache=str(cache), server={"retries": 0})
        server.close()
        assert one.value is None
        assert len(cache.read_text().splitlines()) == lines
    (one,) = score(SAMPLES[:1], cache=str(cache), mode="replay")
    assert one.reason == "bad_value"


def test_a_torn_line_and_garbage_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b'\n{"key": 1}\n[]\nnot json\n{"key": "torn", "request": {"mod')
    answers = AnswerFile(path)
    answers.add("a", {}, {"text": "\ud800"})
    answers.add("b", {}, 2)
    fresh = AnswerFile(path, read_only=True)
    assert [answers.get("a"), fresh.get("a"), fresh.get("b"), fresh.get("torn")] == [
        {"text": "\ud800"},
        {"text": "\ud800"},
        2,
        None,
    ]


def test_what_another_process_adds_is_found(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    mine, other = AnswerFile(path), AnswerFile(path)
    assert mine.get("a") is None
    other.add("a", {}, 1)
    assert mine.get("a") == 1
    mine.add("a", {}, 2)
    assert [mine.get("a"), AnswerFile(path).get("a")] == [1, 1]  # the first counts


WRITER = """
import sys
from hub_judge.answers import AnswerFile
answers = AnswerFile(sys.argv[1])
for number in range(200):
    answers.add(f"{sys.argv[2]}-{number}", {"text": "x" * number * 50}, number)
"""


def test_several_processes_write_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(who)]) for who in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    answers = AnswerFile(path)
    assert all(answers.get(f"{who}-{number}") == number for who in range(4) for number in range(200))
    assert len(path.read_text().splitlines()) == 800


FULL = """
import resource, signal, sys
import hub
bound = hub.find_reward("judge").bind({"model": "m", "url": sys.argv[1], "cache": sys.argv[2]})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
with hub.Engine(1) as engine:
    (score,) = engine.score(bound, [hub.Sample("Name a bird.", "owl")])
print(score.value, score.reason, score.detail)
"""


def test_a_file_that_cannot_grow_fails_the_sample_and_says_so(server: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL, server.address, str(tmp_path / "answers.jsonl")]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=True).stdout
    assert printed.startswith("None unavailable ")
    assert "cannot be written" in printed


def test_what_is_no_file_is_refused() -> None:
    with pytest.raises(OptionError, match="not a regular file"):
        AnswerFile("/dev/null")


def test_an_answer_can_be_audited(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "answers.jsonl"
    score(SAMPLES[:1], url=server.address, cache=str(cache))
    (line,) = map(json.loads, cache.read_text().splitlines())
    assert line["key"] == key_of(line["request"])
    assert line["request"]["model"] == "m"
    assert "owl" in line["request"]["messages"][-1]["content"]
    assert line["answer"]["choices"][0]["message"]["content"].endswith("Rating: 10")
