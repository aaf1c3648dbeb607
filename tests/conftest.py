"""Fixtures that every test can use."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hub

# A shell that starts the tests in the background has them ignore Ctrl-C, and what they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
collect_ignore_glob = ["**/in_*.py"]  # scripts for `in_trainers`, which import what is not installed here


@pytest.fixture
def engine() -> Iterator[hub.Engine]:
    """An engine with two workers, closed at the end."""
    with hub.Engine(2) as engine:
        yield engine


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with benchmark, math and sandbox data; its benchmarks/ is what HUB_DATA names."""
    places = [Path(__file__).resolve().parents[2] / "shared" / "data"]
    if "HUB_DATA" in os.environ:
        places.insert(0, Path(os.environ["HUB_DATA"]).resolve().parent)
    for place in places:
        if (place / "benchmarks").is_dir():
            return place
    pytest.skip("needs the shared data folder: set HUB_DATA to its benchmarks/")


@pytest.fixture(scope="session")
def in_trainers() -> Callable[..., Any]:
    """Runs a script among the trainers that scripts/setup-trainers installs; returns the JSON that it prints last.

    The script's arguments are given as text. It does not import pytest.
    """
    python = Path(__file__).resolve().parents[1] / ".venv-trainers" / "bin" / "python"
    if not python.exists():
        pytest.skip("needs the trainers' own code: run scripts/setup-trainers")

    def run(script: Path, *arguments: object, timeout_s: float = 300.0, **environment: str) -> Any:
        command = [str(python), str(script), *map(str, arguments)]
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
        return json.loads(done.stdout.splitlines()[-1])

    return run
