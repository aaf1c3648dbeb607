"""`hub eval`: evaluates a model on benchmarks."""

import json
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.deferred import is_ours
from hub.errors import DataError, GeneratorError, HubError, RewardFailed
from hub.options import read_value

if TYPE_CHECKING:
    from hub.evaluation.plan import Plan
    from hub.evaluation.run import Progress
    from hub.mix.mix import Mix

EXAMPLES = """\b
Examples:
  hub eval runs/checkpoint-100 --on arithmetic
  hub eval Qwen/Qwen3-0.6B --on arithmetic,gsm8k --limit 100 --out results/qwen
  hub eval http://localhost:8000/v1 --on gsm8k --samples-per-prompt 8 --temperature 0.8
  hub eval --reward reward-model --with reward-model.model=org/name --on preferences
"""


@click.command("eval", epilog=EXAMPLES)
@click.argument("model", required=False)
@click.option(
    "--on", "uses", multiple=True, required=True, metavar="NAME,...", help="Benchmarks, or FILE.py:NAME."
)
@click.option(
    "--reward",
    "rewards",
    multiple=True,
    metavar="NAME[=WEIGHT]",
    help="In place of MODEL: evaluate rewards (a name, FILE.py:NAME, or a mix file) on given completions.",
)
@click.option("--split", help="Which split of the data.  [default: the benchmark's own]")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Run the first N rows, or conversations.")
@click.option(
    "--samples-per-prompt", type=click.IntRange(1), default=1, metavar="N", help="Completions of each prompt."
)
@click.option("--temperature", type=click.FloatRange(0), metavar="T", help="0 is greedy.")
@click.option(
    "--top-p", type=click.FloatRange(0, 1, min_open=True), metavar="P", help="Probability mass kept."
)
@click.option("--max-new-tokens", type=click.IntRange(1), metavar="N", help="Longest completion.")
@click.option("--stop", multiple=True, metavar="TEXT", help="Completions end at this text.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="For sampling.")
@click.option("--generator", metavar="NAME", help="What makes completions.  [default: by the form of MODEL]")
@click.option(
    "--generator-option", "generator_options", multiple=True, metavar="NAME=VALUE", help="One of its options."
)
@click.option(
    "--benchmark-option",
    "benchmark_options",
    multiple=True,
    metavar="[BENCHMARK.]NAME=VALUE",
    help="An option of the benchmarks, or of one.",
)
@click.option(
    "--with",
    "reward_options",
    multiple=True,
    metavar="REWARD.NAME=VALUE",
    help="An option of a reward: of one under --reward, else of one that grades, e.g. judge.model=NAME.",
)
@click.option("--mix", type=click.Path(dir_okay=False), metavar="FILE", help="Grade with this mix instead.")
@click.option(
    "--out", type=click.Path(file_okay=False), metavar="FOLDER", help="One folder per benchmark goes in it."
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with an interrupted run, or what no server answered; show a complete one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--allow-failures", is_flag=True, help="Exit with 0 even where something could not be scored.")
def command(
    model: str | None,
    uses: tuple[str, ...],
    rewards: tuple[str, ...],
    split: str | None,
    limit: int | None,
    samples_per_prompt: int,
    generator: str | None,
    generator_options: tuple[str, ...],
    benchmark_options: tuple[str, ...],
    reward_options: tuple[str, ...],
    mix: str | None,
    out: str | None,
    resume: bool,
    as_json: bool,
    allow_failures: bool,
    **decoding: Any,
) -> int:
    """Evaluate a model on benchmarks.

    MODEL is a folder, a model id like org/name@revision, or the address of a server like
    http://host:port/v1. With --reward, rewards are evaluated in its place, on a benchmark whose rows come
    with completions, such as preferences.

    Each run is written to a folder: result.json, and samples.jsonl with every completion and score. Without
    --out that is runs/MODEL/BENCHMARK-RECIPE.

    Exit code 1 if a completion could not be made or scored (see --allow-failures), the model could not go on
    or the disk was full, 2 if nothing could be run.
    """
    from hub.cli.mix_options import read_reward_options
    from hub.cli.start import import_meanwhile, nothing_collected, warm_meanwhile
    from hub.evaluation.folder import check_free, make_folder
    from hub.evaluation.plan import find_benchmark, make_mix, make_plan
    from hub.evaluation.table import show_results
    from hub.evaluation.valued import RewardsUnderTest
    from hub.open import open_generator

    names = [name.strip() for use in uses for name in use.split(",") if name.strip()]
    if not names:
        raise click.UsageError("--on names no benchmark")
    if len(set(names)) < len(names):
        raise click.UsageError("--on names each benchmark once")
    changes = {key: value for key, value in decoding.items() if value not in (None, ())}
    only_for_models = (generator, generator_options, changes, samples_per_prompt > 1)
    under_test = _read_rewards(model, rewards, reward_options, any(only_for_models))
    if under_test is not None:
        reward_options = ()
    options = _benchmark_options(benchmark_options, names)
    if reward_options and mix:
        raise click.UsageError("--with is for the benchmarks' own rewards; a mix file has `with = { ... }`")
    benchmarks = {name: find_benchmark(name) for name in names}
    mixes = [make_mix(benchmark) for benchmark in benchmarks.values()] if reward_options else []
    changed = read_reward_options(reward_options, mixes) if reward_options else [None] * len(names)
    keys = _read_options(generator_options, "--generator-option")
    with nothing_collected():
        if model and is_ours():
            import_meanwhile(model, generator)
        plans = [
            make_plan(
                benchmark,
                split=split,
                options=options[name],
                limit=limit,
                mix=mix,
                samples_per_prompt=samples_per_prompt,
                decoding=changes,
                reward_options=rewards,
            )
            for (name, benchmark), rewards in zip(benchmarks.items(), changed, strict=True)
        ]
        for plan in plans:
            _check_kind(plan, under_test)
        name = model or "+".join(Path(one).stem if one.endswith(".toml") else one for one in rewards)
        folder = Path(out) if out is not None else Path("runs") / _slug(name)
        make_folder(folder)
        if out is not None and not resume:
            for plan in plans:
                check_free(folder / plan.benchmark.name)
        if under_test is None:
            warm_meanwhile(plans)
        opens = RewardsUnderTest(under_test) if under_test else open_generator(name, generator, **keys)
    with closing(opens) as opened:
        results, stopped = _run_all(plans, opened, folder, out is None, resume, name)
    if as_json:
        click.echo(json.dumps([{"folder": str(path), **result} for path, result in results], indent=2))
    elif results:
        show_results(results)
    if isinstance(stopped, KeyboardInterrupt):
        raise stopped
    if stopped is not None:
        click.echo(f"error: {stopped}", err=True)
        return 1
    failed = sum(result["scores"]["total"]["failed"] for _, result in results)
    return int(failed > 0 and not allow_failures)


def _read_rewards(
    model: str | None, rewards: tuple[str, ...], options: tuple[str, ...], for_models: bool
) -> "Mix | None":
    """The rewards to be evaluated; None where it is a model."""
    from hub.cli.mix_options import read_mix

    if bool(model) == bool(rewards):
        raise click.UsageError("give a MODEL, or rewards with --reward in its place")
    if not rewards:
        return None
    if for_models:
        raise click.UsageError("rewards complete nothing: what tells a model how to goes with MODEL only")
    files = [one for one in rewards if one.endswith(".toml")]
    if files and len(rewards) > 1:
        raise click.UsageError("--reward names one mix file, or rewards")
    return read_mix((), files[0], options) if files else read_mix(rewards, None, options)


def _check_kind(plan: "Plan", under_test: "Mix | None") -> None:
    from hub.evaluation.valued import check_valued

    if under_test is not None:
        check_valued(under_test, plan.benchmark.name, plan.rows)
    elif "completions" in plan.rows[0]:
        raise click.UsageError(
            f"the rows of {plan.benchmark.name!r} come with completions, to evaluate rewards on: "
            "give --reward in place of MODEL"
        )


def _run_all(
    plans: "Sequence[Plan]", generator: Any, folder: Path, by_recipe: bool, resume: bool, model: str
) -> tuple[list[tuple[Path, dict[str, Any]]], HubError | KeyboardInterrupt | None]:
    """Run each benchmark; return folders and results, and what stopped it, if anything did."""
    from hub.evaluation.folder import check_free
    from hub.evaluation.recipe import hash_recipe
    from hub.evaluation.run import evaluate

    results: list[tuple[Path, dict[str, Any]]] = []
    about = {
        "argument": _without_password(model),
        "command": _without_password(shlex.join(["hub", *sys.argv[1:]])),
    }
    names = [plan.benchmark.name for plan in plans]
    if by_recipe:
        recipes = [plan.recipe(generator.describe()) for plan in plans]
        names = [f"{name}-{hash_recipe(recipe)}" for name, recipe in zip(names, recipes, strict=True)]
    if not resume:
        for name in names:
            check_free(folder / name)
    for plan, name in zip(plans, names, strict=True):
        path, begun = folder / name, False

        def tell(done: int, failed: int) -> None:
            nonlocal begun
            begun = True
            show(done, failed)

        try:
            with _progress(plan) as show:
                result = evaluate(plan, generator, path, resume=resume, about=about, progress=tell)
        except (GeneratorError, RewardFailed, KeyboardInterrupt) as error:
            _tell_unfinished(path, error)
            return results, error
        except DataError as error:
            if not (begun or results):
                raise
            if begun:
                _tell_unfinished(path, error)
            return results, error
        results.append((path, result))
    return results, None


def _tell_unfinished(path: Path, error: BaseException) -> None:
    """Say what is left of a run."""
    if path.is_dir():
        when = "" if isinstance(error, KeyboardInterrupt) else "once the cause is gone, "
        click.echo(
            f"what is done is in {path}: {when}the same command with --resume goes on from there", err=True
        )


@contextmanager
def _progress(plan: "Plan") -> "Iterator[Progress]":
    """Show a bar with rate and time left on stderr."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "")

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(plan.benchmark.name, total=plan.completions)
        first = True

        def show(done: int, failed: int) -> None:
            nonlocal first
            name = plan.benchmark.name + (f" ({failed} failed)" if failed else "")
            if first:  # what was there already says nothing about the rate
                progress.reset(task, total=plan.completions, completed=done, description=name)
            first = False
            progress.update(task, completed=done, description=name)

        yield show


def _benchmark_options(texts: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Options by benchmark; one without a benchmark's name is for all."""
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key, value in _read_options(texts, "--benchmark-option").items():
        benchmark, dot, option = key.rpartition(".")
        if dot and benchmark not in found:
            raise click.UsageError(f"--benchmark-option {key}: --on does not name a benchmark {benchmark!r}")
        for name in [benchmark] if dot else names:
            found[name][option] = value
    return found


def _read_options(texts: Sequence[str], flag: str) -> dict[str, Any]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise click.UsageError(f"{flag} {text}: should be NAME=VALUE")
        found[name] = read_value(value)
    return found


def _slug(model: str) -> str:
    path = Path(model)
    name = path.resolve().name if path.is_dir() else re.sub(r"^https?://", "", _without_password(model))
    return re.sub(r"[^\w.@-]+", "-", name).strip("-") or "model"


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]*@", "//", text)
