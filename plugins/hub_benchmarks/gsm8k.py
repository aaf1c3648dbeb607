"""GSM8K: grade-school word problems (Cobbe et al. 2021, arXiv 2110.14168).

Data: openai/grade-school-math@3101c7d, MIT; 7,473 train and 1,319 test rows. The prompt asks for the answer
in a box, so numbers are not comparable with those of few-shot prompts that look for "####".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from hub.errors import DataError
from hub_benchmarks.find_data import find_rows
from hub_benchmarks.question import PROMPT, check_prompt


def rows(split: str, path: str | None = None, prompt: str = PROMPT) -> Iterator[dict[str, Any]]:
    """Yield problems with the columns `prompt`, `answer` (the number alone) and `solution` (all of it).

    Args:
        split: "train" or "test".
        path: a JSONL file with `question` and `answer`, or a folder with train.jsonl and test.jsonl. None:
            HUB_DATA/gsm8k, else openai/gsm8k of the dataset hub.
        prompt: {question} stands for the question.

    Raises:
        DataError: the data is in none of these places, or is not GSM8K.
        OptionError: the prompt has no place for the question.
    """
    check_prompt("gsm8k", prompt)
    raw = find_rows("gsm8k", f"{split}.jsonl", path, "openai/gsm8k", "main", split)
    for number, row in enumerate(raw):
        question, solution, answer = _read(row, number)
        yield {
            "id": f"{split}-{number}",
            "prompt": prompt.replace("{question}", question),
            "answer": answer,
            "solution": solution,
        }


def find_answer(solution: str) -> str:
    r"""Return the number after "####", without separators of thousands.

    Raises:
        DataError: there is none.

    >>> find_answer("She pays 2 * 1,060.\n#### 2,120")
    '2120'
    """
    _, mark, answer = solution.rpartition("####")
    if not mark or not answer.strip():
        raise DataError(f"gsm8k: a solution has no answer after '####': {solution!r:.200}")
    return answer.strip().replace(",", "")


def _read(row: Mapping[str, Any], number: int) -> tuple[str, str, str]:
    if not {"question", "answer"} <= row.keys():
        raise DataError(f"gsm8k: row {number} has the columns {', '.join(row)}, not question and answer")
    question, solution = row["question"], row["answer"]
    if not isinstance(question, str) or not isinstance(solution, str):
        shown = f"{question!r:.60} and {solution!r:.60}"
        raise DataError(f"gsm8k: the question and answer of row {number} should be texts, and are {shown}")
    try:
        return question, solution, find_answer(solution)
    except DataError as error:
        raise DataError(f"{error} (row {number})") from None
