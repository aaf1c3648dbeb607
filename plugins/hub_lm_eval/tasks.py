"""Any task of lm-eval as a benchmark: `lm-eval/gsm8k`, or `lm-eval/path/to/task.yaml`.

Prompts, few-shot examples, filters and metrics are lm-eval's own, made by its code with its seeds. The score
of a completion is the task's first metric under its first filter; every metric, aggregated as lm-eval does,
is reported beside it under lm-eval's names ("exact_match,strict-match"). `grade.py` computes them.

Not here: groups and tags (name their tasks), tasks that repeat each prompt, that need images or sound, or
that run code without walls (`humaneval` and `mbpp` of the hub run it in a sandbox).
"""

import json
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from io import StringIO
from math import nan
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from hub.benchmark import Benchmark
from hub.deferred import is_ours
from hub.errors import ConfigError, DataError, OptionError, nearest
from hub.generator import Decoding
from hub_lm_eval.aggregate import mean
from hub_lm_eval.find_task import find_task
from hub_lm_eval.plain import plain
from hub_lm_eval.task_process import shared

REWARD = "lm-eval-task"
SEEDS = {"python": 0, "numpy": 1234, "few_shot": 1234}
"""What lm-eval 0.4.13 seeds before it loads tasks, and the examples of a prompt with."""
LONGEST = 256
"""New tokens where a task does not say how many, in lm-eval's backends."""
_LENGTHS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_UNSUPPORTED = ("num_beams", "top_k", "min_p", "typical_p", "repetition_penalty", "no_repeat_ngram_size")

_States: TypeAlias = tuple[Any, Any]
_log = logging.getLogger(__name__)


def make(rest: str) -> Benchmark:
    """Return the benchmark `lm-eval/REST`.

    Args:
        rest: a task's name, or the path of a YAML file.

    Raises:
        UnknownName: lm-eval has no such task.
        ConfigError: it is a group, runs code without walls, or needs decoding that the hub has not.
    """
    path = find_task(rest)
    config = read_config(path, resolve=False)
    name = config.get("task")
    if not isinstance(name, str):
        raise ConfigError(f"{path} is no task of lm-eval: it has no name under `task`, or is a group")
    if config.get("unsafe_code"):
        raise ConfigError(
            f"lm-eval/{name} runs what the model wrote without walls: use the hub's own benchmark, which "
            "runs it in a sandbox"
        )
    generates = config.get("output_type", "generate_until") == "generate_until" and "class" not in config
    decoding = read_decoding(name, config.get("generation_kwargs"), config) if generates else Decoding()

    def rows(
        split: str, num_fewshot: int | None = None, chat: bool = False, system: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the prompts of a task.

        Args:
            split: the one that the task is evaluated on.
            num_fewshot: worked examples in each prompt; None: as many as the task says.
            chat: give the prompt as chat messages, with examples as earlier turns, for the model's chat
                template; else as plain text, without it. Not for tasks that compare likelihoods.
            system: what to put before everything else.
        """
        options = (path, decoding if generates else None, num_fewshot, chat, system)
        return iter(shared.rows(*options)) if is_ours() else rows_of(*options)

    return Benchmark(
        f"lm-eval/{name}",
        rows,
        {"reward": [{"use": REWARD, "with": {"task": rest}}]},
        f"The task {name} of lm-eval.",
        decoding=decoding,
        metrics=_metrics_of(path),
    )


def read_decoding(name: str, given: Mapping[str, Any] | None, config: Mapping[str, Any]) -> Decoding:
    r"""Return what a task's `generation_kwargs` ask for.

    Args:
        name: the task's.
        given: the `generation_kwargs`; None: lm-eval's own defaults.
        config: the task's configuration, for its `fewshot_delimiter`.

    Raises:
        ConfigError: they ask for something that the hub has not.

    >>> read_decoding("x", {"until": ["\n"], "max_gen_toks": 8}, {}).stop
    ('\n',)
    """
    keys = dict(given or {"do_sample": False})
    until = keys.get("until", config.get("fewshot_delimiter", "\n\n"))
    stop = tuple(one for one in ([until] if isinstance(until, str) else until or ()) if one)
    samples = bool(keys.get("do_sample", keys.get("temperature", 0)))
    asked = [
        key for key in _UNSUPPORTED if keys.get(key) not in (None, 1, 1.0) and (samples or key == "num_beams")
    ]
    if asked:
        raise ConfigError(f"lm-eval/{name} decodes with {', '.join(asked)}, which the hub has not")
    length = next((int(keys[key]) for key in _LENGTHS if keys.get(key)), LONGEST)
    return Decoding(
        max_new_tokens=length,
        temperature=float(keys.get("temperature", 1.0)) if samples else 0.0,
        top_p=float(keys.get("top_p", 1.0)) if samples else 1.0,
        stop=stop,
        chat_template=False,
    )


def read_config(path: Path, *, resolve: bool) -> dict[str, Any]:
    """Return what a task's YAML says, with what it includes.

    Args:
        path: the YAML.
        resolve: import the functions that it names.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return dict(_yaml_loader(resolve).load_yaml(path, resolve_func=resolve))
    except Exception as error:  # YAML's own errors, and what its functions' modules raise
        raise ConfigError(f"{path} cannot be read: {type(error).__name__}: {error}") from error


@cache
def _yaml_loader(resolve: bool) -> ModuleType:
    """lm-eval's module that reads YAML; where it is to import no function, without the package around it."""
    package = find_spec("lm_eval")
    for folder in (package and package.submodule_search_locations) or ():
        file = Path(folder, "tasks/_yaml_loader.py")
        spec = spec_from_file_location("hub_lm_eval_yaml_loader", file)
        if not resolve and file.is_file() and spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    return import_module("lm_eval.tasks._yaml_loader")


def load_task(path: Path) -> Any:
    """Return lm-eval's object for a task, with its data; the same one each time.

    Raises:
        Exception: whatever lm-eval or the task raises, e.g. where its data cannot be had.
    """
    return _load(path)[0]


@cache
def _load(path: Path) -> tuple[Any, "_States"]:
    """The task, and the global generators' states after it was loaded: its prompts may go on drawing."""
    from lm_eval.tasks import TaskManager

    with _drawing(None) as states:
        found = TaskManager(include_defaults=False).load([str(path)])["tasks"]
        (task,) = found.values()
        return task, states()


@contextmanager
def _drawing(begin: "_States | None") -> Iterator[Callable[[], "_States"]]:
    """Seed the global generators as lm-eval does, or go on from states; quietly. Put them back afterwards.

    Yields what returns their states.
    """
    import numpy

    def states() -> _States:
        return random.getstate(), numpy.random.get_state()

    before = states()
    if begin is None:
        random.seed(SEEDS["python"])
        numpy.random.seed(SEEDS["numpy"])
    else:
        random.setstate(begin[0])
        numpy.random.set_state(begin[1])
    try:
        with redirect_stderr(StringIO()):  # bars
            yield states
    finally:
        random.setstate(before[0])
        numpy.random.set_state(before[1])


def rows_of(
    path: Path, decoding: Decoding | None, num_fewshot: int | None, chat: bool, system: str | None
) -> Iterator[dict[str, Any]]:
    """Yield a task's rows, in this process.

    Args:
        path: the task's YAML.
        decoding: of the benchmark, where the task completes prompts.
        num_fewshot: see `make`, as the rest.
        chat: give messages.
        system: what to put before them.

    Raises:
        HubError: the task is none that the hub can run, or an option does not fit it.
        Exception: whatever lm-eval or the task raises.
    """
    if num_fewshot is not None and num_fewshot < 0:
        raise OptionError(f"num_fewshot is at least 0, not {num_fewshot}")
    task, states = _load(path)
    _check_metrics(path, task)
    if getattr(task, "MULTIMODAL", False):
        raise ConfigError(f"{path.stem} needs images or sound, which no generator of the hub takes")
    if chat and task.OUTPUT_TYPE != "generate_until":
        raise OptionError(f"chat is for tasks that complete a prompt; {path.stem} compares likelihoods")
    given = read_config(path, resolve=False).get("num_fewshot")
    if given == 0 and num_fewshot:  # lm-eval's command says so in its log, and goes on without
        raise OptionError(
            f"{path.stem} says num_fewshot: 0, which lm-eval keeps whatever is asked: leave num_fewshot out, "
            "or give a YAML of your own that includes it and says another number"
        )
    task.set_config(key="num_fewshot", value=(given or 0) if num_fewshot is None else num_fewshot)
    task.set_fewshot_seed(seed=SEEDS["few_shot"])
    with _drawing(states):
        task.build_all_requests(
            apply_chat_template=chat,
            system_instruction=system,
            fewshot_as_multiturn=chat,
            chat_template=_as_json if chat else None,
        )
    by_document: dict[int, list[Any]] = {}
    for instance in task.instances:
        by_document.setdefault(instance.doc_id, []).append(instance)
    for number, instances in by_document.items():
        instances.sort(key=lambda instance: instance.idx)
        yield _row(path, task, number, instances, decoding, chat)


def _check_metrics(path: Path, task: Any) -> None:
    """Raise where there is no function for a metric: it would be called when all is generated."""
    functions = getattr(task, "_metric_fn_list", {})
    unknown = [name for name, function in functions.items() if function is None]
    if not unknown or task.OUTPUT_TYPE != "generate_until" or task.config.process_results is not None:
        return
    from lm_eval.api.registry import metric_registry

    raise ConfigError(
        f"{path.stem}: lm-eval does not know its metric {unknown[0]!r}, nor can it be had from the package "
        f"evaluate{nearest(unknown[0], list(metric_registry))}"
    )


def _row(
    path: Path, task: Any, number: int, instances: Sequence[Any], decoding: Decoding | None, chat: bool
) -> dict[str, Any]:
    first = instances[0]
    if (first.repeats or 1) > 1:
        raise ConfigError(
            f"{path.stem} makes {first.repeats} completions of each prompt, which the hub does not"
        )
    row = {
        "id": number,
        "prompt": first.args[0],
        "doc": plain(first.doc),
        "target": plain(task.doc_to_target(first.doc)),
        "multiple": [getattr(task, "multiple_input", 0), getattr(task, "multiple_target", 0)],
    }
    kinds = {instance.request_type for instance in instances}
    if kinds == {"generate_until"} and len(instances) == 1 and decoding is not None:
        if read_decoding(path.stem, first.args[1], {}) != decoding:
            raise DataError(f"document {number} of {path.stem} asks for decoding of its own")
        return row | {"prompt": _messages(path, first.args[0])} if chat else row
    if kinds == {"loglikelihood"}:
        return row | {"continuations": [list(instance.args) for instance in instances]}
    if kinds == {"loglikelihood_rolling"} and len(instances) == 1:
        return row | {"continuations": [[None, first.args[0]]]}
    raise ConfigError(
        f"{path.stem} asks for {' and '.join(sorted(kinds))} of one document, which the hub does not know"
    )


def _as_json(messages: Sequence[Mapping[str, Any]], add_generation_prompt: bool = True) -> str:
    return json.dumps({"messages": list(messages), "answers": add_generation_prompt})


def _messages(path: Path, context: str) -> list[dict[str, Any]]:
    found = json.loads(context)
    if not found["answers"]:
        raise OptionError(f"{path.stem} begins the model's answer for it, which works without chat only")
    return list(found["messages"])


def _metrics_of(path: Path) -> Callable[[Sequence[Mapping[str, Any]]], dict[str, float]]:
    def metrics(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        """Aggregate each metric over the documents as lm-eval does; those that failed are left out."""
        values: dict[str, list[Any]] = {}
        for line in lines:
            for scores in line["result"]["scores"].values():
                for key, value in scores.get("info", {}).get("metrics", {}).items():
                    values.setdefault(key, []).append(value)
        return shared.aggregate(path, values) if is_ours() else aggregate(path, values)

    return metrics


def aggregate(path: Path, values: Mapping[str, Sequence[Any]]) -> dict[str, float]:
    """Return each metric over its values, as lm-eval has it, in this process.

    Args:
        path: the task's YAML.
        values: by lm-eval's name of the metric, "exact_match,strict-match".
    """
    aggregations = load_task(path).aggregation()
    found = {}
    for key, items in values.items():
        function = aggregations.get(key.rpartition(",")[0], mean)
        try:
            found[key] = float(function(items))
        except Exception as error:  # one metric that cannot be had hides no other
            _log.warning("%s of %s: %s: %s", key, path.stem, type(error).__name__, error)
            found[key] = nan
    return found
