"""`hub leaderboard` as a script and a person use it: exit codes, JSON, what is wrong in one line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BOARD = 'title = "Numbers"\n[[benchmark]]\nuse = "many"\noptions = { count = 5 }\n'


@pytest.fixture(scope="module")
def folder(make_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("command")
    (root / "board.toml").write_text(BOARD)
    for name, count in (("a", 5), ("b", 5), ("short", 3)):
        make_run(root / "runs" / name, name, lambda n: n > 0, options={"count": count})
    return root


def leaderboard(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("hub")), "leaderboard", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_script_reads_the_ranking(folder: Path) -> None:
    done = leaderboard(folder, "show", "board.toml", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    ranking = json.loads(done.stdout)
    assert [(row["model"], row["ranks"], row["score"]) for row in ranking["rows"]] == [
        ("a", [1, 2], 0.8),
        ("b", [1, 2], 0.8),
    ]
    (cell,) = ranking["rows"][0]["benchmarks"]
    assert (cell["path"], cell["failed"], cell["coverage"], cell["imported"]) == ("runs/a", 0, 1.0, None)
    assert [one["path"] for one in ranking["not_ranked"]] == ["runs/short"]
    assert [(pair["first"], pair["differs"]) for pair in ranking["pairs"]] == [("a", False)]


def test_the_boards_that_ship_are_listed(folder: Path) -> None:
    boards = json.loads(leaderboard(folder, "list", "--json").stdout)
    assert {"name": "code", "combine": "mean", "benchmarks": ["humaneval", "mbpp"]}.items() <= boards[
        1
    ].items()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "mth"], "unknown board 'mth': did you mean 'math'?"),
        (["show", "board.toml", "missing"], "Directory 'missing' does not exist"),
        (["show", "missing.toml"], "missing.toml: cannot be read"),
        (["check", "board.toml"], "unknown benchmark 'many'"),
        (["build", "board.toml"], "Missing option '--out'"),
        (["build", ",", "--out", "site"], "name at least one board"),
        (["build", "board.toml,board.toml", "--out", "site"], "two boards have the same name"),
        (["build", "board.toml", "--out", "runs"], "which no build wrote"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_clear_error(folder: Path, arguments: list[str], said: str) -> None:
    done = leaderboard(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "site").exists()


def test_without_any_run(folder: Path, tmp_path: Path) -> None:
    done = leaderboard(tmp_path, "show", str(folder / "board.toml"))
    assert (done.returncode, done.stderr) == (2, "error: runs: there is no such folder\n")
    (tmp_path / "runs").mkdir()
    done = leaderboard(tmp_path, "show", str(folder / "board.toml"))
    assert done.returncode == 0
    assert "no run qualifies" in done.stdout


@pytest.mark.parametrize(
    ("use", "warned"),
    [
        (
            "arithmetik",
            "warning: unknown benchmark 'arithmetik': did you mean 'arithmetic'? One from a file is ",
        ),
        ("arithmetic", ""),
        ("many", ""),
        ("lm-eval/of-no-run", ""),
    ],
)
@pytest.mark.parametrize("command", [["show"], ["show", "--json"], ["build", "--out", "pages"]], ids="-".join)
def test_a_benchmark_without_runs_that_is_not_installed_is_warned_of(
    folder: Path, tmp_path: Path, command: list[str], use: str, warned: str
) -> None:
    (tmp_path / "other.toml").write_text(f'title = "Other"\n[[benchmark]]\nuse = "{use}"\n')
    done = leaderboard(tmp_path, *command, "other.toml", str(folder / "runs"))
    assert (done.returncode, warned in done.stderr) == (0, True)
    assert done.stderr.count("warning") == bool(warned)
