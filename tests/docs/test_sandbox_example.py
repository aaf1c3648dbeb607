"""The sandbox that the documentation shows gives a verdict on whatever a model may write."""

import re
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.target import load_file

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {
    "right": ("print(42)", "passed"),
    "wrong": ("print(43)", "failed"),
    "an exception": ("1 / 0", "error"),
    "no program": ("It is 42.", "error"),
    "nothing": ("", "failed"),
    "lone surrogates": ("print(42) # \ud800\udfff", "passed"),
    "a NUL character": ("print(42)\0", "error"),
    "200 kB": ("#" * 200_000 + "\nprint(42)", "passed"),
    "2 MB": ("#" * 2_000_000 + "\nprint(42)", "passed"),
    "output that is no UTF-8": ("import os; os.write(1, b'42\\xff\\n')", "failed"),
    "an endless loop": ("while True: pass", "timeout"),
    "endless output": ("while True: print('x' * 1000)", "output_limit"),
    "endless errors": ("import sys\nwhile True: sys.stderr.write('x' * 1000)", "output_limit"),
    "much memory": ("x = bytearray(1 << 30)", "memory"),
    "a fault": ("import os; os.kill(os.getpid(), 11)", "killed"),
    "an exit": ("import os; os._exit(3)", "error"),
    "a child that goes on": (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(5)']); print(42)",
        "passed",
    ),
    "its folder removed": ("import os, shutil; shutil.rmtree(os.getcwd()); print(42)", "passed"),
    "its folder closed": ("import os; os.mkdir('x'); os.chmod('.', 0); print(42)", "passed"),
    "deep brackets": ("(" * 5_000, "error"),
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("bare") / "demo_bare.py"
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"^```python file=demo_bare.py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    file.write_text(source)
    return load_file(str(file)).Bare()


@pytest.mark.parametrize("name", PROGRAMS)
def test_verdicts(sandbox: hub.Sandbox, name: str) -> None:
    source, verdict = PROGRAMS[name]
    seconds = 0.5 if verdict == "timeout" else 30.0
    limits = hub.Limits(wall_s=seconds, memory_mb=100, output_bytes=10_000)
    done = sandbox.run(hub.Program(source, expected_stdout="42\n"), limits)
    assert done.verdict == verdict, done
    assert len(done.stdout) <= limits.output_bytes
