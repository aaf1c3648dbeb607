"""SVAMP: arithmetic word problems, varied so that shallow cues mislead (Patel et al. 2021, arXiv 2103.07191).

Data: arkilpatel/SVAMP, MIT; 1,000 problems, all made to evaluate on. ChilleD/SVAMP of the dataset hub cuts
them into "train" and "test"; here they are one split, as in the paper.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from hub.errors import DataError
from hub_benchmarks.find_data import find_rows
from hub_benchmarks.question import PROMPT, check_prompt, write_number
from hub_benchmarks.share import share

COLUMNS = ("ID", "Body", "Question", "Answer", "Type")
MISSPELLED = {"Common-Divison": "Common-Division"}
"""The type of one row of the data."""


def rows(
    split: str, path: str | None = None, prompt: str = PROMPT, train_share: float = 0.0
) -> Iterator[dict[str, Any]]:
    """Yield problems with the columns `prompt`, `answer` (the number alone), `type` and `equation`.

    The types are Addition, Subtraction, Multiplication and Common-Division. Rows are in the order of their
    ids, since copies of the data differ in theirs.

    Args:
        split: "test", or "train" with a `train_share`.
        path: a file with the columns of SVAMP.json, as JSON, JSONL, CSV or Parquet, or a folder with
            svamp.jsonl. None: HUB_DATA/svamp, else ChilleD/SVAMP of the dataset hub.
        prompt: {question} stands for the situation and the question.
        train_share: the part of the problems that is for training and not in "test".

    Raises:
        DataError: the data is in none of these places, or is not SVAMP.
        OptionError: the prompt has no place for the question, or the share is out of range.
    """
    check_prompt("svamp", prompt)
    raw = list(find_rows("svamp", "svamp.jsonl", path, "ChilleD/SVAMP", None, "train+test"))
    for number, row in enumerate(raw):
        if any(column not in row for column in COLUMNS):
            raise DataError(
                f"svamp: row {number} has the columns {', '.join(row)}, and not all of {', '.join(COLUMNS)}"
            )
    ordered = [dict(row) for row in sorted(raw, key=_place)]
    for row in share("svamp", split, train_share, ordered, lambda row: f"{row['Body']} {row['Question']}"):
        yield {
            "id": row["ID"],
            "prompt": prompt.replace("{question}", join(str(row["Body"]), str(row["Question"]))),
            "answer": _answer(row),
            "type": MISSPELLED.get(row["Type"], row["Type"]),
            "equation": str(row.get("Equation", "")),
        }


def join(body: str, question: str) -> str:
    """Put the situation before the question; a third of the data's situations lack their full stop.

    >>> join("Jan has 3 pens and buys 2 more", "How many has she now?")
    'Jan has 3 pens and buys 2 more. How many has she now?'
    """
    body = body.strip()
    return f"{body}{'' if body.endswith(('.', '!', '?')) else '.'} {question.strip()}"


def _place(row: Mapping[str, Any]) -> tuple[int, str]:
    return len(str(row["ID"])), str(row["ID"])


def _answer(row: Mapping[str, Any]) -> str:
    try:
        return write_number(row["Answer"])
    except ValueError as error:
        raise DataError(f"svamp: the answer of {row['ID']}: {error}") from error
