"""The fast reading of a body gives what the plain one gives, to the last bit and the last message."""

import json
import random
import struct
from typing import Any

import pytest

import hub
from hub_serve.decode import read_json, read_request
from hub_serve.refused import Refused
from hub_serve.wire import read_samples

MOST = 5

BODIES: dict[str, bytes] = {
    "texts and scalars": b'{"samples": [{"prompt": "a", "completion": "b", "columns": {"x": 1, "y": null}}]}',
    "every kind of column": b'{"samples": [{"completion": "", "columns": {"a": -0.0, "b": -0, "c": 1E5, "d": true}}]}',
    "equal keys": b'{"samples": [{"completion": "a", "columns": {"a": 1}, "columns": {"b": 2}}], "samples": []}',
    "equal columns": b'{"samples": [{"completion": "a", "columns": {"a": 1, "a": "2", "\\u0061": 3.5}}]}',
    "groups and ids": b'{"step": 3, "samples": [{"completion": "a", "group": "g", "id": 7}]}',
    "integers of any size": b'{"samples": [{"completion": "a", "columns": {"n": 123456789012345678901234}}]}',
    "a float that is an integer": b'{"samples": [{"completion": "a", "id": 1.0}]}',
    "a step that is a float": b'{"samples": [], "step": 1.0}',
    "a step that is true": b'{"samples": [], "step": true}',
    "a step below 0": b'{"samples": [], "step": -1}',
    "columns that are null": b'{"samples": [{"completion": "a", "columns": null}]}',
    "a prompt that is null": b'{"samples": [{"completion": "a", "prompt": null}]}',
    "messages": b'{"samples": [{"completion": [{"role": "user", "content": "a"}]}, {"completion": "b"}]}',
    "nested columns": b'{"samples": [{"completion": "a", "columns": {"x": [1, {"y": [2.5]}]}}]}',
    "NaN and infinities": b'{"samples": [{"completion": "a", "columns": {"x": [NaN, Infinity], "y": -Infinity}}]}',
    "a number beyond a float": b'{"samples": [{"completion": "a", "columns": {"x": 1e400}}]}',
    "a single surrogate": b'{"samples": [{"completion": "a\\ud800b"}]}',
    "a pair in the wrong order": b'{"samples": [{"completion": "\\udc00\\ud800"}]}',
    "a pair": b'{"samples": [{"completion": "\\ud83d\\ude00\\u0000\\/"}]}',
    "UTF-16": '{"samples": [{"completion": "é"}]}'.encode("utf-16"),
    "a mark of the byte order": b'\xef\xbb\xbf{"samples": []}',
    "an unknown key": b'{"samples": [{"completion": "a", "file": "x"}]}',
    "an unknown key beside the samples": b'{"samples": [], "use": "x"}',
    "no completion": b'{"samples": [{"completion": "a"}, {"prompt": "a"}]}',
    "too many": b'{"samples": [' + b",".join([b'{"completion": ""}'] * (MOST + 1)) + b"]}",
    "a long id": b'{"samples": [{"completion": "a", "id": "' + b"x" * 201 + b'"}]}',
    "a large group": b'{"samples": [{"completion": "a", "group": 36893488147419103232}]}',
    "a comma too many": b'{"samples": [],}',
    "something behind it": b'{"samples": []} x',
    "a bare control character": b'{"samples": [{"completion": "\x1f"}]}',
    "an overlong form": b'{"samples": [{"completion": "\xc0\x80"}]}',
    "half a text": b'{"samples": [{"completion": "a',
}


def plain(body: bytes) -> Any:
    """What `json` makes of it."""
    try:
        return repr(read_samples(json.loads(body), MOST))
    except Refused as refused:
        return refused.status, refused.code, str(refused)
    except ValueError:
        return "not_json"


def fast(body: bytes) -> Any:
    try:
        return repr(read_request(body, MOST))
    except Refused as refused:
        return "not_json" if refused.code == "not_json" else (refused.status, refused.code, str(refused))


@pytest.mark.parametrize("name", BODIES)
def test_a_body_says_the_same_in_both_ways(name: str) -> None:
    assert fast(BODIES[name]) == plain(BODIES[name])


def test_floats_to_the_last_bit() -> None:
    random.seed(0)
    bits = [struct.unpack("d", random.randbytes(8))[0] for _ in range(2000)]
    finite = [value for value in bits if abs(value) < float("inf")]
    texts = [form.format(value) for value in finite for form in ("{!r}", "{:.17e}", "{:.25e}", "{:.3f}")]
    body = f"[{', '.join(texts)}]".encode()
    assert repr(read_json(body)) == repr(json.loads(body))
    row = {"samples": [{"completion": "", "columns": {str(i): value for i, value in enumerate(finite)}}]}
    (sample,), _ = read_request(json.dumps(row).encode(), MOST)
    assert isinstance(sample, hub.Sample)
    assert repr(list(sample.columns.values())) == repr(finite)


def test_what_was_read_belongs_to_nobody_else() -> None:
    """A sample without columns has none of its own; not those that another one's reward put there."""
    (one, other), _ = read_request(b'{"samples": [{"completion": "a"}, {"completion": "b"}]}', MOST)
    assert one.columns == {}
    assert one.columns is not other.columns
