"""MBPP: 974 short Python programs to be written from one sentence (Austin et al. 2021, arXiv 2108.07732).

Data: google-research/google-research, folder mbpp, CC-BY-4.0. Rows belong to splits by their task_id, as in
the data's README: 1 to 10 are for prompts, 11 to 510 test, 511 to 600 validation, 601 to 974 train. As in
the paper the tests are part of the prompt, since the sentence rarely tells the function's name.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hub.errors import DataError
from hub_benchmarks.find_data import find_rows
from hub_benchmarks.question import check_prompt

SPLITS = {"test": (11, 510), "train": (601, 974), "validation": (511, 600), "prompt": (1, 10)}
"""The first and last task_id of each split."""
COLUMNS = ("task_id", "text", "code", "test_list")
PROMPT = (
    "{question}\n\nThe program must pass these tests:\n\n```python\n{tests}\n```\n\n"
    "Answer with the program in one ```python block."
)
_DEFINED = re.compile(r"^(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*=", re.MULTILINE)


def rows(split: str, path: str | None = None, prompt: str = PROMPT) -> Iterator[dict[str, Any]]:
    """Yield problems with the columns `prompt`, `entry_point`, `test_list`, `test_setup_code` and `solution`.

    Args:
        split: "test", "train", "validation" or "prompt".
        path: a file with the columns of mbpp.jsonl, or a folder with that. None: HUB_DATA/mbpp, else
            google-research-datasets/mbpp of the dataset hub.
        prompt: {question} stands for the sentence, {tests} for the tests.

    Raises:
        DataError: the data is in none of these places, or is not MBPP.
        OptionError: the prompt has no place for the question.
    """
    check_prompt("mbpp", prompt)
    first, last = SPLITS[split]
    everything = "test+train+validation+prompt"
    raw = find_rows("mbpp", "mbpp.jsonl", path, "google-research-datasets/mbpp", "full", everything)
    for number, row in enumerate(raw):
        task, text, code, tests = _read(row, number)
        if not first <= task <= last:
            continue
        yield {
            "id": f"mbpp-{task}",
            "prompt": prompt.replace("{question}", text).replace("{tests}", "\n".join(tests)),
            "entry_point": find_entry_point(code, tests),
            "test_list": tests,
            "test_setup_code": _lines(row.get("test_setup_code") or ""),
            "solution": code,
        }


def find_entry_point(code: str, tests: list[str]) -> str:
    r"""Return the function that tests call: the first name in them that the reference solution defines.

    Raises:
        DataError: there is none.

    >>> find_entry_point("def half(x): ...\ndef f(x): ...", ["assert set(f(1)) == set(half(2))"])
    'f'
    """
    defined = {name for pair in _DEFINED.findall(code) for name in pair}
    for name in re.findall(r"[A-Za-z_]\w*", "\n".join(tests)):
        if name in defined:
            return str(name)
    raise DataError(f"mbpp: the tests {tests!r:.200} call nothing that the solution defines")


def _read(row: Mapping[str, Any], number: int) -> tuple[int, str, str, list[str]]:
    task, text, code, tests = (row.get(column) for column in COLUMNS)
    if not (isinstance(task, int) and isinstance(text, str) and isinstance(code, str) and tests):
        raise DataError(
            f"mbpp: row {number} has the columns {', '.join(row)}, and not all of {', '.join(COLUMNS)}"
        )
    return task, text.strip(), _lines(code), [_lines(test) for test in tests]


def _lines(text: str) -> str:
    r"""Return a text with "\n" at the ends of lines, of which the data has every kind."""
    return re.sub("\r\n?", "\n", text)
