"""A small server that speaks SandboxFusion's protocol, and can be told to misbehave."""

import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import hub
from hub.errors import BadInput, SandboxUnavailable
from hub.sandbox import Execution, Limits, Program, Verdict
from hub_sandboxfusion.sandbox import SandboxFusion

# What bytedance/SandboxFusion at 469de08 takes (sandbox/server/sandbox_api.py, RunCodeRequest) and has
# (sandbox/runners/types.py, Language).
FIELDS = {
    "compile_timeout": (int, float),
    "run_timeout": (int, float),
    "memory_limit_MB": (int,),
    "code": (str,),
    "stdin": (str, type(None)),
    "language": (str,),
    "files": (dict,),
    "fetch_files": (list,),
}
LANGUAGES = (
    "python cpp nodejs go go_test java php csharp bash typescript sql rust cuda lua R perl D_ut ruby scala julia "
    "pytest junit kotlin_script jest verilog python_gpu lean swift racket"
).split()


class Server(ThreadingHTTPServer):
    """Takes and gives what the real one does; programs run in the sandbox `local`, for many are hostile."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.requests: list[dict[str, Any]] = []
        self.faults: list[tuple[int, Any, dict[str, str]]] = []
        """Answers to the next requests, instead of running them: status, body, headers."""
        self.box = hub.open_sandbox("local", require=["namespaces"])


class Handler(BaseHTTPRequestHandler):
    """POST /run_code."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/run_code":
            self.answer(404, {"detail": "Not Found"})
            return
        request = json.loads(data)
        self.server.requests.append(request)
        if self.server.faults:
            self.answer(*self.server.faults.pop(0))
            return
        wrong = [key for key, value in request.items() if not isinstance(value, FIELDS.get(key, ()))]
        if wrong or "code" not in request or request.get("language") not in LANGUAGES:
            self.answer(422, {"detail": [{"loc": ["body", *wrong], "msg": "Input should be valid"}]})
            return
        try:
            self.answer(200, self.run(request))
        except BadInput as error:
            self.answer(422, {"detail": str(error)})

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run it behind walls, which the real server does not have as it comes."""
        language = {"nodejs": "javascript"}.get(request["language"], request["language"])
        program = Program(request["code"], language, stdin=request.get("stdin") or "")
        done = self.server.box.run(program, Limits(wall_s=request["run_timeout"], memory_mb=1024))
        if done.verdict is Verdict.ERROR and done.info.get("step") == "compile":
            return self.response(result(done), None)
        return self.response(None if language == "python" else dict(COMPILED), result(done))

    @staticmethod
    def response(compiled: dict[str, Any] | None, ran: dict[str, Any] | None) -> dict[str, Any]:
        results = [each for each in (compiled, ran) if each is not None]
        good = all(each["status"] == "Finished" and each["return_code"] == 0 for each in results)
        return {
            "status": "Success" if good else "Failed",
            "message": "",
            "compile_result": compiled,
            "run_result": ran,
            "executor_pod_name": None,
            "files": {},
        }

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


COMPILED = {"status": "Finished", "execution_time": 0.1, "return_code": 0, "stdout": "", "stderr": ""}


def result(done: Execution) -> dict[str, Any]:
    """Return an execution as the real server does: CommandRunResult of sandbox/runners/types.py."""
    name = done.info.get("signal", "")
    ended_by = -int(name.removeprefix("signal ") if " " in name else signal.Signals[name]) if name else None
    # The real server reads when a program has ended: one that prints more than its pipes hold never ends.
    late = done.verdict in (Verdict.TIMEOUT, Verdict.OUTPUT_LIMIT)
    return {
        "status": "TimeLimitExceeded" if late else "Finished",
        "execution_time": done.wall_s,
        "return_code": None if late else ended_by if done.exit_code is None else done.exit_code,
        "stdout": done.stdout[: 1 << 20],
        "stderr": done.stderr[: 1 << 20],
    }


@pytest.fixture(scope="session")
def fusion() -> Iterator[Server]:
    """A server for the whole session."""
    try:
        server = Server()
    except SandboxUnavailable as error:
        pytest.skip(f"needs namespaces, for hostile programs run on the server: {error}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    server.box.close()


@pytest.fixture
def server(fusion: Server) -> Server:
    """The same server, with no faults and no requests yet."""
    fusion.faults.clear()
    fusion.requests.clear()
    return fusion


@pytest.fixture
def client(server: Server) -> Iterator[SandboxFusion]:
    """A client that does not wait long before it tries again."""
    sandbox = SandboxFusion(server.url, wait_s=0.01)
    yield sandbox
    sandbox.close()
