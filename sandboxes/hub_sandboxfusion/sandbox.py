"""The sandbox `sandboxfusion`: programs run on a server; what they printed and returned is judged here."""

import os
import secrets
import threading
from typing import Any

from hub.errors import BadInput, OptionError, SandboxOverloaded, SandboxUnavailable
from hub.sandbox import Case, Execution, Layer, Limits, Program, Verdict, same_output
from hub_sandboxfusion import driver
from hub_sandboxfusion.client import Client

LARGEST_SOURCE = 16 << 20
LANGUAGES = {
    "python": "python",
    "cpp": "cpp",
    "javascript": "nodejs",
    **{name: name for name in "go java php csharp bash typescript rust lua R perl ruby scala julia".split()},
}
"""Names here and of the server (its `Language`; what it really has, its image decides)."""
ALIASES = {
    "py": "python",
    "python3": "python",
    "c++": "cpp",
    "js": "javascript",
    "node": "javascript",
    "r": "R",
}
_HELD = 131_000
"""Characters of a stream that the server holds: it reads on when a program has ended, so more stops it."""


class SandboxFusion:
    """Runs programs on a server that speaks SandboxFusion's protocol.

    What a program must print or return is never sent, and compared here: a program cannot read it, nor forge
    the comparing. Tests in code are refused, for the server would run them in the program's own process. The
    walls are the server's: as it comes, SandboxFusion has none (`isolation: none`), and a program that takes
    the server over can answer for others. Run it where that is bearable.

    Args:
        url: where the server is; None: what SANDBOX_FUSION_ENDPOINT says.
        slots: programs that are sent at once.
        retries: how often a program is sent again where the server or the network failed.
        wait_s: seconds before it is first sent again, doubled each time.
        headers: sent with every request, e.g. {"Authorization": "Bearer …"}.
        queue_s: seconds that a program waits here for its turn, and beyond its limits for an answer.

    Raises:
        OptionError: no address, or an option that makes no sense.
        MissingDependency: httpx is not installed.
    """

    def __init__(
        self,
        url: str | None = None,
        slots: int = 16,
        retries: int = 3,
        wait_s: float = 0.5,
        headers: dict[str, str] | None = None,
        queue_s: float = 60.0,
    ) -> None:
        url = url or os.environ.get("SANDBOX_FUSION_ENDPOINT")
        if not url or not url.startswith(("http://", "https://")):
            raise OptionError(
                "sandbox sandboxfusion: give `url`, the server's address like http://127.0.0.1:8080, or set "
                "SANDBOX_FUSION_ENDPOINT"
            )
        if slots < 1 or retries < 0 or wait_s < 0 or queue_s < 0:
            raise OptionError("sandbox sandboxfusion: slots is at least 1, and nothing is negative")
        self.queue_s = queue_s
        self._pid = os.getpid()
        self._closed = False
        self._turns = threading.BoundedSemaphore(slots)
        self._client = Client(url, retries, wait_s, headers or {}, slots)

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run one program on the server, to its end or to a limit.

        Raises:
            SandboxUnavailable: the server cannot be reached or fails, again and again; or this was closed.
            SandboxOverloaded: the server has no capacity, or too many programs wait here.
            BadInput: tests in code, an unknown language, text that cannot be sent.
        """
        if self._closed or os.getpid() != self._pid:
            raise SandboxUnavailable("the sandbox is closed, or was opened in another process; open one here")
        language = _language(program)
        if language != "python" and not _is_text(program.source):
            return Execution(Verdict.ERROR, stderr="the program's text is not UTF-8: it has lone surrogates")
        mark = f"hub-{secrets.token_hex(16)} "
        request = _request(program, limits, language, mark)
        if not self._turns.acquire(timeout=self.queue_s):
            raise SandboxOverloaded(f"{self.queue_s:g} s went by before the program could be sent")
        try:
            seconds = request["compile_timeout"] + request["run_timeout"] + self.queue_s
            answer = self._client.run_code(request, seconds)
        finally:
            self._turns.release()
        return _judge(program, limits, answer, mark)

    def describe(self) -> list[Layer]:
        """Say that the walls are the server's."""
        return [
            Layer("server", True, f"{self._client.url}: what isolates programs is its operator's choice"),
            Layer("languages", True, f"what the server's image has of: {', '.join(LANGUAGES)}"),
            Layer("tests apart from the program", False, "the protocol has no way to run them: refused"),
        ]

    def close(self) -> None:
        """End the connections; what runs is lost."""
        self._closed = True
        if os.getpid() == self._pid:
            self._client.close()


def _language(program: Program) -> str:
    """Return the server's name of the language, if the program can be judged there.

    Raises:
        BadInput: it cannot.
    """
    if program.tests is not None:
        raise BadInput(
            "the sandbox sandboxfusion runs no tests in code: they would run in the program's own process, "
            "which could forge the verdict. Use the sandbox local or docker, or judge by cases or by output"
        )
    for text in (program.source, program.stdin, program.expected_stdout or ""):
        if len(text) > LARGEST_SOURCE:
            raise BadInput(f"a program's text or input of more than {LARGEST_SOURCE} characters")
    if not _is_text(program.stdin):
        raise BadInput("a program's input has lone surrogates: the server takes UTF-8")
    name = ALIASES.get(program.language.lower(), program.language.lower())
    if name not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise BadInput(f"the sandbox has no language {program.language!r}; it has: {known}")
    if program.cases and name != "python":
        raise BadInput(f"cases are for Python; a program in {name} is judged by what it prints")
    return LANGUAGES[name]


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _request(program: Program, limits: Limits, language: str, mark: str) -> dict[str, Any]:
    code = program.source
    if program.cases:
        code = driver.calls(code, program.entry_point or "solution", program.cases, mark, limits)
    elif language == "python":
        code = driver.script(code, limits)
    return {
        "code": code,
        "language": language,
        "stdin": program.stdin,
        "compile_timeout": max(20.0, limits.wall_s),
        "run_timeout": limits.wall_s,
        # The server would also make it the size of every thread's stack; the driver knows better.
        "memory_limit_MB": -1 if language == "python" else limits.memory_mb,
    }


def _judge(program: Program, limits: Limits, answer: dict[str, Any], mark: str) -> Execution:
    compiled, ran = _result(answer, "compile_result"), _result(answer, "run_result")
    info: dict[str, Any] = {"walls": "the server's"}
    if ran is None:
        if compiled is None:
            raise SandboxUnavailable("the sandbox server answered without a result")
        stdout, stderr = _cut(compiled, limits)
        return Execution(Verdict.ERROR, stdout, stderr, compiled["return_code"], 0.0, {"step": "compile"})
    printed, found = ran["stdout"], None
    if program.cases:
        printed, found = driver.answers(printed, mark)
    stdout, stderr = _cut({**ran, "stdout": printed}, limits)
    verdict = _ended(ran)
    if (
        len(printed.encode("utf-8", "replace")) + len(ran["stderr"].encode("utf-8", "replace"))
        > limits.output_bytes
    ):
        verdict = Verdict.OUTPUT_LIMIT
    elif verdict is Verdict.TIMEOUT and max(len(printed), len(ran["stderr"])) > _HELD:
        if len(printed) > _HELD and (program.expected_stdout or "").startswith(printed):
            raise SandboxUnavailable(
                f"the server stops programs that print more than {_HELD} characters, as this one must: use "
                "another sandbox for it"
            )
        verdict = Verdict.OUTPUT_LIMIT
    if verdict is None and program.expected_stdout is not None:
        same = same_output(printed.encode("utf-8", "surrogatepass"), program.expected_stdout, program.compare)
        verdict = Verdict.PASSED if same else Verdict.FAILED
    if program.cases and verdict is None:
        verdict, more = _compared(program.cases, found)
        info.update(more)
    code = ran["return_code"]
    return Execution(verdict or Verdict.PASSED, stdout, stderr, code, ran["execution_time"], info)


def _compared(cases: tuple[Case, ...], found: list[tuple[str, Any]] | None) -> tuple[Verdict, dict[str, Any]]:
    if found is None:
        return Verdict.ERROR, {
            "passed": 0,
            "cases": len(cases),
            "detail": "the program ended before its calls did",
        }
    passed = sum(
        kind == "value" and _equal(value, case.expected)
        for (kind, value), case in zip(found, cases, strict=False)
    )
    info: dict[str, Any] = {"passed": passed, "cases": len(cases)}
    raised = [str(value) for kind, value in found if kind == "raised"]
    if raised:
        verdict = Verdict.MEMORY if raised[0] == "MemoryError" else Verdict.ERROR
        return verdict, {**info, "detail": raised[0]}
    return (Verdict.PASSED if passed == len(cases) else Verdict.FAILED), info


def _equal(value: Any, expected: Any) -> bool:
    try:
        return bool(value == expected)
    except Exception:  # an expected value's own
        return False


def _ended(ran: dict[str, Any]) -> Verdict | None:
    """Return the verdict that a program's end gives; None where it ended well."""
    if ran["status"] == "TimeLimitExceeded":
        return Verdict.TIMEOUT
    code = ran["return_code"]
    if code == 0:
        return None
    if code in (-9, 137, -31, 159):
        return Verdict.KILLED
    return Verdict.MEMORY if "MemoryError" in ran["stderr"][-300:] else Verdict.ERROR


def _result(answer: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return the result of a step with every field; None where the step was not taken.

    Raises:
        SandboxUnavailable: it is not of the protocol's form.
    """
    given = answer.get(name)
    if given is None:
        return None
    code = given.get("return_code") if isinstance(given, dict) else None
    known = isinstance(given, dict) and given.get("status") in ("Finished", "TimeLimitExceeded")
    took = given.get("execution_time") or 0.0 if isinstance(given, dict) else None
    if (
        not known
        or not isinstance(took, int | float)
        or (given["status"] == "Finished" and type(code) is not int)
    ):
        raise SandboxUnavailable(f"the sandbox server answered a {name} of no known form")
    return {
        "status": given["status"],
        "return_code": code,
        "stdout": str(given.get("stdout") or ""),
        "stderr": str(given.get("stderr") or ""),
        "execution_time": float(took),
    }


def _cut(ran: dict[str, Any], limits: Limits) -> tuple[str, str]:
    stdout = ran["stdout"].encode("utf-8", "replace")[: limits.output_bytes]
    stderr = ran["stderr"].encode("utf-8", "replace")[: limits.output_bytes - len(stdout)]
    return stdout.decode(errors="ignore"), stderr.decode(errors="ignore")
