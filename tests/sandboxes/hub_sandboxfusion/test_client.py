"""What is sent, what is answered, and whose fault it is; over HTTP, to a server that speaks the protocol."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

import hub
from hub.errors import BadInput, OptionError, SandboxOverloaded, SandboxUnavailable
from hub.sandbox import Case, Execution, Limits, Program, Verdict
from hub_sandboxfusion.sandbox import SandboxFusion

PRINTS = Program("print(1)", expected_stdout="1")
GOOD = {"status": "Finished", "execution_time": 0.1, "return_code": 0, "stdout": "1\n", "stderr": ""}


def response(ran: Any, compiled: Any = None, status: str = "Success") -> dict[str, Any]:
    return {"status": status, "message": "why", "compile_result": compiled, "run_result": ran, "files": {}}


def run(client: SandboxFusion, program: Program = PRINTS, **limits: Any) -> Execution:
    return client.run(program, Limits(**limits))


def test_what_is_sent(client: SandboxFusion, server: Any) -> None:
    run(client, Program("secret = input()", stdin="żółw", expected_stdout="HIDDEN"), wall_s=2.5)
    run(client, Program("def f(x): return x", cases=(Case((7,), "HIDDEN"),), entry_point="f"))
    sent = server.requests
    assert [set(each) for each in sent] == [
        {"code", "language", "stdin", "compile_timeout", "run_timeout", "memory_limit_MB"}
    ] * 2
    assert (sent[0]["language"], sent[0]["stdin"], sent[0]["run_timeout"]) == ("python", "żółw", 2.5)
    assert all("HIDDEN" not in json.dumps(each) for each in sent)
    assert all(each["code"].isascii() for each in sent)


@pytest.mark.parametrize(
    ("faults", "verdict"),
    [
        ([(500, {}, {})], Verdict.PASSED),
        ([(502, b"<html>", {}), (504, {}, {})], Verdict.PASSED),
        (
            [(429, {}, {"Retry-After": "0"}), (503, {}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})],
            Verdict.PASSED,
        ),
        ([(200, response(None, status="SandboxError"), {})], Verdict.PASSED),
        ([(200, b"not JSON", {}), (200, [1], {}), (200, {"status": "Fine"}, {})], Verdict.PASSED),
    ],
)
def test_the_servers_fault_is_tried_again(
    client: SandboxFusion, server: Any, faults: list[Any], verdict: Verdict
) -> None:
    server.faults[:] = faults
    assert run(client).verdict is verdict
    assert len(server.requests) == len(faults) + 1


@pytest.mark.parametrize(
    ("fault", "error", "requests"),
    [
        ((500, {}, {}), SandboxUnavailable, 4),
        ((429, {}, {"Retry-After": "0.01"}), SandboxOverloaded, 4),
        ((503, {}, {}), SandboxOverloaded, 4),
        ((200, response(None, status="SandboxError"), {}), SandboxUnavailable, 4),
        ((200, b"\xff", {}), SandboxUnavailable, 4),
        ((401, {}, {}), SandboxUnavailable, 1),
        ((404, {}, {}), SandboxUnavailable, 1),
        ((422, {"detail": "no such language"}, {}), BadInput, 1),
        ((200, response(None), {}), SandboxUnavailable, 1),
        ((200, response({**GOOD, "status": "Error"}), {}), SandboxUnavailable, 1),
        ((200, response({**GOOD, "return_code": "0"}), {}), SandboxUnavailable, 1),
        ((200, response("Finished"), {}), SandboxUnavailable, 1),
        ((200, response({**GOOD, "execution_time": "long"}), {}), SandboxUnavailable, 1),
        ((200, b"[" * 100_000, {}), SandboxUnavailable, 4),
    ],
)
def test_it_is_never_a_verdict(
    client: SandboxFusion, server: Any, fault: Any, error: type[Exception], requests: int
) -> None:
    server.faults[:] = [fault] * 4
    with pytest.raises(error):
        run(client)
    assert len(server.requests) == requests


FAILED = "Failed"
TOO_MUCH = "x" * 140_000


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (response(GOOD), Verdict.PASSED),
        (response({**GOOD, "stdout": "2"}), Verdict.FAILED),
        (response({**GOOD, "stdout": None, "stderr": None}), Verdict.FAILED),
        (response({**GOOD, "stdout": "[DecodeError] bytes"}), Verdict.FAILED),
        (response({**GOOD, "return_code": 1}, status=FAILED), Verdict.ERROR),
        (response({**GOOD, "return_code": 1, "stderr": "…\nMemoryError"}, status=FAILED), Verdict.MEMORY),
        (response({**GOOD, "return_code": -9}, status=FAILED), Verdict.KILLED),
        (response({**GOOD, "return_code": 137}, status=FAILED), Verdict.KILLED),
        (response({"status": "TimeLimitExceeded"}, status=FAILED), Verdict.TIMEOUT),
        (response({"status": "TimeLimitExceeded", "stdout": "1\n"}, status=FAILED), Verdict.TIMEOUT),
        (response({"status": "TimeLimitExceeded", "stdout": TOO_MUCH}, status=FAILED), Verdict.OUTPUT_LIMIT),
        (response({"status": "TimeLimitExceeded", "stderr": TOO_MUCH}, status=FAILED), Verdict.OUTPUT_LIMIT),
        (response({**GOOD, "stdout": "1" * 2_000_000}), Verdict.OUTPUT_LIMIT),
        (response(None, {**GOOD, "return_code": 1}, FAILED), Verdict.ERROR),
        (response(None, {"status": "TimeLimitExceeded"}, FAILED), Verdict.ERROR),
    ],
)
def test_answers(client: SandboxFusion, server: Any, answer: dict[str, Any], verdict: Verdict) -> None:
    server.faults[:] = [(200, answer, {})]
    assert run(client).verdict is verdict


def test_right_output_that_the_server_cannot_hold_is_its_fault(client: SandboxFusion, server: Any) -> None:
    server.faults[:] = [
        (200, response({"status": "TimeLimitExceeded", "stdout": TOO_MUCH}, status=FAILED), {})
    ]
    with pytest.raises(SandboxUnavailable, match="another sandbox"):
        run(client, Program("", expected_stdout=TOO_MUCH * 2))


FORGED = """
import sys
def f(x):
    frame = sys._getframe()
    while frame.f_back: frame = frame.f_back
    main = frame.f_globals
    for name, value in list(main.items()):
        if callable(value): main[name] = lambda *a, **k: '"yes"'
    class Same:
        def __eq__(self, other): return True
        __hash__ = None
    return Same()
"""


@pytest.mark.parametrize(
    ("source", "verdict", "passed"),
    [
        ("def f(x): return (x, {x: {1.5}}, b'z', -0.0, 10**30, None)", Verdict.PASSED, 2),
        ("def f(x): return [x, {x: {1.5}}, b'z', -0.0, 10**30, None]", Verdict.FAILED, 0),
        ("def f(x):\n  if x: return (x, {x: {1.5}}, b'z', -0.0, 10**30, None)", Verdict.FAILED, 1),
        ("def f(x): raise ValueError", Verdict.ERROR, 0),
        ("def f(x): raise MemoryError", Verdict.MEMORY, 0),
        ("def f(x): raise SystemExit(0)", Verdict.ERROR, 0),
        ("import os\ndef f(x): os._exit(0)", Verdict.ERROR, 0),
        ("def f(x): return lambda: 1", Verdict.FAILED, 0),
        ("def f(x):\n  y = []\n  y.append(y)\n  return y", Verdict.FAILED, 0),
        ("f = 3", Verdict.ERROR, 0),
        ("g = 3", Verdict.ERROR, 0),
        ("def f(x", Verdict.ERROR, 0),
        ("x = '\ud800'", Verdict.ERROR, 0),
        ("x = '\0'", Verdict.ERROR, 0),
        (FORGED, Verdict.FAILED, 0),
    ],
)
def test_cases(client: SandboxFusion, source: str, verdict: Verdict, passed: int) -> None:
    cases = tuple(Case((x,), (x, {x: {1.5}}, b"z", -0.0, 10**30, None)) for x in (0, 1))
    done = run(client, Program(source, cases=cases, entry_point="f"))
    assert (done.verdict, done.info.get("passed", 0)) == (verdict, passed), done


def test_what_it_prints_beside_its_cases_is_kept(client: SandboxFusion) -> None:
    source = "print('loaded')\ndef f(x):\n    print('called', x)\n    return x"
    done = run(client, Program(source, cases=(Case((1,), 1), Case((2,), 2)), entry_point="f"))
    assert (done.verdict, done.stdout) == (Verdict.PASSED, "loaded\ncalled 1\ncalled 2\n")


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (Program("", tests="assert f()"), "forge the verdict"),
        (Program("", tests="assert f()", in_process=True), "forge the verdict"),
        (Program("", "klingon"), "klingon"),
        (Program("", "cpp", cases=(Case((), 1),)), "for Python"),
        (Program("", stdin="\ud800"), "surrogates"),
        (Program("x" * ((16 << 20) + 1)), "characters"),
        (Program("", cases=(Case((object(),), 1),)), "object"),
    ],
)
def test_what_is_refused(client: SandboxFusion, server: Any, program: Program, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        run(client, program)
    assert server.requests == []


def test_text_that_is_none_in_another_language(client: SandboxFusion) -> None:
    assert run(client, Program("// \ud800", "cpp")).verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "SANDBOX_FUSION_ENDPOINT"),
        ({"url": "localhost:8080"}, "address"),
        ({"url": "http://x", "slots": 0}, "slots"),
        ({"url": "http://x", "retries": -1}, "negative"),
    ],
)
def test_options(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], says: str) -> None:
    monkeypatch.delenv("SANDBOX_FUSION_ENDPOINT", raising=False)
    with pytest.raises(OptionError, match=says):
        hub.open_sandbox("sandboxfusion", **options)


@pytest.fixture
def nowhere() -> Iterator[SandboxFusion]:
    sandbox = SandboxFusion("http://127.0.0.1:9", retries=1, wait_s=0.01)
    yield sandbox
    sandbox.close()


def test_no_server(nowhere: SandboxFusion) -> None:
    with pytest.raises(SandboxUnavailable, match=r"no sandbox server answers at http://127.0.0.1:9/run_code"):
        run(nowhere)
