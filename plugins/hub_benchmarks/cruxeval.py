"""CRUXEval: 800 Python functions whose output, or an input, is to be told (Gu et al. 2024, arXiv 2401.03065).

Data: facebookresearch/cruxeval@190faf1, MIT. Answers are a function `answer()`, which the reward `code` runs
in a sandbox: for output prediction it returns a literal that equals the output, for input prediction the
arguments with which the data's function returns it. The paper's prompts differ, so numbers are not comparable
with its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from hub.errors import DataError
from hub_benchmarks.find_data import find_rows
from hub_benchmarks.share import share

COLUMNS = ("id", "code", "input", "output")
OUTPUT = (
    "```python\n{code}\n```\n\nWhat does `f({input})` return? Work it out without running it. Answer with "
    "one ```python block that holds a function `answer()`, which returns that value as a literal:\n\n"
    "```python\ndef answer():\n    return ...\n```"
)
INPUT = (
    "```python\n{code}\n```\n\nFind arguments with which `f` returns `{output}`; there may be several. "
    "Answer with one ```python block that holds a function `answer()`, which returns the arguments as a "
    "tuple:\n\n"
    "```python\ndef answer():\n    return (..., )\n```"
)


def rows(
    split: str,
    path: str | None = None,
    predict: Literal["both", "output", "input"] = "both",
    train_share: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """Yield tasks for the reward `code`, with the columns `predict`, `literal` and `solution`.

    Args:
        split: "test", or "train" with a `train_share`.
        path: a file with the columns of cruxeval.jsonl, or a folder with that. None: HUB_DATA/cruxeval, else
            cruxeval-org/cruxeval of the dataset hub.
        predict: the output, the input, or first the one and then the other of each function.
        train_share: the part of the functions that is for training and not in "test".

    Raises:
        DataError: the data is in none of these places, or is not CRUXEval.
        OptionError: the share is out of range.
    """
    raw = find_rows("cruxeval", "cruxeval.jsonl", path, "cruxeval-org/cruxeval", None, "test")
    for row in share("cruxeval", split, train_share, map(_check, enumerate(raw)), lambda row: row["code"]):
        if predict != "input":
            yield _output(row)
        if predict != "output":
            yield _input(row)


def _output(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": f"{row['id']}-output",
        "prompt": OUTPUT.replace("{input}", row["input"]).replace("{code}", row["code"]),
        "predict": "output",
        "entry_point": "answer",
        "prompt_code": "def answer():\n",
        "tests": f"def check(candidate):\n    assert candidate() == {row['output']}\n",
        "solution": f"def answer():\n    return {row['output']}",
        "literal": True,
    }


def _input(row: Mapping[str, str]) -> dict[str, Any]:
    tests = (
        f"{row['code']}\n\n\ndef check(candidate):\n    given = candidate()\n"
        "    given = given if isinstance(given, tuple) else (given,)\n"
        f"    assert f(*given) == {row['output']}\n"
    )
    return {
        "id": f"{row['id']}-input",
        "prompt": INPUT.replace("{output}", row["output"]).replace("{code}", row["code"]),
        "predict": "input",
        "entry_point": "answer",
        "prompt_code": "def answer():\n",
        "tests": tests,
        "solution": f"def answer():\n    return (lambda *given: given)({row['input']})",
        "literal": False,
    }


def _check(numbered: tuple[int, Mapping[str, Any]]) -> dict[str, str]:
    number, row = numbered
    if not all(isinstance(row.get(column), str) for column in COLUMNS):
        raise DataError(
            f"cruxeval: row {number} has the columns {', '.join(row)}, and not all of {', '.join(COLUMNS)}"
        )
    return {column: row[column] for column in COLUMNS}
