"""`hub results`: lists runs, shows samples, writes them in other formats."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub_results.samples import KINDS

if TYPE_CHECKING:
    from hub.evaluation.stored import StoredRun

EXAMPLES = """\b
Examples:
  hub results list runs --on 'gsm8k*'
  hub results show runs/qwen/gsm8k --only wrong --limit 3
  hub results export runs/qwen/gsm8k --format every-eval-ever --out export
  hub results import lm-eval lm-eval-output
"""
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FORMATS = ("csv", "markdown", "hugging-face", "every-eval-ever")


@click.group("results", epilog=EXAMPLES)
def command() -> None:
    """List results, show their samples, write them in other formats, import those of other tools."""


def _chosen(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--newest", is_flag=True, help="Of each benchmark and model the last run only."),
        click.option(
            "--metric", "metrics", multiple=True, default=("score",), help="Of each run; `all` for all."
        ),
        click.option("--model", default="*", metavar="PATTERN", help="Models, e.g. 'qwen*'."),
        click.option("--on", "benchmark", default="*", metavar="PATTERN", help="Benchmarks, e.g. 'gsm*'."),
    ):
        function = option(function)
    return function


@command.command("list")
@click.argument("root", type=_FOLDER, default=Path("runs"))
@_chosen
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(root: Path, as_json: bool, metrics: tuple[str, ...], **names: Any) -> int:
    """List the complete runs below a folder (default: runs)."""
    runs, problems = _find(root, **names)
    rows = _rows(runs, metrics)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif rows:
        from hub_results.tables import show

        show(rows)
    else:
        click.echo(f"no complete run below {root} fits", err=True)
    for problem in problems:
        click.echo(click.style(problem, fg="yellow"), err=True)
    return 0


def _find(root: Path, **names: Any) -> "tuple[list[StoredRun], list[str]]":
    from hub.evaluation.stored import find_runs
    from hub_results.listing import choose

    runs, problems = find_runs(root)
    return choose(runs, **names), problems


def _rows(runs: "list[StoredRun]", metrics: tuple[str, ...]) -> list[dict[str, Any]]:
    from hub_results.listing import metrics_of, rows

    found: list[dict[str, Any]] = []
    for run in runs:
        found += rows(run, metrics_of(run) if metrics == ("all",) else metrics)
    return found


@command.command("show")
@click.argument("run", type=_FOLDER)
@click.option("--only", type=click.Choice(KINDS), default="all", help="Samples of this kind.")
@click.option("--metric", default="score", help="Whose value decides what is right.")
@click.option("--id", help="The samples of this row.")
@click.option("--limit", type=click.IntRange(1), default=5, help="So many samples.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def show(run: Path, only: str, metric: str, id: str | None, limit: int, as_json: bool) -> int:
    """Show samples of a run: prompt, completion, scores and reasons."""
    from itertools import islice

    from hub.evaluation.stored import read_run
    from hub_results.samples import samples

    chosen = samples(read_run(run), only, metric=metric, id=id)
    shown = list(islice(chosen, limit))
    for line in shown:
        click.echo(json.dumps(line) if as_json else _described(line))
    if not shown:
        click.echo("no sample fits", err=True)
    elif next(chosen, None) is not None:
        click.echo(f"the first {limit}; more with --limit", err=True)
    return 0


def _described(line: dict[str, Any]) -> str:
    """A sample for a person. What the model wrote must not drive the terminal."""
    from hub.evaluation.table import visible

    result = line["result"]
    parts = [click.style(f"{line['id']}", bold=True)]
    for what, said in _texts(line):
        text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        text = "(there is none)" if said is None else text
        parts.append(f"{click.style(what, dim=True)}\n" + visible(text, keep="\n\t"))
    for name, score in {"score": result["total"], **result["scores"]}.items():
        value = _value(score)
        detail = visible(score.get("detail") or "")
        why = ": ".join(filter(None, (score["reason"], detail)))
        parts.append(f"{name:14} {value}{why and f'  ({why})'}")
    return "\n".join(parts) + "\n"


def _texts(line: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The prompt and the completion; where rewards were evaluated, each completion with what it is worth."""
    yield "prompt", line["prompt"]
    given, values = line.get("completions"), line.get("values")
    if not (isinstance(given, list) and isinstance(values, list)):
        yield "completion", line["completion"]
        return
    chosen = line.get("chosen")
    for number, (text, score) in enumerate(zip(given, values, strict=False), 1):
        better = ", a better one" if isinstance(chosen, int) and number <= chosen else ""
        yield f"completion {number}{better}: worth {_value(score)}", text


def _value(score: dict[str, Any]) -> str:
    return str(score["outcome"]) if score["value"] is None else f"{score['value']:g}"


@command.command("export")
@click.argument("root", type=_FOLDER)
@_chosen
@click.option("--format", "kind", type=click.Choice(FORMATS), required=True)
@click.option(
    "--out", type=click.Path(path_type=Path), help="A file (csv, markdown) or a folder.  [default: print]"
)
@click.option("--dataset", help="hugging-face: the data set's id, where it is not known.")
@click.option("--task", help="hugging-face: the task's id within the data set.")
@click.option("--organization", default="unknown", help="every-eval-ever: who ran the evaluation.")
def export(
    root: Path,
    kind: str,
    out: Path | None,
    dataset: str | None,
    task: str | None,
    organization: str,
    metrics: tuple[str, ...],
    **names: Any,
) -> int:
    """Write the runs below a folder (or a single run) in another format.

    Nothing is written where a run's samples are not all there, or make another score than its result says.
    """
    from hub.evaluation.checked import check_run
    from hub_results.tables import as_csv, as_markdown

    is_table = kind in ("csv", "markdown")
    if out is None and not is_table:
        raise click.UsageError(f"--format {kind} needs --out FOLDER")
    runs, _ = _find(root, **names)
    for run in runs:
        check_run(run)
    if out is None or is_table:
        rows = _rows(runs, metrics)
        text = as_csv(rows) if kind == "csv" else as_markdown(rows)
        if out is None:
            click.echo(text, nl=False)
        else:
            out.write_text(text, encoding="utf-8")
        return 0
    if kind == "hugging-face" and len(runs) != 1:
        raise click.UsageError(
            f"--format hugging-face is for one model and benchmark, but {len(runs)} runs fit"
        )
    for run in runs:
        if kind == "hugging-face":
            from hub_results.hugging_face import entry

            text = entry(run, metrics[0], dataset, task)
            files = {f".eval_results/{run.benchmark.replace('/', '-')}.yaml": text}
        else:
            files = _every_eval_ever(run, organization)
        for name, text in files.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(text, encoding="utf-8")
            click.echo(f"wrote {out / name}")
    return 0


@command.command("import")
@click.argument("tool", type=click.Choice(["lm-eval"]))
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    help="Where the runs' folders are made.  [default: runs]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_(tool: str, path: Path, out: Path, as_json: bool) -> int:
    """Make runs of another tool's results, so that they can be listed, compared and ranked.

    PATH is a results_*.json of lm-eval (run it with --output_path and --log_samples), or a folder with such.
    The runs are marked as imported. Exit code 1 if a task could not be imported; the others were.
    """
    from hub.errors import DataError
    from hub_results.import_lm_eval import Imported, import_file
    from hub_results.lm_eval_files import find_results

    found: list[Imported] = []
    problems: list[str] = []
    for file in find_results(path):
        try:
            for one in import_file(file, out):
                if isinstance(one, Imported):
                    found.append(one)
                    if not as_json:
                        click.echo(f"{'wrote' if one.is_new else 'was there:'} {one.folder}")
                else:
                    problems.append(str(one))
        except DataError as error:
            problems.append(str(error))
    if as_json:
        runs = [{"task": one.task, "path": str(one.folder), "new": one.is_new} for one in found]
        click.echo(json.dumps({"runs": runs, "problems": problems}, indent=2))
    for problem in problems:
        click.echo(click.style(problem, fg="yellow"), err=True)
    return 1 if problems else 0


def _every_eval_ever(run: "StoredRun", organization: str) -> dict[str, str]:
    from hub.evaluation.recipe import hash_recipe
    from hub_results.every_eval_ever import aggregate, instances, model_id

    retrieved = time.time()
    # The schema wants three folders: the benchmark, and the two parts of the model's id.
    folder = f"data/{run.benchmark.replace('/', '-')}/{model_id(run)}"
    # The schema wants a version-4 UUID; made of the recipe, so that the same run is the same file.
    name = uuid.UUID(bytes=hashlib.sha256(hash_recipe(run.recipe).encode()).digest()[:16], version=4)
    evaluation = f"{run.benchmark}/{model_id(run)}/{retrieved:.0f}"
    lines = "".join(json.dumps(line) + "\n" for line in instances(run, evaluation))
    file = f"{folder}/{name}_samples.jsonl"
    checksum = hashlib.sha256(lines.encode()).hexdigest()
    record = aggregate(run, file, checksum, retrieved=retrieved, organization=organization)
    record["detailed_evaluation_results"]["total_rows"] = lines.count("\n")
    return {f"{folder}/{name}.json": json.dumps(record, indent=2) + "\n", file: lines}
