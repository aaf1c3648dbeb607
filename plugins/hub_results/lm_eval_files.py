"""Files that lm-eval writes: `results_*.json`, and `samples_*.jsonl` beside it (`lm_eval run --log_samples`).

Their form is that of lm-eval 0.4.9, 0.4.11 and 0.4.13 (`lm_eval/loggers/evaluation_tracker.py`,
`lm_eval/evaluator.py`).
"""

import json
import re
from pathlib import Path
from typing import Any

from hub.errors import DataError

OLDEST, NEWEST = (0, 4, 9), (0, 4, 13)
"""Versions of lm-eval whose files are known."""
_DATE = re.compile(r".*_(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?)\.json")


def find_results(path: Path) -> list[Path]:
    """Return lm-eval's files of results: the one that is named, or all below a folder.

    Raises:
        DataError: there is none.
    """
    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob("*.json") if _DATE.fullmatch(file.name))
    if not found:
        raise DataError(
            f"{path}: holds no results of lm-eval (results_*.json), which `lm_eval run --output_path FOLDER "
            "--log_samples` writes"
        )
    return found


def find_samples(file: Path, task: str) -> Path:
    """Return the file with a task's samples that belongs to a file of results.

    Raises:
        DataError: it is not there.
    """
    date = _DATE.fullmatch(file.name)
    samples = file.with_name(f"samples_{task}_{date[1] if date else ''}.jsonl")
    if not samples.is_file():
        raise DataError(f"{file}: {task}: there is no {samples.name}: run lm_eval with --log_samples")
    return samples


def read_results(file: Path) -> dict[str, Any]:
    """Return what a file of results holds.

    Raises:
        DataError: it cannot be read, is something else, or is of a version that is not known.
    """
    try:
        results = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from error
    if not isinstance(results, dict) or not {"results", "configs", "n-samples"} <= results.keys():
        raise DataError(f"{file}: is no file of results of lm-eval")
    version = results.get("lm_eval_version")
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version) if isinstance(version, str) else None
    if numbers is None or not OLDEST <= tuple(map(int, numbers.groups())) <= NEWEST:
        known = " to ".join(".".join(map(str, bound)) for bound in (OLDEST, NEWEST))
        raise DataError(
            f"{file}: was written by lm-eval {version or 'of an unknown version'}; what is known is {known}: "
            "run it with one of these"
        )
    return results


def read_documents(file: Path, content: bytes) -> list[dict[str, Any]]:
    """Return samples, a line per document and filter: documents in order, filters as they first come.

    Args:
        file: for messages.
        content: what it holds.

    Raises:
        DataError: a line is no sample, is of a document that was there before, or there is none.
    """
    lines: list[dict[str, Any]] = []
    known: dict[tuple[str, str], int] = {}
    for number, line in enumerate(content.splitlines(), 1):
        try:
            lines.append(json.loads(line))
            assert {"doc_id", "doc", "filter", "metrics", "arguments", "resps"} <= lines[-1].keys()
        except (ValueError, AttributeError, AssertionError) as error:
            raise DataError(
                f"{file}:{number}: is no sample of lm-eval ({type(error).__name__}: {error})"
            ) from None
        first = known.setdefault((str(lines[-1]["doc_id"]), str(lines[-1]["filter"])), number)
        if first < number:
            raise DataError(f"{file}:{number}: is of the same document as line {first}")
    if not lines:
        raise DataError(f"{file}: holds no samples")
    return sorted(lines, key=lambda line: int(line["doc_id"]))
