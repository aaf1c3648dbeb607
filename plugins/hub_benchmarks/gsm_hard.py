"""GSM-Hard: GSM8K's test problems with large, odd numbers in them (Gao et al. 2022, arXiv 2211.10435).

Data: reasoning-machines/gsm-hard, MIT; 1,319 problems. The numbers were put into a program that solves the
problem, and what it printed, rounded to ten decimals, is the target. So:

- A target carries the noise of binary floats (3244047.0999999996). The reference is the target to 15
  significant digits. Compared with the programs in exact arithmetic that is exact wherever the answer is an
  integer or a finite decimal, but for one whose program has 0.333... in it.
- Of an answer below 1e-4 ten decimals are too few to tell a right answer by: 2.0107e-06 stands for
  5/2486737, and is off by one in 60,000. Of those 27 the reference is the exact fraction (`EXACT`).
- Some targets make no sense (146 are negative, mostly counts of things), and some programs did not get the
  number that the question did. They are left as published: a perfect solver does not reach 1.0.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from hub.errors import DataError
from hub_benchmarks.find_data import find_rows
from hub_benchmarks.question import PROMPT, check_prompt, write_number

EXACT = {
    5.158e-07: "2/3877297",
    3.509e-07: "800/2279818467",
    1.1973e-06: "3/2505677",
    1.2477e-06: "6/4808993",
    1.9752e-06: "8/4050127",
    2.0107e-06: "5/2486737",
    2.392e-06: "20/8361211",
    3.3365e-06: "20/5994251",
    3.4568e-06: "6/1735709",
    4.1159e-06: "35/8503694",
    5.3974e-06: "20/3705477",
    5.9749e-06: "16/2677875",
    7.6528e-06: "110/14373757",
    7.9457e-06: "18/2265371",
    8.3099e-06: "3/361016",
    1.41424e-05: "20/1414189",
    1.57874e-05: "10/633417",
    1.69726e-05: "144/8484275",
    1.95766e-05: "40/2043257",
    2.26833e-05: "20/881707",
    -2.4967e-05: "-200/8010573",
    4.33735e-05: "220/5072217",
    4.46752e-05: "75/1678784",
    5.58738e-05: "120/2147699",
    6.15258e-05: "112/1820375",
    9.193e-05: "360/3916021",
    0.0001439872: "50/347253",
}
"""What a program gives in exact arithmetic, by its target, where they differ by over 1e-7 of it."""


def rows(split: str, path: str | None = None, prompt: str = PROMPT) -> Iterator[dict[str, Any]]:
    """Yield problems with the columns `prompt`, `answer` (the number alone) and `program` (Python).

    Args:
        split: "test".
        path: a file with `input`, `target` and perhaps `code`, as JSONL, JSON, CSV or Parquet, or a folder
            with gsm_hard.jsonl. None: HUB_DATA/gsm_hard, else reasoning-machines/gsm-hard of the dataset
            hub.
        prompt: {question} stands for the question.

    Raises:
        DataError: the data is in none of these places, or is not GSM-Hard.
        OptionError: the prompt has no place for the question.
    """
    check_prompt("gsm-hard", prompt)
    raw = find_rows("gsm-hard", "gsm_hard.jsonl", path, "reasoning-machines/gsm-hard", None, "train")
    for number, row in enumerate(raw):
        question, answer = _read(row, number)
        yield {
            "id": f"{split}-{number}",
            "prompt": prompt.replace("{question}", question),
            "answer": answer,
            "program": str(row.get("code", "")).strip(),
        }


def find_answer(target: object) -> str:
    """Return the reference for a target.

    Raises:
        ValueError: it is no number.

    >>> [find_answer(target) for target in (-9867630.0, 14053029.666666666, 2.0107e-06)]
    ['-9867630', '14053029.6666667', '5/2486737']
    """
    written = write_number(target)
    return EXACT.get(float(written), written)


def _read(row: Mapping[str, Any], number: int) -> tuple[str, str]:
    question = row.get("input")
    if not isinstance(question, str) or "target" not in row:
        raise DataError(f"gsm-hard: row {number} has the columns {', '.join(row)}, not input and target")
    try:
        return question, find_answer(row["target"])
    except ValueError as error:
        raise DataError(f"gsm-hard: the target of row {number}: {error}") from error
