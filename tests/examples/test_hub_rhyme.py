"""The example distribution, as its users meet it: wheels in a clean environment, nothing of this checkout."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "hub-rhyme"
CORE = ("click", "cloudpickle", "pluggy", "rich")
POEMS = [
    {"prompt": "A couplet.", "completion": "Above the lake there hung a moon,\nand it was gone too soon."},
    {"prompt": "A couplet.", "completion": "Above the lake there hung a moon.\nIt was made of cheese."},
]


def run(*command: str | Path, folder: Path) -> str:
    kept = ("PATH", "HOME", "TMPDIR", "LANG")
    environment = {name: os.environ[name] for name in os.environ if name in kept or name.startswith("PIP_")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheels of the hub and of the example; its bin folder."""
    folder = tmp_path_factory.mktemp("clean")
    for source in (ROOT, EXAMPLE):
        run(
            *(sys.executable, "-m", "build", "--wheel", "--no-isolation"),
            *("--outdir", folder / "wheels", source),
            folder=folder,
        )
    venv.create(folder / "env", with_pip=True)
    pip = (folder / "env" / "bin" / "python", "-m", "pip", "install", "--quiet")
    wheels = sorted((folder / "wheels").glob("*.whl"))
    assert [wheel.name.split("-")[0] for wheel in wheels] == ["hub_rhyme", "posttrain_hub"]
    run(*pip, "--no-deps", *wheels, folder=folder)
    run(*pip, "-c", ROOT / "constraints.txt", *CORE, "pytest", folder=folder)
    return folder / "env" / "bin"


def test_it_scores(clean: Path, tmp_path: Path) -> None:
    (tmp_path / "poems.jsonl").write_text("".join(json.dumps(poem) + "\n" for poem in POEMS))
    printed = run(clean / "hub", "score", "--reward", "rhyme", "--json", "poems.jsonl", folder=tmp_path)
    assert [json.loads(line)["score"] for line in printed.splitlines()] == [1.0, 0.0]


def test_it_is_listed_with_its_distribution(clean: Path, tmp_path: Path) -> None:
    listed = json.loads(run(clean / "hub", "plugins", "--json", folder=tmp_path))
    (rhyme,) = (plugin for plugin in listed if plugin["name"] == "rhyme")
    facts = {key: rhyme[key] for key in ("distribution", "version", "offers", "problems")}
    assert facts == {
        "distribution": "hub-rhyme",
        "version": "0.1.0",
        "offers": {"reward": ["rhyme"]},
        "problems": [],
    }


def test_nothing_that_ships_needs_more_than_the_core_to_be_listed(clean: Path, tmp_path: Path) -> None:
    listed = json.loads(run(clean / "hub", "plugins", "--json", folder=tmp_path))
    assert {plugin["name"]: plugin["problems"] for plugin in listed if plugin["problems"]} == {}


def test_its_own_tests_pass(clean: Path, tmp_path: Path) -> None:
    tests = EXAMPLE / "tests"
    command = (clean / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tests, tests)
    assert "passed" in run(*command, folder=tmp_path)
