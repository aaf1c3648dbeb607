"""Runs that were written: found, read, and their values by prompt."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, DataError, nearest
from hub.evaluation.folder import FORMAT, Key

TOTAL = "score"
"""What tables call the mix's total."""

OURS = ("id", "prompt", "completion", "likelihoods", "result")
"""Of a line of samples.jsonl, what is no column of the benchmark's row that rewards or people sort by."""
RECIPE = {
    "benchmark": {"name": str, "split": str, "options": dict, "rows": int, "data_hash": str},
    "model": dict,
    "decoding": dict,
    "samples_per_prompt": int,
    "mix": {"rewards": list},
}
"""What every recipe has; of other kinds nothing is read."""
_ACCOUNT = {"n": int, "completions": int, "failed": int, "pass_at_k": dict}
RESULT = {
    "scores": {"total": _ACCOUNT, "rewards": dict, "categories": dict},
    "completions": {"count": int, "finish": dict},
    "flags": list,
    "benchmark": {"total_rows": int},
    "model": dict,
}


@dataclass(frozen=True)
class StoredRun:
    """A complete run.

    Args:
        path: its folder.
        recipe: what was run (see `hub.evaluation.recipe`).
        result: what result.json holds.
    """

    path: Path
    recipe: Mapping[str, Any]
    result: Mapping[str, Any]

    @property
    def benchmark(self) -> str:
        """The benchmark's name."""
        return str(self.recipe["benchmark"]["name"])

    @property
    def model(self) -> str:
        """The model's name, for people."""
        model = {**self.result.get("model", {}), **self.recipe["model"]}
        names = (model.get(key) for key in ("model", "id", "folder", "address", "weights"))
        return str(next(filter(None, names), "?"))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The total, or the benchmark's headline in its place; then each other reward."""
        names = [str(reward["name"]) for reward in self.recipe["mix"]["rewards"]]
        first = list(self.result["benchmark"].get("headline") or [TOTAL])
        return (*first, *(name for name in names if name not in first))

    @cached_property
    def samples(self) -> dict[Key, dict[str, Any]]:
        """Every line of samples.jsonl, by row and number of the completion.

        Raises:
            DataError: the file cannot be read.
        """
        try:
            return {(line["result"]["row"], line["result"]["sample"]): line for line in self._lines()}
        except (KeyError, TypeError) as error:
            raise DataError(f"{self.path / 'samples.jsonl'}: a line is not what a run writes") from error

    @cached_property
    def imported(self) -> str:
        """The other tool and its version that made the completions and graded them; "" for the hub itself."""
        tool = self.recipe.get("imported") or {}
        return f"{tool.get('tool')} {tool.get('version')}" if tool else ""

    @cached_property
    def category(self) -> str:
        """The column of the rows that scores are reported by, told from the categories; "" for none.

        Raises:
            DataError: the samples cannot be read.
        """
        names = set(self.result["scores"]["categories"])
        lines = list(self.samples.values())
        for column in lines[0] if names and lines else ():
            if column not in OURS and {str(line.get(column)) for line in lines} == names:
                return column
        return ""

    def scores(self, metric: str = TOTAL) -> dict[Key, dict[str, Any]]:
        """Return the total of each completion, or a reward's score: value, outcome, reason.

        Raises:
            ConfigError: the run has no such metric.
        """
        if metric not in (TOTAL, *self.metrics):
            raise ConfigError(f"{self.path}: there is no metric {metric!r}{nearest(metric, self.metrics)}")
        if metric == TOTAL:
            return {key: line["result"]["total"] for key, line in self.samples.items()}
        return {key: line["result"]["scores"][metric] for key, line in self.samples.items()}

    def _lines(self) -> Iterator[dict[str, Any]]:
        file = self.path / "samples.jsonl"
        try:
            with file.open(encoding="utf-8") as lines:
                for line in lines:
                    yield json.loads(line)
        except (OSError, ValueError) as error:
            raise DataError(f"{file}: cannot be read: {error}") from error


def read_run(path: str | Path) -> StoredRun:
    """Read a run's folder.

    Args:
        path: the folder, or one that holds a single run's.

    Raises:
        DataError: it holds no run, several, one that is not complete, or one of another format.
    """
    folder = Path(path)
    if not (folder / "recipe.json").exists():
        inside = sorted(file.parent for file in folder.glob("*/recipe.json"))
        if len(inside) != 1:
            names = ", ".join(one.name for one in inside[:5])
            what = f"holds {len(inside)} runs ({names}): name one" if inside else "is not the folder of a run"
            raise DataError(f"{folder}: {what}")
        folder = inside[0]
    if not (folder / "result.json").exists():
        raise DataError(f"{folder}: the run is not complete: go on with it by `hub eval ... --resume`")
    recipe, result = _read(folder / "recipe.json"), _read(folder / "result.json")
    for name, found in (("recipe.json", recipe), ("result.json", result)):
        if found.get("format") != FORMAT:
            raise DataError(f"{folder / name}: is of format {found.get('format')!r}, this hub reads {FORMAT}")
    if (missing := _missing(recipe.get("recipe"), RECIPE)) or (missing := _missing(result, RESULT)):
        raise DataError(f"{folder}: is not what a run writes: {missing} is missing or of another kind")
    return StoredRun(folder, recipe["recipe"], result)


def find_runs(root: str | Path) -> tuple[list[StoredRun], list[str]]:
    """Return every complete run below a folder, in order of their paths, and what is wrong with others.

    Raises:
        DataError: there is no such folder.
    """
    if not Path(root).is_dir():
        raise DataError(f"{root}: there is no such folder")
    runs, problems = [], []
    for file in sorted(Path(root).rglob("recipe.json")):
        if _is_of_training(file):
            continue
        try:
            runs.append(read_run(file.parent))
        except DataError as error:
            problems.append(str(error))
    return runs, problems


def _is_of_training(file: Path) -> bool:
    """Whether a recipe is one that `hub train` has written, which is no run of an evaluation."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and "format" not in found and {"model", "data"} <= found.keys()


def _missing(found: Any, shape: Mapping[str, Any], where: str = "") -> str:
    """The first key of a shape that is not there, or of another kind; "" when all are."""
    for key, kind in shape.items():
        name = f"{where}.{key}".lstrip(".")
        value = found.get(key) if isinstance(found, dict) else None
        if isinstance(kind, dict):
            if inside := _missing(value, kind, name):
                return inside
        elif not isinstance(value, kind):
            return name
    return ""


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{file}: is not what a run writes")
    return found
