"""The main job from end to end: a model is trained with mixed rewards, and measured before and after.

Each step is a command of the hub, shown as it is run. What is done already is not done again, so a run
that was interrupted goes on when it is started again.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HUB = str(Path(sys.executable).with_name("hub"))
SUMS = {"operations": "+", "rows": "400", "examples": "0", "prompt": "What is {problem}?"}
QUICK = bool(os.environ.get("HUB_QUICK"))
console = Console(highlight=False)


class Stop(Exception):
    """A step failed; its own message has been shown."""


def run(*command: str, folder: Path) -> None:
    """Show a command and run it in the folder."""
    name = Path(command[0]).name
    console.print(f"\n[bold]$ {shlex.join([name, *command[1:]])}[/bold]", soft_wrap=True)
    done = subprocess.run(command, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    if done.returncode:
        raise Stop(f"{name} ended with exit code {done.returncode}")


def evaluate(model: str, out: str, options: dict[str, str], decoding: list[str], folder: Path) -> None:
    """Measure a model on held-out problems, with the rewards that it is trained with."""
    given = [f"--benchmark-option={name}={value}" for name, value in options.items()]
    run(HUB, "eval", model, "--on", "arithmetic", "--mix", "mix.toml", *given, *decoding, "--out", out,
        "--resume", folder=folder)  # fmt: skip


def small(folder: Path, seed: int) -> dict[str, tuple[str, str]]:
    """Teach a two-layer model sums on the spot, then train it with rewards."""
    if not (folder / "lessons.jsonl").exists():
        run(sys.executable, str(HERE / "make_model.py"), "model", str(seed), folder=folder)
        run(sys.executable, str(HERE / "make_lessons.py"), "lessons.jsonl", str(seed), folder=folder)
    options = {**SUMS, "rows": "32"} if QUICK else SUMS
    sampled = ["--temperature", "1", "--max-new-tokens", "32"]
    train("sft.toml", seed, 40, folder)
    evaluate("sft/model", "before", options, sampled, folder)
    evaluate("sft/model", "before-greedy", options, ["--max-new-tokens", "32"], folder)
    train("grpo.toml", seed, 3, folder)
    evaluate("grpo/model", "after", options, sampled, folder)
    evaluate("grpo/model", "after-greedy", options, ["--max-new-tokens", "32"], folder)
    return {"sampled": ("before", "after"), "greedy": ("before-greedy", "after-greedy")}


def smollm2(folder: Path, seed: int) -> dict[str, tuple[str, str]]:
    """Train SmolLM2-135M-Instruct with rewards: half an hour on two cores."""
    run(sys.executable, str(HERE / "fetch_smollm2.py"), "model", folder=folder)
    prompt = (HERE / "smollm2-prompt.txt").read_text(encoding="utf-8")
    options = {**SUMS, "max_operand": "20", "rows": "16" if QUICK else "64", "prompt": prompt}
    decoding = ["--max-new-tokens", "24", "--stop", "\n", "--generator-option", "chat_template=never"]
    evaluate("model", "before", options, decoding, folder)
    train("smollm2.toml", seed, 1, folder)
    evaluate("grpo/model", "after", options, decoding, folder)
    return {"greedy": ("before", "after")}


def train(recipe: str, seed: int, quick_steps: int, folder: Path) -> None:
    """Run a recipe, or go on with it."""
    settings = [f"--set=trainer.seed={seed}"]
    if QUICK:
        settings.append(f"--set=trainer.max_steps={quick_steps}")
    run(HUB, "train", recipe, *settings, "--resume", folder=folder)


def result(folder: Path, name: str) -> dict[str, Any]:
    """Read what an evaluation wrote."""
    found: dict[str, Any] = json.loads((folder / name / "arithmetic" / "result.json").read_text())
    return found


def show(folder: Path, pairs: dict[str, tuple[str, str]], seconds: float) -> None:
    """Print what was measured before and after, and what that does and does not show."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("measure", "before", "after", "intervals"):
        table.add_column(column, no_wrap=True)
    apart = []
    for mode, (before, after) in pairs.items():
        old, new = result(folder, before)["scores"], result(folder, after)["scores"]
        for name in ("math", "think-format", "mean reward"):
            one, two = (s["total"] if name == "mean reward" else s["rewards"][name] for s in (old, new))
            verdict = _verdict(one["interval_95"], two["interval_95"])
            apart.append(verdict == "apart: rose")
            table.add_row(f"{name}, {mode}", _interval(one), _interval(two), verdict)
    console.print("\nheld-out sums, before and after GRPO (95 % intervals)")
    console.print(table)
    console.print(f"{seconds:.0f} s; curves: {folder / 'grpo' / 'rewards.png'}", soft_wrap=True)
    if QUICK:
        console.print("HUB_QUICK is set: the runs were cut short, so these numbers show nothing.")
        return
    console.print(
        "\nShown: GRPO on the two rewards raised both on problems that are in no training data, graded by\n"
        "the same reward plugins in training and in evaluation. Not shown: anything about larger models,\n"
        "other tasks, or arithmetic beyond these sums; one seed is one run."
        if all(apart[:3])
        else "\nNot everything rose beyond its interval in this run; try another --seed, or more steps.",
        soft_wrap=True,
    )
    console.print(
        f"\nNext: change a weight in {folder / 'mix.toml'} and run again with another --folder;\n"
        "write a reward of your own (docs/plugins.md) and name it there; the longer run on a real small\n"
        "model is scripts/quickstart --model smollm2.",
        soft_wrap=True,
    )


def _verdict(before: list[float] | None, after: list[float] | None) -> str:
    if before is None or after is None:
        return "unknown"  # values that are all alike, and neither 0 nor 1, have no interval
    return "apart: rose" if after[0] > before[1] else "apart: fell" if after[1] < before[0] else "overlap"


def _interval(score: dict[str, Any]) -> str:
    interval = score["interval_95"]
    return f"{score['mean']:.3f} " + ("[{:.3f}, {:.3f}]".format(*interval) if interval else "(no interval)")


def main() -> int:
    """Run the quickstart; exit code 0 when every step ran, 130 on Ctrl-C."""
    parser = argparse.ArgumentParser(prog="scripts/quickstart", description=__doc__)
    parser.add_argument("--model", choices=("small", "smollm2"), default="small")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work (default: runs/quickstart-MODEL)")
    given = parser.parse_args()
    folder = (given.folder or ROOT / "runs" / f"quickstart-{given.model}").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for recipe in HERE.glob("*.toml"):
        if not (folder / recipe.name).exists():
            shutil.copy(recipe, folder)
    start = time.monotonic()
    try:
        pairs = {"small": small, "smollm2": smollm2}[given.model](folder, given.seed)
    except Stop as stop:
        console.print(f"[red]{stop}[/red]; what was done is kept in {folder}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print(f"\ninterrupted; run it again to go on (kept in {folder})", soft_wrap=True)
        return 130
    show(folder, pairs, time.monotonic() - start)
    return 0


if __name__ == "__main__":
    sys.exit(main())
