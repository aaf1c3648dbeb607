"""`hub eval` against the command `lm_eval`: the same model, task and prompts, side by side.

    python benchmarks/evaluate.py                          # a tiny model and sums, made on the spot
    python benchmarks/evaluate.py --model FOLDER --tokens 128
    HUB_DATA=DATA python benchmarks/evaluate.py --model FOLDER --task gsm8k

Each command is a process of its own, from its start to its end, and they take turns. "First token" is when
the model's first forward pass is done, by the same hook in all of them; memory is the largest sum over a
command's processes (proportional set size, so that what is shared counts once). Two rows are the hub: one
with lm-eval's task as its benchmark, one with the same rows as a benchmark of its own. Compare rows of one
run only.

The CPU time until the first token is of the command's own process; where others use the machine too, it says
more than the clock.

The second table is about the hub alone: how much was graded by the time the last completion was made.
"""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TASK = """\
task: sums
dataset_path: json
dataset_kwargs: {{data_files: {{test: {rows}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["\\n\\n"], max_gen_toks: {tokens}, do_sample: false}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
"""
GSM8K = """\
include: {official}
task: gsm8k_here
dataset_path: json
dataset_name: null
dataset_kwargs: {{data_files: {{train: {data}/train.jsonl, test: {data}/test.jsonl}}}}
generation_kwargs: {{until: ["Question:", "</s>", "<|im_end|>"], max_gen_toks: {tokens}, do_sample: false}}
"""
BENCHMARK = """\
import json
import hub

def rows(split: str):
    return [json.loads(line) for line in open({rows!r})]

benchmark = hub.Benchmark(
    "sums", rows, {{"math": 1.0}}, "Sums.",
    decoding=hub.Decoding(max_new_tokens={tokens}, stop=("\\n\\n",), chat_template=False),
)
"""


class After(importlib.abc.MetaPathFinder):
    """Calls functions once modules have been imported."""

    def __init__(self, calls: dict[str, Callable[[Any], None]]) -> None:
        self._calls = calls

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        call = self._calls.pop(name, None)
        if call is None:
            return None
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            call(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def probe(out: str, command: list[str]) -> None:
    """Run a command in this process, and write when things happened, in seconds of the machine's clock."""
    times: dict[str, Any] = {"made": [], "graded": []}

    def watch_forward(module: Any) -> None:
        def first(called: Any, _: Any, result: Any) -> None:
            if hasattr(result, "logits"):
                times["first"], times["cpu"] = time.monotonic(), time.process_time()
                handle.remove()

        handle = module.register_module_forward_hook(first)

    def watch_folder(module: Any) -> None:
        def noted(name: str, key: str, count: Callable[[Any], int]) -> None:
            method = getattr(module.RunFolder, name)

            def noting(self: Any, *arguments: Any) -> Any:
                listed = list(arguments[-1]) if key == "graded" else arguments[-1]
                done = method(self, *arguments[:-1], listed)
                times[key].append((time.monotonic(), count(listed)))
                return done

            setattr(module.RunFolder, name, noting)

        noted("add_completion", "made", lambda _: 1)
        noted("add_samples", "graded", len)

    calls: dict[str, Callable[[Any], None]] = {
        "torch.nn.modules.module": watch_forward,
        "hub.evaluation.folder": watch_folder,
    }
    sys.meta_path.insert(0, After(calls))
    sys.argv = command
    try:
        if command[0] == "hub":
            importlib.import_module("hub.cli.main").main()
        else:
            importlib.import_module("lm_eval.__main__").cli_evaluate()
    finally:
        Path(out).write_text(json.dumps(times))


def memory(pid: int) -> int:
    """Bytes that a process and those below it use."""
    total, left = 0, [pid]
    while left:
        one = left.pop()
        try:
            roll = Path(f"/proc/{one}/smaps_rollup").read_text()
            total += (
                next(int(line.split()[1]) for line in roll.splitlines() if line.startswith("Pss:")) * 1024
            )
            for task in Path(f"/proc/{one}/task").iterdir():
                left += map(int, (task / "children").read_text().split())
        except (OSError, StopIteration):
            continue
    return total


def measure(command: list[str], folder: Path) -> dict[str, Any]:
    """Run a command; return its times in seconds, its peak memory in bytes, and what it printed."""
    out = folder / "times.json"
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    peak, over = 0, threading.Event()
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__)), "probe", str(out), *command],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.2):
            peak = max(peak, memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    printed, problems = process.communicate()
    ended = time.monotonic()
    over.set()
    watcher.join()
    if process.returncode not in (0, 1) or not out.exists():
        raise SystemExit(f"{' '.join(command)} failed:\n{problems[-3000:]}")
    times = json.loads(out.read_text())
    return {
        "first": times["first"] - began,
        "total": ended - began,
        "cpu": times["cpu"],
        "memory": peak,
        "printed": printed,
        "made": times["made"],
        "graded": times["graded"],
    }


def commands(arguments: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """The commands to be compared, by what to call them."""
    model, limit = str(Path(arguments.model).resolve()), str(arguments.rows)
    lm_eval = ["lm_eval", "run", "--model", "hf", "--model_args", f"pretrained={model},dtype=float32"]
    lm_eval += ["--batch_size", "8", "--limit", limit, "--device", "cpu", "--include_path", str(folder)]
    hub = ["hub", "eval", model, "--limit", limit, "--json", "--allow-failures", "--on"]
    if arguments.task == "gsm8k":
        import lm_eval as package

        official = Path(package.__file__).parent / "tasks/gsm8k/gsm8k.yaml"
        data = Path(os.environ["HUB_DATA"]).resolve() / "gsm8k"
        text = GSM8K.format(official=official, data=data, tokens=arguments.tokens)
        (folder / "gsm8k_here.yaml").write_text(text)
        own = [*hub, "gsm8k", "--max-new-tokens", str(arguments.tokens)]
        name = "gsm8k_here"
    else:
        draw, name = random.Random(0), "sums"
        pairs = [(draw.randrange(1, 10), draw.randrange(1, 10)) for _ in range(arguments.rows)]
        rows = folder / "rows.jsonl"
        lines = [
            {"id": number, "prompt": f"What is {a} + {b}?", "answer": str(a + b)}
            for number, (a, b) in enumerate(pairs)
        ]
        rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / "sums.yaml").write_text(TASK.format(rows=rows, tokens=arguments.tokens))
        (folder / "sums.py").write_text(BENCHMARK.format(rows=str(rows), tokens=arguments.tokens))
        own = [*hub, f"{folder}/sums.py:benchmark"]
    return {
        "lm_eval": [*lm_eval, "--tasks", name],
        "hub eval, lm-eval's task": [*hub, f"lm-eval/{folder}/{name}.yaml"],
        "hub eval, its own": own,
    }


def score_of(printed: str) -> str:
    """The score in what a command printed."""
    try:
        found = json.loads(printed)[0]
        return f"{found['scores']['total']['mean']:.3f}, n {found['scores']['total']['n']}"
    except ValueError:
        rows = [line.split("|") for line in printed.splitlines() if "exact_match" in line]
        return ", ".join(f"{row[7].strip()}" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a folder; without it, a tiny one with random weights")
    parser.add_argument("--task", choices=("sums", "gsm8k"), default="sums")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=48, help="longest completion")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-evaluate-") as made:
        folder = Path(made)
        if arguments.model is None:
            arguments.model = str(folder / "model")
            maker = ROOT / "examples/quickstart/make_model.py"
            subprocess.run(
                [sys.executable, str(maker), arguments.model, "0"], check=True, capture_output=True
            )
        found: dict[str, list[dict[str, Any]]] = {}
        for number in range(arguments.rounds):
            for name, command in commands(arguments, folder).items():
                out = ["--out", f"out-{number}-{len(found.get(name, []))}-{name.split()[-1]}"]
                found.setdefault(name, []).append(
                    measure([*command, *(out if name.startswith("hub") else [])], folder)
                )
    show(found, arguments)


def show(found: dict[str, list[dict[str, Any]]], arguments: argparse.Namespace) -> None:
    from rich.console import Console  # not above: this file also runs within what is measured
    from rich.table import Table

    console = Console(width=110)
    what = f"{arguments.rows} rows of {arguments.task}, up to {arguments.tokens} tokens"
    table = Table(title=f"{what}; medians of {arguments.rounds} rounds", title_justify="left")
    table.add_column("command")
    for column in ("first token s", "its CPU s", "total s", "peak MB"):
        table.add_column(column, justify="right")
    table.add_column("score")
    medians = {
        name: {
            key: statistics.median(run[key] for run in runs) for key in ("first", "cpu", "total", "memory")
        }
        for name, runs in found.items()
    }
    for name, mine in medians.items():
        cells = [f"{mine[key]:.1f}" for key in ("first", "cpu", "total")]
        if name != "lm_eval":
            ratios = [medians["lm_eval"][key] / mine[key] for key in ("first", "cpu", "total")]
            cells = [f"{cell} ({ratio:.1f} x less)" for cell, ratio in zip(cells, ratios, strict=True)]
        table.add_row(name, *cells, f"{mine['memory'] / 1e6:.0f}", score_of(found[name][-1]["printed"]))
    console.print(table)
    overlap = Table(title="grading, while completions are made", title_justify="left")
    for column in ("command", "completions", "graded when the last one was made", "all graded after it, ms"):
        overlap.add_column(column, justify="left" if column == "command" else "right")
    for name, runs in found.items():
        made, graded = runs[-1]["made"], runs[-1]["graded"]
        if made:
            last = made[-1][0]
            before = sum(count for moment, count in graded if moment <= last)
            overlap.add_row(
                name, str(len(made)), f"{before / len(made):.0%}", f"{1000 * (graded[-1][0] - last):.0f}"
            )
    console.print(overlap)


if __name__ == "__main__":
    if sys.argv[1:2] == ["probe"]:
        probe(sys.argv[2], sys.argv[3:])
    else:
        main()
