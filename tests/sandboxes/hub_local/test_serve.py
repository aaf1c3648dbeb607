"""The sandbox over standard input and output: whatever goes wrong with one program, the next one is run."""

import io
import json
from typing import Any

import pytest

from hub_local.serve import serve
from tests.sandboxes.hub_local.conftest import GIVEN

PRINTS = {"program": {"source": "print(1)", "expected_stdout": "1"}, "limits": {}}


def frame(message: Any) -> bytes:
    data = json.dumps(message).encode()
    return len(data).to_bytes(8, "little") + data


def frames(data: bytes) -> list[dict[str, Any]]:
    found, stream = [], io.BytesIO(data)
    while head := stream.read(8):
        found.append(json.loads(stream.read(int.from_bytes(head, "little"))))
    return found


@pytest.mark.skipif(not any(GIVEN.values()), reason="this machine refuses namespaces and Landlock")
def test_what_cannot_be_run_is_answered_and_the_next_program_runs() -> None:
    bad: list[dict[str, Any]] = [
        {"program": {"source": "x"}, "limits": {"wall_s": -1}},
        {"program": {"source": "x"}, "limits": {"memory_mb": "much"}},
        {"program": {"source": 5}, "limits": {}},
        {"program": {"nonsense": 1}, "limits": {}},
        {"program": {"source": "x", "language": "klingon"}, "limits": {}},
        {},
    ]
    answers = io.BytesIO()
    asked = [{"slots": 1}, *(one for request in bad for one in (request, PRINTS))]
    serve(io.BytesIO(b"".join(map(frame, asked))), answers)
    ready, *found = frames(answers.getvalue())
    assert ready["ready"]
    assert [answer["error"] for answer in found[::2]] == ["SandboxUnavailable"] * 4 + ["BadInput"] + [
        "SandboxUnavailable"
    ]
    assert [answer["execution"]["verdict"] for answer in found[1::2]] == ["passed"] * len(bad)
