"""TruthfulQA: questions that people answer wrongly, as multiple choice (Lin et al. 2021, arXiv 2109.07958).

Data: sylinrl/TruthfulQA, Apache-2.0; 790 questions in the version of 2025, 817 before. Two forms: `choices`
asks for the letter of the one true answer; `likelihoods` has the model tell how likely each answer is after
the question, for mc1 (is the likeliest one true?) and mc2 (what part of the probability have the true ones?).
The paper puts six answered questions before each; for its numbers take lm-eval/truthfulqa_mc1 and _mc2.
"""

import csv
import random
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from hub.errors import DataError
from hub_benchmarks.find_data import find_rows, folder_of
from hub_benchmarks.question import check_prompt
from hub_benchmarks.share import share

PROMPT = "{question}\n\n{choices}\n\nEnd with a line that says: the answer is LETTER."
UNKNOWN = "unknown"


def choices(
    split: str,
    path: str | None = None,
    targets: Literal["mc1", "mc0"] = "mc1",
    seed: int = 0,
    prompt: str = PROMPT,
    train_share: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """Yield questions with the columns `prompt`, `choices` (texts), `answer` (a letter) and `category`.

    The data has the true answer first; here the order is drawn anew for each question.

    Args:
        split: "test", or "train" with a `train_share`.
        path: mc_task.json, or a folder with that and TruthfulQA.csv, which has the categories. None:
            HUB_DATA/truthfulqa, else truthfulqa/truthful_qa of the dataset hub.
        targets: "mc1", or "mc0": one true and one false answer, which only the version of 2025 has.
        seed: for the order of the choices.
        prompt: {question} stands for the question, {choices} for the choices.
        train_share: the part of the questions that is for training and not in "test".

    Raises:
        DataError: the data is in none of these places, or is not TruthfulQA.
        OptionError: the prompt has no place for the question.
    """
    check_prompt("truthfulqa", prompt)
    for row in share("truthfulqa", split, train_share, _read(path), _question):
        texts, labels = _targets(row, targets)
        if sum(labels) != 1 or len(texts) > len(string.ascii_uppercase):
            raise DataError(
                f"truthfulqa: {row['id']} has {sum(labels)} true answers of {len(texts)}, not one"
            )
        order = list(range(len(texts)))
        random.Random(f"{seed}/{row['question']}").shuffle(order)
        letters = string.ascii_uppercase[: len(texts)]
        listed = [texts[at] for at in order]
        lines = "\n".join(f"{letter}. {text}" for letter, text in zip(letters, listed, strict=True))
        yield {
            "id": row["id"],
            "prompt": prompt.replace("{choices}", lines).replace("{question}", row["question"]),
            "choices": listed,
            "answer": letters[order.index(labels.index(1))],
            "category": row["category"],
        }


def likelihoods(
    split: str, path: str | None = None, prompt: str = "Q: {question}\nA:"
) -> Iterator[dict[str, Any]]:
    """Yield questions with the columns `prompt`, `continuations`, `mc1`, `mc2` and `category`.

    The continuations are the answers of mc1, then those of mc2; `mc1` and `mc2` say which of them are true.

    Args:
        split: "test".
        path: as for `truthfulqa`.
        prompt: {question} stands for the question.

    Raises:
        DataError: the data is in none of these places, or is not TruthfulQA.
        OptionError: the prompt has no place for the question.
    """
    check_prompt("truthfulqa-likelihood", prompt)
    for row in _read(path):
        (one, labels), (several, others) = _targets(row, "mc1"), _targets(row, "mc2")
        yield {
            "id": row["id"],
            "prompt": prompt.replace("{question}", row["question"]),
            "continuations": [f" {text}" for text in (*one, *several)],
            "mc1": labels,
            "mc2": others,
            "category": row["category"],
        }


def _read(path: str | None) -> Iterator[dict[str, Any]]:
    source = "truthfulqa/truthful_qa"
    raw = find_rows("truthfulqa", "mc_task.json", path, source, "multiple_choice", "validation")
    categories = _categories(Path(path) if path is not None else folder_of("truthfulqa"))
    for number, row in enumerate(raw):
        question = row.get("question")
        if not isinstance(question, str) or "mc1_targets" not in row:
            raise DataError(
                f"truthfulqa: row {number} has the columns {', '.join(row)}, not question and mc1_targets"
            )
        category = categories.get(question, UNKNOWN)
        yield {**row, "id": f"truthfulqa-{number}", "question": question, "category": category}


def _categories(place: Path | None) -> dict[str, str]:
    """The category of each question, from the file of questions where it lies beside that of answers."""
    folder = place.parent if place is not None and place.is_file() else place
    file = folder / "TruthfulQA.csv" if folder is not None else None
    if file is None or not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["Question"]: row["Category"] for row in csv.DictReader(lines)}


def _targets(row: Mapping[str, Any], targets: str) -> tuple[list[str], list[int]]:
    """The answers of a question, and 1 for each that is true, in either of the forms in which they come."""
    found = row.get(f"{targets}_targets")
    if isinstance(found, Mapping) and {"choices", "labels"} <= found.keys():
        return list(found["choices"]), list(found["labels"])
    if isinstance(found, Mapping) and found:
        return list(found), list(found.values())
    raise DataError(f"truthfulqa: {row['id']} has no {targets}_targets")


def _question(row: Mapping[str, Any]) -> str:
    return str(row["question"])
