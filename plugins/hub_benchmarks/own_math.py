r"""MATH, MATH-500 and AIME from the user's own copy; none of their problems is part of this project.

MATH (Hendrycks et al. 2021, arXiv 2103.03874) is 12,500 competition problems; MATH-500 is 500 of its test
problems (Lightman et al. 2023, arXiv 2305.20050), so who trains on other splits of MATH than the official one
may train on those. AIME is a yearly contest whose answers are integers from 0 to 999.

Columns are known by name, in upper or lower case: `problem` or `question`; `answer`, or else the last
`\boxed{}` of `solution`; `subject` or `type`, `level` and `unique_id` (MATH); `year`, `id` and `url` (AIME).
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from hub.errors import DataError
from hub_benchmarks.own_data import Copy, RawRow
from hub_benchmarks.question import PROMPT, check_prompt

UNKNOWN = "unknown"
_YEAR = re.compile(r"(?<!\d)(19[89]\d|20\d\d)(?!\d)")
_NAMED_YEAR = re.compile(r"aime[-_ ]?(19[89]\d|20\d\d|[0-4]\d)(?![-_]?\d)", re.IGNORECASE)
_FILE_OF_YEAR = re.compile(r"(?:.*/)?(19[89]\d|20\d\d)(?![-_]?\d)[^/]*")
_BOX = re.compile(r"\\(?:boxed|fbox)(?![a-zA-Z])\s*")


def math(
    split: str,
    path: str | None = None,
    dataset: str | None = None,
    config: str | None = None,
    prompt: str = PROMPT,
) -> Iterator[dict[str, Any]]:
    """Yield problems with the columns `prompt`, `answer`, `solution`, `subject` and `level`.

    Args:
        split: "test" or "train".
        path: the official folder (with train/algebra/1.json and so on), any folder whose files have train
            and test in their names, or one file: JSONL, JSON, CSV or Parquet. None: HUB_DATA/math.
        dataset: an id on the dataset hub, or a folder that `datasets` loads, in place of the path.
        config: a part of that dataset, such as algebra. None: all of it.
        prompt: {question} stands for the problem.

    Raises:
        DataError: there is no such data, or a row of it has no problem or no answer.
        OptionError: the prompt has no place for the problem, or options do not go together.
    """
    copy = Copy("math", ("test", "train"), "EleutherAI/hendrycks_math", path, dataset, config)
    return _math_rows(copy, split, prompt)


def math_500(
    split: str,
    path: str | None = None,
    dataset: str | None = None,
    config: str | None = None,
    prompt: str = PROMPT,
) -> Iterator[dict[str, Any]]:
    """Yield problems with the columns `prompt`, `answer`, `solution`, `subject` and `level`.

    Args:
        split: "test".
        path: a file (JSONL, JSON, CSV or Parquet), or a folder with files. None: HUB_DATA/math_500.
        dataset: an id on the dataset hub, or a folder that `datasets` loads, in place of the path.
        config: a part of that dataset. None: all of it.
        prompt: {question} stands for the problem.

    Raises:
        DataError: there is no such data, or a row of it has no problem or no answer.
        OptionError: the prompt has no place for the problem, or options do not go together.
    """
    copy = Copy("math-500", ("test",), "HuggingFaceH4/MATH-500", path, dataset, config)
    return _math_rows(copy, split, prompt)


def aime(
    split: str,
    path: str | None = None,
    dataset: str | None = None,
    config: str | None = None,
    prompt: str = PROMPT,
) -> Iterator[dict[str, Any]]:
    """Yield problems with the columns `prompt`, `answer` and `year`.

    The year is that of the column `year`, else of an `id` such as 2024-II-4, of the `url`, or of a name of a
    file, folder or dataset such as aime_2024, aime24 or 2024.csv.

    Args:
        split: "test".
        path: a file (JSONL, JSON, CSV or Parquet), or a folder with files, e.g. one a year. None:
            HUB_DATA/aime.
        dataset: an id on the dataset hub, or a folder that `datasets` loads, in place of the path.
        config: a part of that dataset. None: all of it.
        prompt: {question} stands for the problem.

    Raises:
        DataError: there is no such data, or a row of it has no problem or no answer.
        OptionError: the prompt has no place for the problem, or options do not go together.
    """
    copy = Copy("aime", ("test",), "HuggingFaceH4/aime_2024", path, dataset, config)
    for number, (row, common) in enumerate(_problems(copy, split, prompt, once=True)):
        answer = re.fullmatch(r"0*(\d+)(?:\.0*)?", common["answer"])
        yield {
            "id": f"{split}-{number}",
            **common,
            "answer": answer[1] if answer else common["answer"],
            "year": find_year(row, path or dataset or ""),
        }


def find_boxed(solution: str) -> str | None:
    r"""Return what the last `\boxed{}` or `\fbox{}` of a solution holds; None if there is nothing.

    >>> find_boxed(r"First \boxed{1}, then $\boxed{\frac{1}{2}}$.")
    '\\frac{1}{2}'
    >>> find_boxed(r"It is $\boxed 7$.")
    '7'
    """
    *_, last = (None, *_BOX.finditer(solution))
    if last is None:
        return None
    rest = solution[last.end() :]
    if not rest.startswith("{"):
        return re.split(r"[$\n]", rest, maxsplit=1)[0].strip() or None
    depth = 0
    for brace in re.finditer(r"\\.|[{}]", rest, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0 and brace[0] == "}":
            return rest[1 : brace.start()].strip() or None
    return None


def find_year(row: RawRow, copy: str = "") -> str:
    """Return the year of an AIME problem, "unknown" where nothing tells it.

    Args:
        row: the problem.
        copy: the path or dataset that it comes from.

    >>> find_year(RawRow("test.jsonl", 1, {"ID": "2024-II-4"}))
    '2024'
    >>> find_year(RawRow("test.jsonl", 1, {}), "data/aime25")
    '2025'
    """
    if named := row.get("year"):
        return named.removesuffix(".0")
    identity = row.get("id")
    found = _YEAR.search("" if identity.isdecimal() else identity) or _YEAR.search(row.get("url"))
    found = found or _FILE_OF_YEAR.fullmatch(row.source)
    found = found or _NAMED_YEAR.search(row.source) or _NAMED_YEAR.search(copy)
    return UNKNOWN if found is None else f"20{found[1]}" if len(found[1]) == 2 else found[1]


def _math_rows(copy: Copy, split: str, prompt: str) -> Iterator[dict[str, Any]]:
    for number, (row, common) in enumerate(_problems(copy, split, prompt)):
        file = row.source if row.number is None else f"{split}-{number}"
        yield {
            "id": row.get("unique_id") or file,
            **common,
            "solution": row.get("solution"),
            "subject": row.get("subject", "type") or UNKNOWN,
            "level": row.get("level").removeprefix("Level ") or UNKNOWN,
        }


def _problems(
    copy: Copy, split: str, prompt: str, once: bool = False
) -> Iterator[tuple[RawRow, dict[str, str]]]:
    """Yield each row with its prompt and answer.

    Args:
        copy: where the rows are.
        split: which of them.
        prompt: {question} stands for the problem.
        once: no problem may be in two files; if not, then not in two files of different formats.
    """
    check_prompt(copy.benchmark, prompt)
    seen: dict[str, str] = {}
    for row in copy.rows(split):
        problem = row.get("problem", "question")
        answer = row.get("answer") or find_boxed(row.get("solution"))
        if not problem or not answer:
            what = "answer, nor a \\boxed{} in a solution" if problem else "problem (or question)"
            columns = ", ".join(row.columns)
            raise DataError(f"{copy.benchmark}: {row.place} has no {what}; its columns are {columns}")
        first = seen.setdefault(problem, row.source)
        if first != row.source and (once or PurePosixPath(first).suffix != PurePosixPath(row.source).suffix):
            raise DataError(
                f"{copy.benchmark}: {first} and {row.source} have a problem in common, so they may be two "
                f"copies of the same data: give one, with --benchmark-option {copy.benchmark}.path=FILE"
            )
        yield row, {"prompt": prompt.replace("{question}", problem), "answer": answer}
