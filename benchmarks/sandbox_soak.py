"""Thousands of honest and hostile programs through one sandbox: verdicts that are wrong, and what is left."""

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console

import hub
from hub.errors import HubError
from hub.testing.cheats import CHEATS, ENTRY_POINT, TESTS

WORDS = {"passed": "pass", "failed": "fail", "memory": "oom", "output_limit": "killed"}
"""The shared file's words for verdicts."""
FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
SLOW_S, SLOW_SHARE = 0.3, 0.002
"""Programs that take longer than this when they are first run are drawn as rarely as that."""
CALLERS = 8


def children(pid: int) -> set[int]:
    """The processes below one, whatever session they are in."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found.update(below)
        waiting += below
    return found


def processes() -> int:
    """How many processes are below this one, once their number stays the same for a second."""
    found = [-1]
    while len(set(found[-10:])) > 1 or len(found) < 10:
        found.append(len(children(os.getpid())))
        time.sleep(0.1)
    return found[-1]


def state() -> dict[str, Any]:
    """What programs could leave on this machine."""
    groups = [Path(folder) for folder in ("/sys/fs/cgroup",) if Path(folder).is_dir()]
    files = {f"{folder}/{name}" for folder in FOLDERS if os.path.isdir(folder) for name in os.listdir(folder)}
    return {
        "processes": processes(),
        "mounts": len(Path("/proc/self/mountinfo").read_text().splitlines()),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "files": files,
        "control groups": sum(len(folders) for group in groups for _, folders, _ in os.walk(group)),
    }


def rows(data: Path) -> list[tuple[str, hub.Program, Sequence[str]]]:
    """Programs with their names and the verdicts that are right."""
    found: list[tuple[str, hub.Program, Sequence[str]]] = []
    for row in json.loads((data / "sandbox" / "programs_dev.json").read_text()):
        for key, expression in (row.get("expand") or {}).items():
            row[key] = eval(expression)
        if row["mode"] == "io":
            program = hub.Program(row["code"], stdin=row["stdin"], expected_stdout=row["expected_stdout"])
        else:
            program = hub.Program(row["code"], tests=row["tests"], entry_point=row["entry_point"])
        found.append((row["id"], program, row["accept"]))
    wrong = ("fail", "error", "timeout", "oom", "killed")
    for name, source in CHEATS.items():
        found.append((name, hub.Program(source, tests=TESTS, entry_point=ENTRY_POINT), wrong))
    return found


def soak(name: str, options: dict[str, Any], count: int, data: Path, console: Console) -> int:
    """Run so many programs; print and return how many verdicts were wrong or things left."""
    programs = rows(data)
    outcomes: Counter[str] = Counter()
    bad: list[str] = []
    before = state()
    box = hub.open_sandbox(name, **options)

    def run(one: tuple[str, hub.Program, Sequence[str]]) -> float:
        start = time.perf_counter()
        try:
            verdict = str(box.run(one[1], hub.Limits(wall_s=5.0)).verdict)
        except HubError as error:
            verdict = f"{type(error).__name__}: {error}"
        outcomes[verdict] += 1
        if WORDS.get(verdict, verdict) not in one[2]:
            bad.append(f"{one[0]}: {verdict}, not {' or '.join(one[2])}")
        return time.perf_counter() - start

    start = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        quick = [one for one in programs if run(one) < SLOW_S]
        slow = [one for one in programs if one not in quick]
        list(pool.map(run, quick[:CALLERS] * 4))  # every slot and thread is there
        steady = state()
        draw = random.Random(0)
        for _ in range(0, count, 500):
            batch = [draw.choice(slow if slow and draw.random() < SLOW_SHARE else quick) for _ in range(500)]
            list(pool.map(run, batch))
        after = state()
    box.close()
    closed = state()
    left = [
        f"{key} {when}: {_more(first[key], last[key])}"
        for when, first, last in (("while open", steady, after), ("after closing", before, closed))
        for key in first
        if _more(first[key], last[key])
    ]
    seconds = time.perf_counter() - start
    console.print(f"{sum(outcomes.values()):,} programs in {seconds:.0f} s: {dict(outcomes)}")
    console.print(f"wrong verdicts: {len(bad)}", *sorted(set(bad))[:20], sep="\n  ")
    console.print(f"left behind: {len(left)}", *left, sep="\n  ")
    return len(bad) + len(left)


def _more(before: Any, after: Any) -> str:
    """Say what there is more of; "" for nothing."""
    if isinstance(before, set):
        return " ".join(sorted(after - before))
    return f"{before} -> {after}" if after > before else ""
