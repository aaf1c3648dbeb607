"""Runs in the schema of every_eval_ever 0.3.0: an aggregate record, and a line per sample."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.evaluation.recipe import hash_recipe
from hub.evaluation.statistics import RESAMPLES
from hub.evaluation.stored import TOTAL, StoredRun
from hub_results.listing import finished, metrics_of

VERSION = "0.3.0"
_METHODS = {
    "wilson": "wilson",
    "korn-graubard": "Korn and Graubard, clustered by prompt",
    "bootstrap": "bootstrap over prompts",
}


def aggregate(
    run: StoredRun, samples_file: str, checksum: str, *, retrieved: float, organization: str
) -> dict[str, Any]:
    """Return the record of a run.

    Args:
        run: what was evaluated.
        samples_file: path of the file with its samples, as `detailed_evaluation_results` names it.
        checksum: SHA-256 of that file.
        retrieved: seconds since 1970 at which the record is made.
        organization: who ran the evaluation.
    """
    versions = run.result.get("versions", {})
    return {
        "schema_version": VERSION,
        "evaluation_id": f"{run.benchmark}/{model_id(run)}/{retrieved:.0f}",
        "evaluation_timestamp": _epoch(finished(run)) or f"{retrieved:.0f}",
        "retrieved_timestamp": f"{retrieved:.0f}",
        "source_metadata": {
            "source_name": "posttrain-hub",
            "source_type": "evaluation_run",
            "source_organization_name": organization,
            "evaluator_relationship": "other",
            "additional_details": {
                "recipe_hash": hash_recipe(run.recipe),
                "flags": "; ".join(run.result["flags"]),
            },
        },
        "eval_library": {
            "name": run.recipe["imported"]["tool"] if run.imported else "posttrain-hub",
            "version": str(
                run.recipe["imported"]["version"] if run.imported else versions.get("hub", "unknown")
            ),
            "additional_details": {
                "versions": _text(versions),
                "hardware": _text(run.result.get("hardware")),
            },
        },
        "model_info": {
            "name": run.model,
            "id": model_id(run),
            "additional_details": _model_details(run),
        },
        "evaluation_results": [
            _metric(run, name, found) for name, found in metrics_of(run).items() if found["mean"] is not None
        ],
        "detailed_evaluation_results": {
            "format": "jsonl",
            "file_path": samples_file,
            "hash_algorithm": "sha256",
            "checksum": checksum,
            "total_rows": len(run.samples),
        },
    }


def instances(run: StoredRun, evaluation_id: str) -> Iterator[dict[str, Any]]:
    """Yield a line per completion that has a value; the others are counted in the aggregate.

    Args:
        run: what was evaluated.
        evaluation_id: of the aggregate record.
    """
    scores = run.scores()
    values = [score["value"] for score in scores.values() if score["value"] is not None]
    highest = max(values, default=0.0)
    for key, line in sorted(run.samples.items()):
        value = scores[key]["value"]
        if value is None:
            continue
        references = [str(line["answer"])] if "answer" in line else []
        transcript = _transcript(line)
        asked = line["prompt"] if transcript is None else _own(line["prompt"])
        prompt, tokens = _plain_text(asked), line["result"]["tokens"]
        yield {
            "schema_version": VERSION,
            "evaluation_id": evaluation_id,
            "model_id": model_id(run),
            "evaluation_name": run.benchmark,
            "evaluation_result_id": f"{run.benchmark}/{TOTAL}",
            "sample_id": f"{line['id']}" if key[1] == 0 else f"{line['id']}#{key[1]}",
            "sample_hash": hashlib.sha256((prompt + "".join(references)).encode()).hexdigest(),
            "interaction_type": "single_turn" if transcript is None else "multi_turn",
            "input": {"raw": prompt, "reference": references},
            "output": {"raw": [_plain_text(line["completion"])]} if transcript is None else None,
            "messages": transcript,
            "answer_attribution": _attribution(line["result"]["scores"], transcript),
            "evaluation": {
                "score": value,
                "is_correct": value == highest and highest >= 1,
                **({} if transcript is None else {"num_turns": _turns(transcript)}),
            },
            **({} if tokens is None else {"metadata": {"output_tokens": str(tokens)}}),
        }


def model_id(run: StoredRun) -> str:
    """Return the model's id; of a local one its folder's name and the first digits of its weights' hash."""
    if re.fullmatch(r"[\w.-]+/[\w.-]+", run.model) and not run.recipe["model"].get("weights"):
        return run.model
    weights = str(run.recipe["model"].get("weights", ""))[:8]
    name = re.sub(r"[^\w.-]+", "-", run.model.rstrip("/").rpartition("/")[2]) or "model"
    return f"local/{name}{weights and '-' + weights}"


def _model_details(run: StoredRun) -> dict[str, str]:
    is_local = bool(run.recipe["model"].get("weights"))
    return {
        **{key: _text(value) for key, value in run.recipe["model"].items()},
        "deployment_type": "self_deployed" if is_local else "unknown",
        "model_availability": "unknown",
    }


def _metric(run: StoredRun, name: str, account: Mapping[str, Any]) -> dict[str, Any]:
    decoding = run.recipe["decoding"]
    interval = account.get("interval_95")
    error = account.get("standard_error")
    uncertainty: dict[str, Any] = {"num_samples": account["n"]}
    if interval:
        method = account.get("interval_method", "")
        ends = {"lower": interval[0], "upper": interval[1], "confidence_level": 0.95}
        uncertainty["confidence_interval"] = {**ends, "method": _METHODS.get(method, method)}
        if method == "bootstrap":
            uncertainty["num_bootstrap_samples"] = RESAMPLES
    if error is not None:
        uncertainty["standard_error"] = {"value": error, "method": "analytic"}
    details = {
        key: _text(account[key])
        for key in ("scored", "abstained", "failed", "failed_by_reason", "mean_if_failed_are_0")
        if key in account
    }
    benchmark = run.recipe["benchmark"]
    return {
        "evaluation_result_id": f"{run.benchmark}/{name}",
        "evaluation_name": run.benchmark,
        "source_data": {
            "dataset_name": run.benchmark,
            "source_type": "other",
            "additional_details": {
                key: _text(benchmark[key]) for key in ("split", "rows", "data_hash", "options")
            },
        },
        "metric_config": {
            "metric_id": name,
            "metric_name": name,
            "metric_unit": "points",
            "lower_is_better": _lower_is_better(run, name),
            "score_type": "continuous",
            "min_score": "-Infinity",
            "max_score": "Infinity",
        },
        "score_details": {"score": account["mean"], "details": details, "uncertainty": uncertainty},
        "generation_config": {
            "generation_args": {
                "temperature": decoding["temperature"],
                "top_p": decoding["top_p"],
                "max_tokens": decoding["max_new_tokens"],
            },
            "additional_details": {
                "seed": _text(decoding["seed"]),
                "stop": _text(decoding["stop"]),
                "samples_per_prompt": _text(run.recipe["samples_per_prompt"]),
            },
        },
    }


def _lower_is_better(run: StoredRun, metric: str) -> bool:
    """Of a category: what counts for it is the headline's reward that takes its rows, else the total."""
    about = run.result["benchmark"]
    lower = set(about.get("lower_is_better") or ())
    if not metric.startswith("category:"):
        return metric.removeprefix("metric:") in lower
    headline = list(about.get("headline") or ())
    if not lower.intersection(headline):
        return False
    name = metric.removeprefix("category:")
    scores = (line["result"]["scores"] for line in run.samples.values() if line.get(run.category) == name)
    counts = (next((one for one in headline if score[one]["outcome"] != "abstained"), "") for score in scores)
    return next(filter(None, counts), "") in lower


def _transcript(line: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """All messages of a turn that goes on after an earlier one; None for any other prompt."""
    if line.get("after") is None:
        return None
    said = [*line["prompt"], {"role": "assistant", "content": line["completion"]}]
    return [
        {"turn_idx": index, "role": message["role"], "content": _plain_text(message.get("content"))}
        for index, message in enumerate(said)
    ]


def _own(prompt: Sequence[Mapping[str, Any]]) -> Any:
    """What this turn asks, without what the model has answered before: equal for all models."""
    answers = [index for index, message in enumerate(prompt) if message["role"] == "assistant"]
    asked = prompt[max(answers, default=-1) + 1 :]
    return asked[0]["content"] if len(asked) == 1 else asked


def _turns(transcript: Sequence[Mapping[str, Any]]) -> int:
    return sum(message["role"] == "assistant" for message in transcript)


def _attribution(scores: Mapping[str, Any], transcript: Sequence[Any] | None) -> list[dict[str, Any]]:
    """What each reward says it read in the completion."""
    turn = 0 if transcript is None else len(transcript) - 1
    source = "output.raw" if transcript is None else f"messages[{turn}].content"
    found = []
    for name, score in scores.items():
        extracted = score.get("info", {}).get("answer")
        if isinstance(extracted, str):
            what = {"turn_idx": turn, "source": source, "extracted_value": extracted}
            found.append({**what, "extraction_method": name, "is_terminal": True})
    return found


def _plain_text(text: Any) -> str:
    return text if isinstance(text, str) else json.dumps(text, ensure_ascii=False, default=str)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _epoch(when: str) -> str:
    return f"{datetime.fromisoformat(when).timestamp():.0f}" if when else ""
