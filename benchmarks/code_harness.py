"""Whether the grading of programs is right: solutions that must pass, and cheats that must not.

Runs the data's own solutions of HumanEval and MBPP through the benchmarks' reward, then the same with their
bodies replaced, and prints a table. Run it by hand: `python benchmarks/code_harness.py`. Exit code 1 if a
solution does not pass, or a cheat passes. (An empty body might rightly pass where all tests ask for None;
the data has no such problem.)
"""

import argparse
import ast
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

import hub
from hub.options import read_value
from hub_benchmarks import humaneval, mbpp

ALWAYS_EQUAL = """
class Same:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    def __bool__(self): return True
    def __len__(self): return 1
    def __hash__(self): return 0
    def __iter__(self): return iter([self])
    def __getitem__(self, key): return self
    def __call__(self, *given, **named): return self
    def __getattr__(self, name): return self
    def __float__(self): return 0.0
    def __sub__(self, other): return self
    __rsub__ = __add__ = __radd__ = __abs__ = __round__ = __sub__
return Same()
"""
CHEATS = {
    "pass": "pass",
    "os._exit(0)": "import os\nos._exit(0)",
    "always equal": ALWAYS_EQUAL,
    "other exceptions": "import builtins\nbuiltins.AssertionError = Exception\nraise StopIteration",
}
"""What the body of every function is replaced by."""
WITH = {"humaneval": 5.0, "mbpp": 20.0}
"""Seconds of one run: enough for the data's slowest solution on a busy machine."""


@dataclass(frozen=True)
class Line:
    """What became of the programs of one kind."""

    benchmark: str
    program: str
    verdicts: Mapping[str, int]
    unexpected: Sequence[str]
    seconds: float


def problems(benchmark: str) -> list[dict[str, Any]]:
    """Return every row of a benchmark."""
    if benchmark == "humaneval":
        return list(humaneval.rows("test"))
    return [row for split in mbpp.SPLITS for row in mbpp.rows(split)]


def whole_solution(row: Mapping[str, Any]) -> str:
    """Return the data's own solution as a program."""
    return str(row.get("prompt_code", "") + row["solution"])


def cheat(row: Mapping[str, Any], body: str) -> str:
    """Return the solution with another body in each of its functions."""
    module = ast.parse(whole_solution(row))
    function = ast.parse("def f():\n" + "\n".join(f"    {line}" for line in body.split("\n"))).body[0]
    assert isinstance(function, ast.FunctionDef)
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name not in ("__init__",):
            node.body = function.body
    return ast.unparse(module)


def check(
    engine: hub.Engine,
    benchmark: str,
    rows: Sequence[Mapping[str, Any]],
    sandbox: str,
    sandbox_options: Mapping[str, Any] | None = None,
) -> Iterator[Line]:
    """Grade the solutions as whole programs, test by test, and HumanEval's as bodies; then every cheat."""
    options = {"sandbox": sandbox, "sandbox_options": sandbox_options, "wall_s": WITH[benchmark]}
    reward = hub.find_reward("code")
    programs = {"solution": [f"```python\n{whole_solution(row)}\n```" for row in rows]}
    programs["solution, partial"] = programs["solution"]
    if benchmark == "humaneval":
        programs["solution, body alone"] = [row["solution"] for row in rows]
    programs |= {
        name: [f"```python\n{cheat(row, body)}\n```" for row in rows] for name, body in CHEATS.items()
    }
    for name, completions in programs.items():
        samples = [
            hub.Sample(row["prompt"], completion, row)
            for row, completion in zip(rows, completions, strict=True)
        ]
        start = time.monotonic()
        scores = engine.score(reward.bind({**options, "partial": name.endswith("partial")}), samples)
        wanted = 1.0 if name.startswith("solution") else 0.0
        unexpected = [
            f"{row['id']}: {score.reason or 'passed'} {score.detail}"
            for row, score in zip(rows, scores, strict=True)
            if score.value != wanted
        ]
        verdicts = Counter(str(score.info.get("verdict", score.reason)) for score in scores)
        yield Line(benchmark, name, verdicts, unexpected, time.monotonic() - start)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", help="the folder with humaneval/ and mbpp/ (default: HUB_DATA)")
    parser.add_argument("--sandbox", default="local")
    parser.add_argument("--with", dest="options", action="append", default=[], metavar="OPTION=VALUE")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, help="only the first rows of each benchmark")
    given = parser.parse_args()
    if given.data:
        os.environ["HUB_DATA"] = given.data
    options = {name: read_value(value) for name, _, value in (each.partition("=") for each in given.options)}
    console = Console()
    table = Table(
        "benchmark",
        "program",
        "passed",
        "others",
        "seconds",
        title=f"sandbox {given.sandbox} {options or ''}",
    )
    wrong = []
    for benchmark in WITH:
        rows = problems(benchmark)[: given.rows]
        with hub.Engine(given.workers, cache=False) as engine:
            for line in check(engine, benchmark, rows, given.sandbox, options):
                others = ", ".join(f"{n} {v}" for v, n in sorted(line.verdicts.items()) if v != "passed")
                passed = f"{line.verdicts.get('passed', 0)} / {len(rows)}"
                table.add_row(benchmark, line.program, passed, others, f"{line.seconds:.1f}")
                wrong += [f"{benchmark}, {line.program}: {each}" for each in line.unexpected]
    console.print(table)
    for each in wrong:
        console.print(f"not as it should be: {each}", highlight=False, markup=False)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
