"""The contract holds what plugins will need: a sandboxed reward, an async judge, a whole mix of them.

The plugins here are installed as a third party's would be: a distribution with an entry point.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import hub
from hub.errors import ConfigError
from hub.plugins import load

PLUGIN = """
import hub
from hub.errors import ConfigError

@hub.hookimpl
def hub_sandboxes():
    yield hub.SandboxPlugin("subprocess", "shop_sandbox:Subprocess", "A plain child process: isolates nothing.")

@hub.hookimpl
def hub_rewards():
    yield hub.Reward("runs", "shop_rewards:Runs", needs=("expected",), timeout_s=20)
    yield hub.Reward("letters-judge", "shop_rewards:Judge", needs=(), timeout_s=5, concurrency=8)
    yield hub.Reward("longest", "shop_rewards:longest", needs=(), per="group")
"""

SANDBOX = """
import subprocess, sys, time
from hub import Execution, Limits, Program, Verdict
from hub.errors import SandboxUnavailable

class Subprocess:
    def __init__(self, python: str = sys.executable) -> None:
        self.python = python
    def run(self, program: Program, limits: Limits) -> Execution:
        start = time.monotonic()
        try:
            done = subprocess.run([self.python, "-I", "-c", program.source], input=program.stdin,
                                  capture_output=True, text=True, timeout=limits.wall_s)
        except FileNotFoundError as error:
            raise SandboxUnavailable(f"no such interpreter: {self.python}") from error
        except subprocess.TimeoutExpired:
            return Execution(Verdict.TIMEOUT, wall_s=limits.wall_s)
        passed = program.expected_stdout is None or done.stdout == program.expected_stdout
        verdict = Verdict.ERROR if done.returncode else Verdict.PASSED if passed else Verdict.FAILED
        return Execution(verdict, done.stdout, done.stderr, done.returncode, time.monotonic() - start)
    def close(self) -> None:
        pass
"""

REWARDS = '''
import hub
from hub.errors import ConfigError

class Runs:
    """1.0 where the program prints what is expected."""
    def __init__(self, sandbox: str, wall_s: float = 5.0, python: str = "") -> None:
        self.sandbox = hub.open_sandbox(sandbox, **({"python": python} if python else {}))
        self.limits = hub.Limits(wall_s=wall_s)
    def __call__(self, sample: hub.Sample) -> hub.Score:
        program = hub.Program(sample.text, expected_stdout=sample["expected"])
        done = self.sandbox.run(program, self.limits)
        return hub.Score(float(done.verdict is hub.Verdict.PASSED), reason=done.verdict)

class Judge:
    """Asks a server."""
    def __init__(self, url: str) -> None:
        self.url, self.client = url, None
    async def __call__(self, sample: hub.Sample) -> hub.Score:
        import httpx
        if self.client is None:
            self.client = httpx.AsyncClient()
        try:
            answer = await self.client.post(self.url, json={"text": sample.text})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            return hub.Score.failed("unavailable", f"{type(error).__name__}: {error}")
        return hub.Score(answer.json()["rating"] / 10, info={"judge": "counts letters"})

def longest(samples):
    """1.0 for the longest completion of each prompt."""
    most = max(len(sample.text) for sample in samples)
    return [float(len(sample.text) == most) for sample in samples]
'''


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a distribution with these plugins for the time of one test."""
    info = tmp_path / "hub_shop-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hub-shop\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text("[hub]\nshop = shop_plugin\n")
    for name, source in {"plugin": PLUGIN, "sandbox": SANDBOX, "rewards": REWARDS}.items():
        (tmp_path / f"shop_{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    load.cache_clear()
    yield tmp_path
    load.cache_clear()


class _Rating(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
        self.send_response(500 if "crash" in text else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"rating": min(10, len(text))}).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Rating) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


PROGRAMS = {
    "print('yes')": 1.0,
    "print('no')": 0.0,
    "raise SystemExit(3)": 0.0,
    "while True: pass": 0.0,
}


def test_a_sandboxed_reward(shop: Path, engine: hub.Engine) -> None:
    mix = hub.Mix({"runs": {"with": {"sandbox": "subprocess", "wall_s": 1.0}}})
    samples = [hub.Sample("", program, {"expected": "yes\n"}) for program in PROGRAMS]
    results = mix.score(samples, engine=engine)
    assert [result.value for result in results] == list(PROGRAMS.values())
    assert [r.scores["runs"].reason for r in results] == ["passed", "failed", "error", "timeout"]


def test_a_sandbox_that_is_not_there_is_nobodys_zero(shop: Path, engine: hub.Engine) -> None:
    mix = hub.Mix({"runs": {"with": {"sandbox": "subprocess", "python": "/no/such/python"}}})
    (result,) = mix.score([hub.Sample("", "print('yes')", {"expected": "yes\n"})], engine=engine)
    score = result.scores["runs"]
    assert (score.value, score.reason, score.fault) == (None, "unavailable", "infrastructure")
    unknown = hub.Mix({"runs": {"with": {"sandbox": "subproces"}}})
    with pytest.raises(ConfigError, match="did you mean 'subprocess'"):
        unknown.warm(engine)


def test_an_async_judge_beside_the_others(shop: Path, server: str, engine: hub.Engine) -> None:
    mix = hub.Mix(
        {
            "letters-judge": {"weight": 1.0, "with": {"url": server}},
            "longest": 0.5,
            "runs": {"weight": 2.0, "with": {"sandbox": "subprocess"}, "gate": "longest == 1"},
        },
        on_failure="drop",
    )
    assert mix.groupwise == ("longest",)
    texts = ["print(1)", "print('yes')", "crash", "print('yes')#"]
    samples = [hub.Sample(str(n // 2), text, {"expected": "yes\n"}) for n, text in enumerate(texts)]
    mix.check({**sample.columns} for sample in samples)
    mix.warm(engine)
    results = mix.score(samples, engine=engine)
    assert [result.value for result in results] == pytest.approx([0.8, 1.0 + 0.5 + 2.0, 0.0, 3.5])
    failed = results[2].scores["letters-judge"]
    assert (failed.reason, failed.fault) == ("unavailable", "infrastructure")
    assert results[0].scores["runs"].reason == "gated"
    origin = load().rewards["letters-judge"].origin
    assert str(origin) == "hub-shop 0.3"


def test_a_missing_column_is_found_before_anything_runs(shop: Path) -> None:
    mix = hub.Mix({"runs": {"with": {"sandbox": "subprocess"}}})
    with pytest.raises(ConfigError, match=r"row 1 has no column 'expected'.*map"):
        mix.check([{"answer": "yes"}])
