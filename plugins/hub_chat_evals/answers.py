"""Answers that were made before, from a file: published outputs of a model, or an earlier run's samples.

Read are AlpacaEval's outputs (`instruction`, `output`), FastChat's answers to MT-Bench (`question_id`,
`choices`), and rows of `prompt` and `completion`, such as a run's samples.jsonl.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from hub.errors import DataError
from hub.generator import Completion, Decoding
from hub.sample import Sample, Text
from hub_chat_evals.find_data import read_rows
from hub_chat_evals.mt_bench import read_answers, read_questions

Asked: TypeAlias = tuple[str, ...]
"""What the user said, in every turn so far."""
_NAMES = ("generator", "model_id", "model")


class StoredAnswers:
    """Gives the answers of a file, each to the prompt that it was made for.

    What a prompt is known by is what its user says, in every turn; how the completions are to be made
    (temperature, length) does not matter any more.

    Args:
        model: the file: JSON or JSON lines.
        name: what to call the model; "": what the file says, or is called.
        questions: for FastChat's answers, the folder with MT-Bench's question.jsonl; None: mt_bench in
            HUB_DATA.

    Raises:
        DataError: it cannot be read, is of none of these forms, or has two answers to one prompt.
    """

    def __init__(self, model: str, name: str = "", questions: str | None = None) -> None:
        self._path = Path(model)
        rows = read_rows(self._path, ())
        given = {str(row[key]) for row in rows for key in _NAMES if isinstance(row.get(key), str)}
        self._name = name or (given.pop() if len(given) == 1 else self._path.name)
        self._answers = _read(self._path, rows, questions)

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        """Yield the answer to each prompt, or a refusal where the file has none."""
        for index, prompt in enumerate(prompts):
            asked = _asked(prompt)
            if asked in self._answers:
                yield Completion(index, self._answers[asked])
            else:
                yield Completion.refusal(index, f"{self._path} has no answer to {asked[-1]!r:.200}")

    def describe(self) -> Mapping[str, Any]:
        """Return the model's name and a hash over all answers."""
        digest = hashlib.sha256(repr(sorted(self._answers.items())).encode()).hexdigest()
        return {"generator": "answers", "model": self._name, "answers": digest, "address": str(self._path)}

    def close(self) -> None:
        """Do nothing."""


def _read(path: Path, rows: Sequence[Mapping[str, Any]], questions: str | None) -> dict[Asked, str]:
    found: dict[Asked, str] = {}
    for asked, answer in _pairs(path, rows, questions):
        if found.setdefault(asked, answer) != answer:
            raise DataError(f"{path}: has two answers to {asked[-1]!r:.200}")
    return found


def _pairs(
    path: Path, rows: Sequence[Mapping[str, Any]], questions: str | None
) -> Iterator[tuple[Asked, str]]:
    if "choices" in rows[0]:
        turns = {question["question_id"]: tuple(question["turns"]) for question in read_questions(questions)}
        for name, answers in read_answers(path).items():
            for number, answer in enumerate(answers, 1):
                if len(turns.get(name, ())) >= number:
                    yield turns[name][:number], answer
        return
    for number, row in enumerate(rows, 1):
        keys = ("instruction", "output") if "output" in row else ("prompt", "completion")
        if any(key not in row for key in keys):
            raise DataError(
                f"{path}: row {number} has neither instruction and output nor prompt and completion (it has: "
                f"{', '.join(row)})"
            )
        if row[keys[1]] is not None:  # a run that the model refused to complete in this place
            yield _asked(row[keys[0]]), Sample("", row[keys[1]]).text


def _asked(prompt: Text) -> Asked:
    """What the user says in a prompt.

    >>> _asked("Hi"), _asked([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}])
    (('Hi',), ('Hi',))
    """
    if isinstance(prompt, str):
        return (prompt,)
    return tuple(Sample([message]).prompt_text for message in prompt if message.get("role") == "user")
