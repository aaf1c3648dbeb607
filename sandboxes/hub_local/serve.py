"""Offers the sandbox over standard input and output: what a container runs (see hub_docker).

Frames of a length in 8 bytes, least first, and JSON. The first one that comes holds the sandbox's options and
is answered with what became of it; every other one holds a program and its limits, and is answered with its
execution, or with the error that was raised. The end of the input is the end of the sandbox.
"""

import base64
import hashlib
import json
import os
import pickle
import platform
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

PROTOCOL = 1
_LENGTH = struct.Struct("<Q")
_LONGEST = 1 << 30
_WARM_UP = {"source": "def f():\n    return 1\n", "tests": "assert f() == 1\n"}


def main() -> None:
    """Serve until the input ends."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    # What else writes to standard output must not end up between frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with os.fdopen(os.dup(0), "rb") as requests, answers:
        serve(requests, answers)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Open a sandbox as the first frame says, and run what the others hold."""
    from hub.errors import HubError
    from hub.sandbox import Limits
    from hub_local.sandbox import LocalSandbox

    options = _receive(requests)
    if options is None:
        return
    try:
        sandbox = LocalSandbox(**options)
    except (HubError, TypeError) as error:
        _send(answers, {"refused": str(error), "kind": type(error).__name__})
        return
    try:
        sandbox.run(_program(_WARM_UP), Limits())
        _send(answers, {"ready": True, "protocol": PROTOCOL, "code": code_digest(), **_about(sandbox)})
        while (request := _receive(requests)) is not None:
            try:
                execution = sandbox.run(_program(request["program"]), Limits(**request["limits"]))
                answer: dict[str, Any] = {"execution": {**vars(execution), "info": dict(execution.info)}}
            except HubError as error:
                answer = {"error": type(error).__name__, "message": str(error)}
            except Exception as error:  # a defect here is no verdict, and must not end it for who comes next
                message = f"{type(error).__name__}: {error}"
                answer = {"error": "SandboxUnavailable", "message": message}
            _send(answers, answer)
    finally:
        sandbox.close()


def _about(sandbox: Any) -> dict[str, Any]:
    layers = [[layer.name, layer.active, layer.detail] for layer in sandbox.describe()]
    return {"tier": sandbox.tier, "python": platform.python_version(), "layers": layers}


def code_digest() -> str:
    """Return what tells this code from any other: the SHA-256 of its files, in order of their names."""
    import hub.errors

    hashed = hashlib.sha256()
    core = Path(hub.errors.__file__).parent
    files = [*sorted(Path(__file__).parent.glob("*.py")), *(core / f"{n}.py" for n in ("errors", "sandbox"))]
    for file in files:
        hashed.update(f"{file.name}\0".encode() + file.read_bytes())
    return hashed.hexdigest()


def _program(given: dict[str, Any]) -> Any:
    from hub.errors import BadInput
    from hub.sandbox import Case, Program

    given = dict(given)
    packed = given.pop("cases", "")
    try:
        # Pickled by whoever started this process, who could have it run anything.
        cases = pickle.loads(base64.b64decode(packed)) if packed else ()
    except (ImportError, AttributeError) as error:
        raise BadInput(f"the cases hold what the sandbox does not have: {error}") from None
    return Program(**given, cases=tuple(Case(*case) for case in cases))


def _receive(requests: BinaryIO) -> dict[str, Any] | None:
    """Read one frame; None at the end of the input."""
    head = requests.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > _LONGEST:
        return None
    data = requests.read(length)
    if len(data) < length:
        return None
    request: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
    return request


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
    data = json.dumps(answer).encode()
    answers.write(_LENGTH.pack(len(data)) + data)
    answers.flush()


if __name__ == "__main__":
    main()
