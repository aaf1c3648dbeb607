"""The native endpoint: the mix's own results, and one clear error for what cannot be scored."""

import json
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.testing.odd import NOT_TEXT, ODD_TEXTS
from hub_serve.wire import DEPTH, read_results
from tests.plugins.hub_serve.conftest import Running

CHAT = [{"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "image", "url": "x.png"}]}]
TOOLS = [
    {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "add", "arguments": "{}"}}]},
    {"role": "tool", "content": "4"},
    {"role": "assistant", "content": [{"type": "text", "text": "It is "}, {"type": "text", "text": "4"}]},
]
SAMPLES: dict[str, dict[str, Any]] = {
    "text": {"prompt": "2+2?", "completion": "4", "columns": {"answer": "4"}},
    "an empty completion": {"prompt": "2+2?", "completion": "", "columns": {"answer": ""}},
    "no prompt": {"completion": "4", "columns": {"answer": "4"}},
    "messages with images": {"prompt": CHAT, "completion": TOOLS, "columns": {"answer": "It is 4"}},
    "two images": {"prompt": CHAT + CHAT, "completion": "4", "columns": {"answer": "4"}},
    "an integer beyond 64 bits": {"completion": str(10**40), "columns": {"answer": 10**40}},
    "a column that no reward reads": {"completion": "4", "columns": {"answer": "4", "more": {"a": [1]}}},
    "a missing column": {"completion": "4"},
    "not a number": {"completion": "nan", "columns": {"answer": float("nan")}},
    "ids and groups": {"completion": "4", "columns": {"answer": "4"}, "id": 7, "group": "g"},
}


def sample_of(one: dict[str, Any]) -> hub.Sample:
    columns, own = one.get("columns", {}), one.get("id")
    return hub.Sample(one.get("prompt", ""), one["completion"], columns, one.get("group"), own)


def same(answer: dict[str, Any], wanted: list[hub.MixScore]) -> bool:
    """Whether an answer holds the results, bit for bit."""
    return repr(read_results(answer, len(wanted))) == repr(wanted)


@pytest.mark.parametrize("mix", ["plain", "fussy", "length", "routed", "gdpo", "rank"])
def test_the_numbers_are_those_of_the_mix(service: Running, files: dict[str, Path], mix: str) -> None:
    given = list(SAMPLES.values()) + [{"completion": text} for text in ("oh!", "what?", "so ~", "x" * 1000)]
    body = json.dumps({"samples": given})  # as Python writes it, NaN and all
    answer = service.http.post(f"/v1/mixes/{mix}/score", content=body).json()
    wanted = hub.Mix.load(files[mix]).score([sample_of(one) for one in given], engine=service.service.engine)
    assert same(answer, wanted)
    assert [one["id"] for one in answer["results"]] == [one.get("id") for one in given]


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_odd_completions_arrive_as_they_are(service: Running, files: dict[str, Path], name: str) -> None:
    given = {"completion": ODD_TEXTS[name], "columns": {"answer": ODD_TEXTS[name].strip()}}
    answer = service.post("/v1/mixes/plain/score", {"samples": [given]})
    (wanted,) = hub.Mix.load(files["plain"]).score([sample_of(given)], engine=service.service.engine)
    assert same(answer, [wanted])
    assert wanted.scores["right"].value == 1.0


@pytest.mark.parametrize("name", set(NOT_TEXT) - {"bytes"})
def test_a_completion_that_is_no_text_costs_only_its_sample(service: Running, name: str) -> None:
    samples = [{"completion": NOT_TEXT[name]}, {"completion": "abc"}]
    bad, good = service.post("/v1/mixes/length/score", {"samples": samples})["results"]
    assert good["score"] == 1.0
    assert bad["score"] == 0.0 if name == "a list of messages that is empty" else bad["reason"] == "bad_input"


def test_schedules_have_steps(service: Running) -> None:
    samples = [{"completion": "abc"}]
    scores = [
        service.post("/v1/mixes/scheduled/score", {"samples": samples, **step})["results"][0]["score"]
        for step in ({"step": 0}, {"step": 5}, {})
    ]
    assert scores == [1.0, 2.0, 3.0]


def test_an_empty_batch(service: Running) -> None:
    assert service.post("/v1/mixes/plain/score", {"samples": []}) == {"results": []}


def test_ten_megabytes(service: Running) -> None:
    samples = [{"completion": "x" * 1_000_000} for _ in range(10)]
    results = service.post("/v1/mixes/length/score", {"samples": samples})["results"]
    assert [one["score"] for one in results] == [1_000_000 / 3] * 10


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


UNFIT: dict[str, tuple[Any, str]] = {
    "not an object": ([], "the body should be an object"),
    "a number": (1, "the body should be an object"),
    "no samples": ({}, "the body should be an object"),
    "samples that are no list": ({"samples": "abc"}, "the body should be an object"),
    "a sample that is no object": ({"samples": ["abc"]}, "samples[0]: should be an object"),
    "no completion": ({"samples": [{"prompt": "a"}]}, 'samples[0]: should be an object with a "completion"'),
    "an unknown key": ({"samples": [{"completion": "a", "answr": "b"}]}, "samples[0].answr: unknown key"),
    "code": ({"samples": [], "use": "os.py:system"}, "use: unknown key"),
    "columns that are no object": ({"samples": [{"completion": "a", "columns": [1]}]}, "samples[0].columns"),
    "an id that is a list": ({"samples": [{"completion": "a", "id": [1]}]}, "samples[0].id"),
    "a group that is true": ({"samples": [{"completion": "a", "group": True}]}, "samples[0].group"),
    "a step that is no number": ({"samples": [], "step": "one"}, "step: should be a whole number"),
    "a step below 0": ({"samples": [], "step": -1}, "step: should be a whole number"),
    "a deep prompt": ({"samples": [{"prompt": nested(DEPTH + 1), "completion": ""}]}, "samples[0]: lists"),
    "a deep column": (
        {"samples": [{"completion": "", "columns": {"c": nested(DEPTH + 1)}}]},
        "samples[0].columns.c: lists",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_has_another_form_is_refused_with_its_place(service: Running, name: str) -> None:
    value, message = UNFIT[name]
    code, said = service.error("/v1/mixes/plain/score", 422, json=value)
    assert code == "unfit"
    assert said.startswith(message)


NOT_JSON = {
    "nothing": b"",
    "half of it": b'{"samples": [',
    "a form": b"samples=1",
    "not UTF-8": b'{"samples": ["\xff\xfe"]}',
    "a hundred thousand brackets": b"[" * 100_000,
    "a hundred thousand objects": b'{"a":' * 100_000,
    "a number of 5000 digits": b'{"samples": [], "step": ' + b"9" * 5000 + b"}",
    "a control character in a text": b'{"samples": ["\x00"]}',
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_json_is_refused(service: Running, name: str) -> None:
    assert service.error("/v1/mixes/plain/score", 400, content=NOT_JSON[name])[0] == "not_json"
    assert service.http.get("/readyz").status_code == 200


def test_the_deepest_that_is_taken_is_scored(service: Running) -> None:
    samples = [{"prompt": nested(DEPTH - 1), "completion": "abc", "columns": {"answer": nested(DEPTH)}}]
    (result,) = service.post("/v1/mixes/plain/score", {"samples": samples})["results"]
    assert result["outcome"] == "scored"


PATHS = {
    "another mix": "/v1/mixes/nope/score",
    "a path in place of a name": "/v1/mixes/..%2f..%2fetc%2fpasswd/score",
    "dots": "/v1/mixes/%2e%2e/score",
    "an empty name": "/v1/mixes//score",
    "a file of rewards": "/v1/mixes/rewards.py:right/score",
    "a NUL": "/v1/mixes/%00/score",
    "another alphabet": "/v1/mixes/%F0%9F%92%A9/score",
}


@pytest.mark.parametrize("name", PATHS)
def test_names_are_only_looked_up(service: Running, name: str) -> None:
    code, _ = service.error(PATHS[name], 404, json={"samples": []})
    assert code in ("unknown_mix", "unknown_path")


def test_a_path_that_there_is_not_names_the_one_for_samples(service: Running) -> None:
    code, message = service.error("/v1/score", 404, json={"samples": []})
    assert (code, "/v1/mixes/NAME/score" in message) == ("unknown_path", True)


def test_a_mix_that_stops_at_failures_says_why(service: Running) -> None:
    code, message = service.error("/v1/mixes/strict/score", 500, json={"samples": [{"completion": "oh!"}]})
    assert code == "reward_failed"
    assert "ValueError: a bang" in message


def test_what_is_served_can_be_asked(service: Running, files: dict[str, Path]) -> None:
    import hashlib

    about = {mix["name"]: mix for mix in service.http.get("/v1/mixes").json()["mixes"]}
    assert list(about) == list(files)
    assert about["plain"]["sha256"] == hashlib.sha256(files["plain"].read_bytes()).hexdigest()
    assert about["plain"]["rewards"] == ["right", "length"]
    assert about["rank"]["compares"] == about["rank"]["groupwise"] == ["rank"]
    assert about["scheduled"]["is_scheduled"] is True


def test_the_first_mix_that_cannot_be_loaded_is_named(tmp_path: Path, serve_engine: hub.Engine) -> None:
    from hub.errors import ConfigError
    from hub_serve.mixes import Mixes

    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[[reward]]\nuse = 'think-format'\nwieght = 1\n")
    with pytest.raises(ConfigError, match=r"wrong.toml:3: reward\[0\].wieght"):
        Mixes({"wrong": wrong}, serve_engine)
