"""BIG-Bench Hard: 27 tasks that models found hard (Suzgun et al. 2022, arXiv 2210.09261).

Data: suzgunmirac/BIG-Bench-Hard@9ee07bd, MIT; 250 rows a task, in three tasks fewer. The answers are a choice
such as (B), a word, a number or a list of words. The paper's worked examples are not part of the data: with
`examples` others are given, without their reasoning, so numbers are not comparable with the paper's.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from hub.errors import DataError, OptionError, UnknownName
from hub.sources import tell_file
from hub_benchmarks.find_data import find_rows, folder_of
from hub_benchmarks.question import check_prompt
from hub_benchmarks.share import share

TASKS = """
    boolean_expressions causal_judgement date_understanding disambiguation_qa dyck_languages formal_fallacies
    geometric_shapes hyperbaton logical_deduction_five_objects logical_deduction_seven_objects
    logical_deduction_three_objects movie_recommendation multistep_arithmetic_two navigate object_counting
    penguins_in_a_table reasoning_about_colored_objects ruin_names salient_translation_error_detection snarks
    sports_understanding temporal_sequences tracking_shuffled_objects_five_objects
    tracking_shuffled_objects_seven_objects tracking_shuffled_objects_three_objects web_of_lies word_sorting
""".split()
PROMPT = (
    "{question}\n\nThink step by step. End with a line that says: the answer is ANSWER. Of options, ANSWER "
    "is the letter in parentheses."
)


def rows(
    split: str,
    path: str | None = None,
    tasks: list[str] | None = None,
    examples: int = 0,
    prompt: str = PROMPT,
    train_share: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """Yield questions with the columns `prompt`, `answer` and `task`.

    Args:
        split: "test", or "train" with a `train_share`.
        path: a folder with TASK.json of each task. None: HUB_DATA/bbh, else lukaemon/bbh of the dataset hub.
        tasks: which ones. None: all that the folder has.
        examples: answered questions of the task before each question, as earlier turns of the chat; they are
            the task's first rows, which are then not asked.
        prompt: {question} stands for the question.
        train_share: the part of the rows that is for training and not in "test".

    Raises:
        DataError: the data is in none of these places, or is not BIG-Bench Hard.
        OptionError: an option is out of range.
        UnknownName: there is no such task.
    """
    check_prompt("bbh", prompt)
    if examples < 0:
        raise OptionError(f"bbh: examples are at least 0, not {examples}")
    for task in tasks or ():
        if task not in TASKS:
            raise UnknownName("task of bbh", task, TASKS)
    folder = Path(path) if path is not None else folder_of("bbh")
    here = [task for task in TASKS if folder is not None and (folder / f"{task}.json").is_file()]
    if path is not None and not here:
        raise DataError(f"bbh: there is no TASK.json in {path!r}, such as {TASKS[0]}.json")
    chosen = tasks or here or TASKS
    every = chain.from_iterable(_ask(task, _read(task, folder), examples, prompt) for task in chosen)
    for row in share("bbh", split, train_share, every, lambda row: row["question"]):
        del row["question"]
        yield row


def _ask(task: str, raw: Iterable[Mapping[str, Any]], examples: int, prompt: str) -> Iterator[dict[str, Any]]:
    turns: list[dict[str, str]] = []
    for number, row in enumerate(raw):
        question, answer = row.get("input"), row.get("target")
        if not isinstance(question, str) or not isinstance(answer, str):
            raise DataError(f"bbh: row {number} of {task} has {', '.join(row)}, not input and target")
        asked = {"role": "user", "content": prompt.replace("{question}", question)}
        if number < examples:
            turns += [asked, {"role": "assistant", "content": f"The answer is {answer}."}]
            continue
        yield {
            "id": f"{task}-{number}",
            "prompt": [*turns, asked] if examples else asked["content"],
            "question": question,
            "answer": answer,
            "task": task,
        }


def _read(task: str, folder: Path | None) -> Iterable[Mapping[str, Any]]:
    file = folder / f"{task}.json" if folder is not None else None
    if file is None or not file.is_file():
        return find_rows("bbh", f"{task}.json", None, "lukaemon/bbh", task, "test")
    tell_file(file)
    try:
        examples = json.loads(file.read_bytes())["examples"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}: is no task of BIG-Bench Hard: {type(error).__name__}: {error}") from error
    return list(examples)
