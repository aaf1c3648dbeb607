"""`hub sandbox`, as a person runs it, with a sandbox that needs nothing and with the one of this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub_local.kernel import landlock_abi
from hub_local.layers import refused_namespaces

HUB = str(Path(sys.executable).with_name("hub"))
CONFINES = refused_namespaces() is None or landlock_abi() > 0
confines = pytest.mark.skipif(not CONFINES, reason="this machine refuses namespaces and Landlock")

PLUGIN = """
import hub

@hub.hookimpl
def hub_sandboxes():
    yield hub.SandboxPlugin("stub", "stub_box:Stub", "Says what it was asked.")
    yield hub.SandboxPlugin("refusing", "stub_box:Refusing", "Is never there.")
    yield hub.SandboxPlugin("elsewhere", "stub_box:Elsewhere", "Wants an address.")
"""
BOX = """
import hub
from hub.errors import SandboxOverloaded, SandboxUnavailable

class Stub:
    def __init__(self, mood: str = "passed"):
        self.mood = mood
    def run(self, program, limits):
        if self.mood == "busy":
            raise SandboxOverloaded("no slot came free")
        shown = {**vars(program), **vars(limits)}
        return hub.Execution(hub.Verdict(self.mood), repr(shown), "a warning \\ud800\\n", 7, 0.5, {"detail": "why"})
    def describe(self):
        return [hub.Layer("wall", True, "thick"), hub.Layer("moat", False)]
    def close(self):
        pass

class Elsewhere(Stub):
    def __init__(self, address: str):
        pass

class Refusing:
    def __init__(self):
        raise SandboxUnavailable("unshare was refused: Operation not permitted; set user.max_user_namespaces")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    info = tmp_path / "hub_stub-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hub-stub\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text("[hub]\nstub = stub_plugin\n")
    (tmp_path / "stub_plugin.py").write_text(PLUGIN)
    (tmp_path / "stub_box.py").write_text(BOX)
    (tmp_path / "program.py").write_text("print(6 * int(input()))\n")
    return tmp_path


def hub(folder: Path, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [HUB, "sandbox", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        input=stdin,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "110"},
    )


def test_check_shows_each_layer_and_whether_it_is_active(folder: Path) -> None:
    done = hub(folder, "check", "stub")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.rstrip() for line in done.stdout.splitlines()] == [
        "stub  hub-stub 2.5  Says what it was asked.",
        "    wall  yes  thick",
        "    moat  no",
    ]


def test_check_as_json_of_all_that_are_installed(folder: Path) -> None:
    done = hub(folder, "check", "--json")
    found = {facts["name"]: facts for facts in json.loads(done.stdout)}
    assert done.returncode == 0
    assert found["stub"]["available"] is True
    assert found["stub"]["layers"] == [
        {"name": "wall", "active": True, "detail": "thick"},
        {"name": "moat", "active": False, "detail": ""},
    ]
    assert found["refusing"]["available"] is False
    assert "unshare was refused" in found["refusing"]["problem"]
    assert found["elsewhere"]["available"] is False
    assert "address" in found["elsewhere"]["problem"]
    assert "local" in found


def test_check_of_one_that_cannot_be_opened(folder: Path) -> None:
    done = hub(folder, "check", "refusing")
    assert done.returncode == 1
    assert "cannot be opened: unshare was refused: Operation not permitted" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "stubb"], "did you mean 'stub'"),
        (["check", "stub", "--with", "height=3"], "'height'"),
        (["check", "stub", "--with", "mood"], "write OPTION=VALUE"),
        (["check", "--with", "mood=x"], "--with is for the sandbox of a NAME"),
        (["run", "program.py", "--sandbox", "stubb"], "did you mean 'stub'"),
        (["run", "missing.py", "--sandbox", "stub"], "missing.py: cannot be read: No such file"),
        (["run", ".", "--sandbox", "stub"], "cannot be read: Is a directory"),
        (["run", "program.py", "--sandbox", "stub", "--stdin", "missing"], "missing: cannot be read"),
        (["run", "program.py", "--wall-s", "0"], "wall_s is 0.0, but a limit is greater than 0"),
        (["run", "program.py", "--wall-s", "nan"], "wall_s is nan"),
        (["run", "program.py", "--memory-mb", "-1"], "memory_mb is -1"),
        (["run", "program.py", "--output-bytes", "0"], "output_bytes is 0"),
        (["run", "program.py", "--memory-mb", "much"], "'much' is not a valid integer"),
        (["run", "-", "--stdin", "-"], "cannot both be standard input"),
        (["run", "program.py", "--sandbox", "stub", "--with", "mood=busy"], "no slot came free"),
        (["run", "program.py", "--sandbox", "refusing"], "unshare was refused"),
        (["bench", "stub", "--seconds", "0"], "0.0 is not in the range"),
    ],
)
def test_what_cannot_be_done_is_one_message(folder: Path, arguments: list[str], words: str) -> None:
    done = hub(folder, *arguments)
    assert done.returncode == 2, done.stdout
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_run_gives_the_program_all_that_was_asked(folder: Path) -> None:
    (folder / "in.txt").write_text("7\n")
    (folder / "tests.txt").write_text("assert f(1)")
    (folder / "out.txt").write_text("42")
    options = "--stdin in.txt --tests tests.txt --entry-point f --expect out.txt --compare tokens"
    limits = "--wall-s 1.5 --memory-mb 99 --output-bytes 1234 --language c --json"
    done = hub(folder, "run", "program.py", "--sandbox", "stub", *options.split(), *limits.split())
    result = json.loads(done.stdout)
    assert done.returncode == 0
    assert {key: result[key] for key in ("verdict", "exit_code", "wall_s", "info")} == {
        "verdict": "passed", "exit_code": 7, "wall_s": 0.5, "info": {"detail": "why"},
    }  # fmt: skip
    shown = eval(result["stdout"])
    assert shown == {
        "source": "print(6 * int(input()))\n", "language": "c", "stdin": "7\n", "expected_stdout": "42",
        "compare": "tokens", "cases": (), "tests": "assert f(1)", "entry_point": "f", "in_process": False,
        "wall_s": 1.5, "memory_mb": 99, "output_bytes": 1234,
    }  # fmt: skip


@pytest.mark.parametrize("verdict", ["failed", "error", "timeout", "memory", "killed", "output_limit"])
def test_a_program_that_did_not_pass_is_exit_code_1(folder: Path, verdict: str) -> None:
    done = hub(folder, "run", "program.py", "--sandbox", "stub", "--with", f"mood={verdict}")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["a warning ?", f"{verdict}, exit code 7, 0.500 s: why"]


@pytest.mark.parametrize(
    ("name", "language"),
    [("x.c", "c"), ("x.cpp", "cpp"), ("x.CC", "cpp"), ("x.js", "javascript"), ("x", "python")],
)
def test_the_language_is_by_the_ending(folder: Path, name: str, language: str) -> None:
    (folder / name).write_text("")
    done = hub(folder, "run", name, "--sandbox", "stub")
    assert f"'language': '{language}'" in done.stdout


def test_an_ending_of_no_language_is_refused(folder: Path) -> None:
    (folder / "x.rs").write_text("")
    done = hub(folder, "run", "x.rs", "--sandbox", "stub")
    assert done.returncode == 2
    assert ".rs is no known ending; give --language" in done.stderr
    assert hub(folder, "run", "x.rs", "--sandbox", "stub", "--language", "python").returncode == 0


@confines
def test_run_in_the_sandbox_of_this_machine(folder: Path) -> None:
    done = hub(folder, "run", "program.py", "--stdin", "-", stdin="7\n")
    assert (done.returncode, done.stdout) == (0, "42\n")
    assert done.stderr.startswith("passed, exit code 0, ")
    done = hub(folder, "run", "-", stdin="import sys; print('é'); sys.exit('no')")
    assert (done.returncode, done.stdout) == (1, "é\n")
    assert done.stderr.splitlines()[0] == "no"
    (folder / "latin.py").write_bytes(b"print('\xff')")
    done = hub(folder, "run", "latin.py", "--json")
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (1, "error")
    done = hub(folder, "run", "program.py", "--language", "klingon")
    assert done.returncode == 2
    assert "klingon" in done.stderr


@confines
def test_check_of_the_sandbox_of_this_machine(folder: Path) -> None:
    [facts] = json.loads(hub(folder, "check", "local", "--json").stdout)
    active = {layer["name"] for layer in facts["layers"] if layer["active"]}
    assert {"seccomp", "capabilities", "limits", "self-test", "judge", "language: python"} <= active
    assert {"landlock", "namespace: user"} & active


@confines
def test_bench_has_a_row_for_each_kind_of_program(folder: Path) -> None:
    done = hub(folder, "bench", "local", "--seconds", "0.1", "--callers", "2", "--json")
    rows = json.loads(done.stdout)
    assert [(row["what"], row["callers"]) for row in rows] == [
        ("python -I -c 'print(1)'", 1), ("print(1)", 1), ("print(1)", 2), ("3 cases", 1), ("3 cases", 2),
        ("tests of 7 calls", 1), ("tests of 7 calls", 2),
    ]  # fmt: skip
    assert all(row["per_s"] > 0 and row["median_ms"] <= row["p99_ms"] for row in rows)
    table = hub(folder, "bench", "local", "--seconds", "0.1").stdout.splitlines()
    assert len(table) == 8
