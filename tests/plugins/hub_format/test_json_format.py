"""The reward `json-format`."""

import json
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, OptionError
from hub.testing import RewardSuite
from hub_format.json_format import JsonFormat

SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "integer"}, "why": {"type": "string", "minLength": 1}},
    "required": ["answer"],
    "additionalProperties": False,
}


class TestJsonFormat(RewardSuite):
    reward = "json-format"
    options = {"schema": SCHEMA}
    gold = [hub.Sample("", '{"answer": 4}'), hub.Sample("", ' {"answer": -1, "why": "é\\ud800"}\n')]
    wrong = [
        hub.Sample("", '{"answer": "4"}'),
        hub.Sample("", '{"answer": 4.5}'),
        hub.Sample("", '{"answer": 4, "more": 1}'),
        hub.Sample("", 'Here it is: {"answer": 4}'),
        hub.Sample("", '```json\n{"answer": 4}\n```'),
        hub.Sample("", "{'answer': 4}"),
        hub.Sample("", '{"answer": 4,}'),
    ]


class TestJsonInAFence(RewardSuite):
    reward = "json-format"
    options = {"schema": SCHEMA, "source": "fence"}
    gold = [
        hub.Sample("", 'Here:\n```json\n{"answer": 4}\n```\nDone.'),
        hub.Sample("", '```python\nprint(1)\n```\nand\n~~~\n{"answer": 4}\n~~~'),
    ]
    wrong = [hub.Sample("", '{"answer": 4}'), hub.Sample("", '```json\n{"answer": 4}')]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "not_json"),
        ("[Infinity]", "not_json"),
        ("[1e999]", "not_json"),
        ("9" * 5000, "not_json"),
        ("1 2", "not_json"),
        ("[" * 100_000, "too_deep"),
        ("[" * 100_000 + "]" * 100_000, "too_deep"),
        ("null", ""),
        ("[1e308, -0.0]", ""),
        ('"\ud800"', ""),
    ],
)
def test_any_json(text: str, reason: str) -> None:
    score = JsonFormat()(hub.Sample("", text))
    assert (score.value, score.reason) == (0.0 if reason else 1.0, reason)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("```\n1\n```", 1.0),
        ("```\n1\n```\n```\nno\n```", 0.0),
        ("```\nno\n```\n```\n1\n```", 1.0),
        ("```\n1\n```\n```\n2", 0.0),
        ("````\n[1]\n````", 1.0),
        ("````\n```\n````", 0.0),
        ("```\n1\n~~~", 0.0),
        ("``` json title=x\n1\n``` ", 1.0),
        ("```json 1```", 0.0),
        ("1", 0.0),
        ("", 0.0),
    ],
)
def test_last_fenced_block(text: str, value: float) -> None:
    assert JsonFormat(source="fence")(hub.Sample("", text)).value == value


def test_what_does_not_fit_is_told() -> None:
    score = JsonFormat(SCHEMA)(hub.Sample("", '{"answer": "4"}'))
    assert score.reason == "unfit"
    assert score.detail == "$.answer: '4' is not of type 'integer'"


def test_a_deep_value_against_a_recursive_schema() -> None:
    tree = {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    reward = JsonFormat(tree)
    assert reward(hub.Sample("", "[[[], []]]")).value == 1.0
    assert reward(hub.Sample("", "[" * 900 + "]" * 900)).reason == "too_deep"


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "nope"}, r"not a JSON schema: at \$.type"),
        ({"pattern": "("}, r"not a JSON schema: at \$.pattern"),
        ({"$ref": "#/$defs/x"}, "leads nowhere"),
        ({"properties": {"a": {"$ref": "#/$defs/x"}}}, "leads nowhere"),
        ({"$ref": "http://127.0.0.1:9/schema.json"}, "leads nowhere"),
        ({"$ref": "#"}, "refers to itself"),
        ({"$schema": "http://example.com/draft-99"}, "no known dialect"),
        ("/no/such/schema.json", "cannot be read"),
    ],
)
def test_a_bad_schema_is_no_score(schema: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        JsonFormat(schema)


def test_a_bad_schema_is_found_before_scoring(engine: hub.Engine) -> None:
    mix = hub.Mix({"json-format": {"with": {"schema": {"type": "nope"}}}})
    with pytest.raises(ConfigError, match="not a JSON schema"):
        mix.warm(engine)


@pytest.mark.parametrize(
    "dialect", ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"]
)
def test_schema_file(tmp_path: Path, dialect: str, engine: hub.Engine) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps({"$schema": dialect, "type": "array", "items": {"type": "integer"}}))
    reward = hub.find_reward("json-format").bind({"schema": str(path)})
    scores = engine.score(reward, [hub.Sample("", "[1, 2]"), hub.Sample("", '["1"]')])
    assert [score.value for score in scores] == [1.0, 0.0]


def test_schema_file_that_holds_no_schema(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    for content, message in (("[1]", "holds a list"), ("{", "cannot be read")):
        path.write_text(content)
        with pytest.raises(OptionError, match=message):
            JsonFormat(str(path))
