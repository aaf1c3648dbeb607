"""What the documentation shows as distributions, pip can install: the first plugin, and the page of hooks."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def block(page: str, name: str) -> str:
    found = re.search(rf"^```\w+ file={re.escape(name)}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no block for {name}"
    return found[1]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("hub_exact.py", "pyproject.toml"):
        (folder / name).write_text(block(page, f"first/{name}"), encoding="utf-8")
    return folder


def test_they_are_as_short_as_they_are_said_to_be(sources: Path) -> None:
    lengths = {
        path.name: sum(1 for line in path.read_text().splitlines() if line.strip())
        for path in sources.iterdir()
    }
    assert lengths == {"hub_exact.py": 8, "pyproject.toml": 6}


def test_pip_installs_them_and_the_reward_has_a_name(sources: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(site), str(sources)], check=True)
    (tmp_path / "data.jsonl").write_text('{"completion": "so\\n4", "answer": "4"}\n')
    scored = subprocess.run(
        [
            Path(sys.executable).parent / "hub",
            "score",
            "--reward",
            "exact",
            "--json",
            tmp_path / "data.jsonl",
        ],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["score"] == 1.0


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """The distribution of the examples of docs/plugins.md, with files beside it that do not belong to it."""
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    folder = tmp_path / "demo"
    folder.mkdir()
    for name in re.findall(r"^```\w+ file=([^/\n]+)$", page, re.MULTILINE):
        (folder / name).write_text(block(page, name), encoding="utf-8")
    return folder


def test_pip_installs_the_modules_of_the_hooks_and_nothing_else(demo: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(site), str(demo)], check=True)
    modules = {path.name for path in site.glob("*.py")}
    assert modules == {path.name for path in demo.glob("demo_*.py")}
    listed = subprocess.run(
        [Path(sys.executable).parent / "hub", "plugins", "--json"],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    plugins = [plugin for plugin in json.loads(listed.stdout) if plugin["distribution"] == "hub-demo"]
    assert sorted(kind for plugin in plugins for kind in plugin["offers"]) == [
        "benchmark", "command", "engine", "generator", "reward", "sandbox", "trainer",
    ]  # fmt: skip
