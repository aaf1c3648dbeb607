"""Results of lm-eval as run folders: `results_*.json` and `samples_*.jsonl` (`lm_eval run --log_samples`).

Each task becomes a run that is marked as imported: its recipe names lm-eval and its version, so it is never
taken for one of the hub's own. A document is a sample, each metric under each filter a reward, and the total
is the first of these, as for the hub's own `lm-eval/TASK`. What lm-eval aggregates is kept beside it.

Not here: tasks without a number for each document, such as perplexities of a corpus.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isclose, isfinite
from pathlib import Path
from typing import Any

import hub
from hub.errors import DataError
from hub.evaluation.folder import FORMAT, Key, open_folder
from hub.evaluation.recipe import hash_recipe
from hub.evaluation.summary import account
from hub_results.lm_eval_files import find_samples, read_documents, read_results

ELSEWHERE = ("task", "task_alias", "tag", "group", "dataset_path", "dataset_name", "dataset_kwargs")
"""Keys of a task's configuration that decide no number: names, and where data is, whose hash counts."""
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True)
class Imported:
    """A task that is a run now.

    Args:
        task: lm-eval's name of it.
        folder: the run.
        is_new: it was not there before.
    """

    task: str
    folder: Path
    is_new: bool


def import_file(file: Path, out: Path) -> Iterator[Imported | DataError]:
    """Write each task of a file of results as a run; yield what it became, or what is wrong with it.

    A task that was imported before is left as it is.

    Args:
        file: lm-eval's `results_*.json`; its samples lie beside it.
        out: where the runs' folders are made: OUT/MODEL/lm-eval-TASK-HASH.

    Raises:
        DataError: the file cannot be read, or is of a version that is not known.
    """
    results = read_results(file)
    for task in results["configs"]:
        try:
            yield _import_task(file, results, task, out)
        except DataError as error:
            yield error
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            yield DataError(f"{file}: {task}: is not what lm-eval writes ({type(error).__name__}: {error})")


def _import_task(file: Path, results: Mapping[str, Any], task: str, out: Path) -> Imported:
    samples_file = find_samples(file, task)
    content = samples_file.read_bytes()
    documents = read_documents(samples_file, content)
    metrics = _metrics(documents)
    if not metrics:
        raise DataError(
            f"{samples_file}: no metric has a number for each document, so there is nothing to import"
        )
    samples = _samples(documents, metrics)
    recipe = _recipe(results, task, documents, metrics)
    digest = hashlib.sha256(content).hexdigest()
    folder = out / _slug(_short(_name(results))) / f"lm-eval-{_slug(task)}-{digest[:16]}"
    if (folder / "result.json").is_file():
        return Imported(task, folder, is_new=False)
    result = _result(file, results, task, recipe, samples, metrics, digest)
    with open_folder(folder, recipe, resume=True) as run:
        run.forget(list(run.samples))  # of an import that was stopped
        run.add_samples(samples.items())
        run.finish(result)
    return Imported(task, folder, is_new=True)


def _metrics(documents: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Metric and filter of what has a number for every document, in lm-eval's order."""
    named = list(dict.fromkeys((name, line["filter"]) for line in documents for name in line["metrics"]))
    known = {(name, line["filter"]): True for line in documents for name in line["metrics"]}
    for line in documents:
        for name in line["metrics"]:
            value = line.get(name)
            if value is not None and not isinstance(value, bool | int | float):
                known[name, line["filter"]] = False
    filters = list(dict.fromkeys(line["filter"] for line in documents))
    ordered = sorted(named, key=lambda one: filters.index(one[1]))
    return [one for one in ordered if known[one]]


def _samples(
    documents: Sequence[Mapping[str, Any]], metrics: Sequence[tuple[str, str]]
) -> dict[Key, dict[str, Any]]:
    by_document: dict[int, dict[str, Mapping[str, Any]]] = {}
    for line in documents:
        by_document.setdefault(int(line["doc_id"]), {})[line["filter"]] = line
    samples = {}
    for row, (number, by_filter) in enumerate(by_document.items()):
        first = next(iter(by_filter.values()))
        scores = {
            f"{name},{kind}": _score(
                by_filter[kind].get(name) if kind in by_filter else None, by_filter.get(kind)
            )
            for name, kind in metrics
        }
        asked = {
            "id": number,
            "doc": first["doc"],
            "target": first.get("target"),
            **_asked(first),
        }
        samples[row, 0] = {
            **asked,
            "result": {
                "row": row,
                "sample": 0,
                "finish": "unknown",
                "tokens": None,
                "total": {key: value for key, value in next(iter(scores.values())).items() if key != "info"},
                "scores": scores,
            },
        }
    return samples


def _asked(line: Mapping[str, Any]) -> dict[str, Any]:
    """Prompt, completion, and the choices or further completions where there are such."""
    arguments = [line["arguments"][key] for key in sorted(line["arguments"], key=_number)]
    prompt = arguments[0].get("arg_0", "")
    responses = line["resps"]
    first = responses[0][0]
    if isinstance(first, str):
        more = {"completions": responses[0]} if len(responses[0]) > 1 else {}
        return {"prompt": prompt, "completion": first, **more}
    logarithms = [float(response[0][0]) for response in responses]
    choices = [str(argument.get("arg_1", "")) for argument in arguments]
    best = max(range(len(choices)), key=lambda at: logarithms[at])
    greedy = [str(response[0][1]) == "True" for response in responses]
    likelihoods = [list(pair) for pair in zip(logarithms, greedy, strict=True)]
    return {
        "prompt": prompt,
        "completion": choices[best],
        "continuations": choices,
        "likelihoods": likelihoods,
    }


def _score(value: Any, line: Mapping[str, Any] | None) -> dict[str, Any]:
    if value is None or not isfinite(value):
        detail = "lm-eval has no number for this document"
        return {"value": None, "outcome": "failed", "reason": "exception", "detail": detail}
    filtered = (line or {}).get("filtered_resps") or [None]
    info = {"answer": filtered[0]} if isinstance(filtered[0], str) else {}
    scored = {"value": float(value), "outcome": "scored", "reason": ""}
    return {**scored, "info": info} if info else scored


def _recipe(
    results: Mapping[str, Any],
    task: str,
    documents: Sequence[Mapping[str, Any]],
    metrics: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    config, about = results["configs"][task], results["config"]
    rows = {int(line["doc_id"]): line for line in documents}
    version, tool = results["lm_eval_version"], results.get("versions", {}).get(task)
    hashed = "".join(f"{line.get('doc_hash')} {line.get('target_hash')}\n" for line in rows.values())
    options = {
        "num_fewshot": results.get("n-shot", {}).get(task),
        "chat_template": bool(results.get("chat_template")),
        "system_instruction": results.get("system_instruction"),
        "fewshot_as_multiturn": bool(results.get("fewshot_as_multiturn")),
        "fewshot_seed": about.get("fewshot_seed"),
        "configuration": _configuration(config),
    }
    code = f"lm-eval {version}, {task} version {tool}"
    mix = [{"name": f"{name},{kind}", "use": "lm-eval", "code": code} for name, kind in metrics]
    return {
        "imported": {"tool": "lm-eval", "version": version},
        "benchmark": {
            "name": f"lm-eval/{task}",
            "split": str(config.get("test_split") or config.get("validation_split") or "?"),
            "options": {
                key: value for key, value in options.items() if value is not False and value not in (None, "")
            },
            "rows": len(rows),
            "data_hash": hashlib.sha256(hashed.encode()).hexdigest(),
        },
        "model": _model(results),
        "decoding": _decoding(documents[0]),
        "samples_per_prompt": 1,
        "mix": {"on_failure": "mask", "aggregate": "first", "rewards": mix},
    }


def _configuration(config: Mapping[str, Any]) -> str:
    """Return digits that stand for how a task asks and grades: one name and version may have several ways."""
    about = config.get("metadata") or {}
    kept = {key: value for key, value in config.items() if key not in (*ELSEWHERE, "metadata")}
    kept |= {key: value for key, value in about.items() if key.startswith("hub_")}  # a benchmark of the hub
    text = _ADDRESS.sub("", json.dumps(kept, sort_keys=True, default=str))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _name(results: Mapping[str, Any]) -> str:
    about = results["config"]
    return str(results.get("model_name") or about.get("model_sha") or about.get("model") or "unknown")


def _model(results: Mapping[str, Any]) -> dict[str, Any]:
    """What the model is known by; where it lay on a disk is told by the result alone."""
    about = results["config"]
    found = {
        "generator": "lm-eval",
        "backend": about.get("model"),
        "model": None if _is_path(_name(results)) else _name(results),
        "revision": about.get("model_revision"),
        "sha": about.get("model_sha"),
        "dtype": about.get("model_dtype"),
        "parameters": about.get("model_num_parameters"),
        "chat_template": results.get("chat_template_sha"),
    }
    return {key: value for key, value in found.items() if value not in (None, "")}


def _short(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2] if _is_path(name) else name


def _is_path(name: str) -> bool:
    return name.startswith(("/", ".", "~")) or name.count("/") > 1


def _decoding(line: Mapping[str, Any]) -> dict[str, Any]:
    """How the first document was asked, in the hub's words; None for what is not said or does not apply."""
    given = line["arguments"]["gen_args_0"].get("arg_1")
    asked: Mapping[str, Any] = given if isinstance(given, dict) else {}
    stop = asked.get("until") or []
    samples = bool(asked.get("do_sample", asked.get("temperature")))
    return {
        "max_new_tokens": asked.get("max_gen_toks", asked.get("max_new_tokens", asked.get("max_tokens"))),
        "temperature": float(asked.get("temperature", 1.0)) if samples else 0.0,
        "top_p": asked.get("top_p", 1.0),
        "stop": [stop] if isinstance(stop, str) else list(stop),
        "seed": None,
    }


def _result(
    file: Path,
    results: Mapping[str, Any],
    task: str,
    recipe: Mapping[str, Any],
    samples: Mapping[Key, Mapping[str, Any]],
    metrics: Sequence[tuple[str, str]],
    digest: str,
) -> dict[str, Any]:
    names = [f"{name},{kind}" for name, kind in metrics]
    lines = {key: line["result"] for key, line in samples.items()}
    rewards = {name: account({key: line["scores"][name] for key, line in lines.items()}) for name in names}
    said = results["results"][task]
    if said.get("sample_len", len(samples)) != len(samples):
        raise DataError(f"{file}: {task}: its samples are {len(samples)} of {said['sample_len']} documents")
    _check_means(file, task, results["configs"][task], rewards, said)
    total_rows = int(results["n-samples"][task]["original"])
    flags = [f"imported from lm-eval {results['lm_eval_version']}: not made or graded by the hub"]
    if len(samples) < total_rows:
        flags.append(f"only the first {len(samples)} of {total_rows} rows")
    started = float(results.get("date") or 0.0)
    seconds = float(results.get("total_evaluation_time_seconds") or 0.0)
    versions = {"lm_eval": "lm_eval_version", "transformers": "transformers_version"}
    return {
        "format": FORMAT,
        "recipe": hash_recipe(recipe),
        "scores": {
            "total": account({key: line["total"] for key, line in lines.items()}),
            "rewards": rewards,
            "categories": {},
            **_aggregates(said, names),
        },
        "completions": {"count": len(samples), "finish": {"unknown": len(samples)}, "mean_tokens": None},
        "flags": flags,
        "benchmark": {
            **recipe["benchmark"],
            "total_rows": total_rows,
            "summary": f"The task {task} of lm-eval.",
            "offered_by": f"lm-eval {results['lm_eval_version']}",
            "sources": [],
        },
        "decoding": recipe["decoding"],
        "samples_per_prompt": 1,
        "mix": recipe["mix"],
        "model": {**recipe["model"], **({"folder": _name(results)} if _is_path(_name(results)) else {})},
        "versions": {
            "hub": hub.__version__,
            **{name: results[key] for name, key in versions.items() if results.get(key)},
        },
        "time": {
            "started": _iso(started),
            "finished": _iso(started + seconds),
            "seconds": round(seconds, 3),
            "resumed_at": 0,
        },
        "imported": {
            "results": file.name,
            "samples_sha256": digest,
            "git_hash": results.get("git_hash"),
            "higher_is_better": results.get("higher_is_better", {}).get(task, {}),
            "config": results["config"],
        },
    }


def _aggregates(said: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What lm-eval reports beside the means of `names`: its own aggregates, with their standard errors."""
    values = {key: value for key, value in said.items() if isinstance(value, int | float) and isfinite(value)}
    found = {
        key: float(value)
        for key, value in values.items()
        if "," in key and key not in names and not key.partition(",")[0].endswith("_stderr")
    }
    errors = {key: values.get(key.replace(",", "_stderr,", 1)) for key in found}
    return {
        "metrics": found,
        "metric_estimates": {key: {"standard_error": e} for key, e in errors.items() if e is not None},
    }


def _check_means(
    file: Path,
    task: str,
    config: Mapping[str, Any],
    rewards: Mapping[str, Mapping[str, Any]],
    said: Mapping[str, Any],
) -> None:
    """Raise where a mean that lm-eval reports is not that of its samples."""
    how = {
        one["metric"]: one.get("aggregation") for one in config.get("metric_list") or () if "metric" in one
    }
    for name, found in rewards.items():
        value, mean = said.get(name), found["mean"]
        if (
            how.get(name.rpartition(",")[0]) != "mean"
            or found["failed"]
            or not isinstance(value, int | float)
        ):
            continue
        if not isclose(value, mean, rel_tol=1e-6, abs_tol=1e-9):
            raise DataError(f"{file}: {task}: says {name} {value:g}, but its samples make {mean:g}")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _number(name: str) -> int:
    return int(name.rpartition("_")[2])


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "x"
