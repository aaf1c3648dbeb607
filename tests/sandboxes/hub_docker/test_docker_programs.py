"""Every program of the shared file gets its verdict in a container, be its kernel the host's or gVisor."""

import json
from pathlib import Path
from typing import Any

import pytest

import hub
from hub_docker.sandbox import DockerSandbox

WORDS = {"passed": "pass", "failed": "fail", "memory": "oom", "output_limit": "killed"}
"""The file's words for verdicts."""
GROUPS = ["resource", "escape", "network", "process", "cheat", "flood", "encoding", "honest"]


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared_data / "sandbox" / "programs_dev.json").read_text())
    for row in found:
        for key, expression in (row.get("expand") or {}).items():
            row[key] = eval(expression)
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_verdicts(docker_box: DockerSandbox, rows: list[dict[str, Any]], group: str) -> None:
    check(docker_box, rows, group)


@pytest.mark.parametrize("group", [group for group in GROUPS if group != "resource"])  # most run to the limit
def test_verdicts_in_gvisor(gvisor_box: DockerSandbox, rows: list[dict[str, Any]], group: str) -> None:
    check(gvisor_box, rows, group)


def check(box: DockerSandbox, rows: list[dict[str, Any]], group: str) -> None:
    mine = [row for row in rows if row["group"] == group]
    assert mine
    wrong = []
    for row in mine:
        if row["mode"] == "io":
            program = hub.Program(row["code"], stdin=row["stdin"], expected_stdout=row["expected_stdout"])
        else:
            program = hub.Program(row["code"], tests=row["tests"], entry_point=row["entry_point"])
        done = box.run(program, hub.Limits(wall_s=5.0))
        if WORDS.get(done.verdict, str(done.verdict)) not in row["accept"]:
            wrong.append((row["id"], str(done.verdict), row["accept"], done.stderr[-300:]))
    assert wrong == []


def test_every_group_is_tested(rows: list[dict[str, Any]]) -> None:
    assert {row["group"] for row in rows} == set(GROUPS)
