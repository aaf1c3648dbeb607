"""MT-Bench: 80 questions of two turns, each turn rated by a judge (Zheng et al. 2023, arXiv 2306.05685).

From lm-sys/FastChat at 0e6d3e4, fastchat/llm_judge: the temperature of each category, which categories have
reference answers, which judge prompt goes with which turn, and how a rating or verdict is read. Different
here: an answer of the judge without a rating is a failed score that is counted, where it is -1 there and
left out when means are made; a rating above 10 is a failure too. So is a comparison of which one of the two
games has no verdict; there it is a tie.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.errors import DataError, OptionError
from hub_chat_evals.find_data import find_file, read_rows
from hub_chat_evals.spread import spread
from hub_chat_evals.templates import Template, make_template

WHERE = (
    "lm-sys/FastChat, fastchat/llm_judge/data (mt_bench/question.jsonl, "
    "mt_bench/reference_answer/gpt-4.jsonl, judge_prompts.jsonl)"
)
JUDGE = "gpt-4"
"""The judge of the published ratings; the option `model` of the reward names another."""
TEMPERATURES = {
    "writing": 0.7,
    "roleplay": 0.7,
    "extraction": 0.0,
    "math": 0.0,
    "coding": 0.0,
    "reasoning": 0.0,
    "stem": 0.1,
    "humanities": 0.1,
}
OTHER_TEMPERATURE = 0.7
"""Of a category that MT-Bench does not have."""
READ: dict[str, dict[str, Any]] = {
    "single": {
        "patterns": [r"\[\[(\d+\.?\d*)\]\]", r"\[(\d+\.?\d*)\]"],
        "low": 0.0,
        "high": 10.0,
        "normalize": False,
    },
    "pair": {"patterns": [r"\[\[(A)\]\]", r"\[\[(B)\]\]", r"\[\[(C)\]\]"]},
}
"""How the judge's answer is read."""
WITH_REFERENCE = ("math", "reasoning", "coding")

Turns = list[str]


def rows(split: str, path: str | None = None, controls: int = 10) -> Iterator[dict[str, Any]]:
    """Yield a row for each turn, to be rated.

    Args:
        split: "test".
        path: a folder with question.jsonl, gpt-4.jsonl and judge_prompts.jsonl, or laid out as in FastChat;
            None: mt_bench in HUB_DATA.
        controls: questions beside whose answers an empty, a constant and an injected one are rated too,
            evenly spread: six more requests of the judge for each. 0: none.
    """
    del split
    yield from _rows("mt-bench", path, controls, None)


def pairs(
    split: str, baseline: str = "", path: str | None = None, controls: int = 10
) -> Iterator[dict[str, Any]]:
    """Yield a row for each turn, to be compared with a baseline's answer.

    Args:
        split: "test".
        baseline: the file with its answers, as FastChat writes them: model_answer/NAME.jsonl.
        path: as for `rows`.
        controls: as for `rows`; twelve more requests for each, as every comparison is asked in both orders.
    """
    del split
    if not baseline:
        raise OptionError(
            "mt-bench-pairs compares with a baseline's answers: --benchmark-option mt-bench-pairs.baseline="
            "FILE, as FastChat writes them (model_answer/NAME.jsonl)"
        )
    yield from _rows("mt-bench-pairs", path, controls, baseline)


def read_answers(file: Path) -> dict[Any, Turns]:
    """Return a model's answers by question: those of each turn.

    Raises:
        DataError: it is no file of answers as FastChat writes them.
    """
    found = {}
    for row in read_rows(file, ("question_id", "choices")):
        try:
            turns = list(row["choices"][0]["turns"])
        except (LookupError, TypeError):
            turns = []
        if not turns or not all(isinstance(turn, str) for turn in turns):
            raise DataError(f"{file}: the answer to question {row['question_id']!r} has no turns of text")
        found[row["question_id"]] = turns
    return found


def read_questions(path: str | None, benchmark: str = "mt-bench") -> list[dict[str, Any]]:
    """Return the questions: question_id, category, and the turns.

    Raises:
        DataError: they are not there, or one has not one or two turns of text.
    """
    file = _find(path, benchmark, "question.jsonl")
    questions = read_rows(file, ("question_id", "category", "turns"))
    for question in questions:
        turns = question["turns"]
        if (
            not isinstance(turns, list)
            or len(turns) not in (1, 2)
            or not all(isinstance(t, str) for t in turns)
        ):
            raise DataError(f"{file}: question {question['question_id']!r} has not one or two turns of text")
    return questions


def _rows(benchmark: str, path: str | None, controls: int, baseline: str | None) -> Iterator[dict[str, Any]]:
    questions = read_questions(path, benchmark)
    prompts = _read_prompts(path, benchmark)
    references = read_answers(_find(path, benchmark, "gpt-4.jsonl", "reference_answer/gpt-4.jsonl"))
    against = None if baseline is None else read_answers(Path(baseline))
    chosen = spread(len(questions), controls)
    for index, question in enumerate(questions):
        name, category, turns = question["question_id"], str(question["category"]), question["turns"]
        has_reference = category in WITH_REFERENCE
        known = _fields(references, name, len(turns)) if has_reference else {}
        for turn, asked in enumerate(turns, 1):
            kind = "pair" if against is not None else "single"
            template = prompts[_prompt_for(kind, has_reference, turn)]
            row = {
                "id": f"{name}/{turn}",
                "prompt": asked,
                "category": category,
                "turn": turn,
                "decoding": {"temperature": TEMPERATURES.get(category, OTHER_TEMPERATURE)},
                "judge": template.columns(
                    known, model=JUDGE, frames=False, controls=index in chosen, **READ[kind]
                ),
            }
            if turn > 1:
                row["after"] = f"{name}/{turn - 1}"
            if against is not None:
                row["reference"] = _answers(against, name, turn, str(baseline))
            yield row


def _prompt_for(kind: str, has_reference: bool, turn: int) -> str:
    """The name of the judge prompt.

    >>> _prompt_for("single", True, 2), _prompt_for("pair", False, 1)
    ('single-math-v1-multi-turn', 'pair-v2')
    """
    plain = "single-v1" if kind == "single" else "pair-v2"
    return (f"{kind}-math-v1" if has_reference else plain) + ("-multi-turn" if turn > 1 else "")


def _fields(references: Mapping[Any, Turns], name: Any, turns: int) -> dict[str, str]:
    answers = _answers(references, name, turns, "the reference answers")
    return {f"ref_answer_{turn}": text for turn, text in enumerate(answers, 1)}


def _answers(answers: Mapping[Any, Turns], name: Any, turns: int, where: str) -> Turns:
    found = answers.get(name, [])
    if len(found) < turns:
        raise DataError(f"{where}: there is no answer to turn {len(found) + 1} of question {name!r}")
    return found[:turns]


def _read_prompts(path: str | None, benchmark: str) -> dict[str, Template]:
    file = _find(path, benchmark, "judge_prompts.jsonl", "../judge_prompts.jsonl")
    listed = read_rows(file, ("name", "system_prompt", "prompt_template"))
    found = {row["name"]: make_template(row["system_prompt"], row["prompt_template"]) for row in listed}
    kind = "pair" if benchmark.endswith("pairs") else "single"
    for has_reference in (False, True):
        for turn in (1, 2):
            name = _prompt_for(kind, has_reference, turn)
            if name not in found:
                raise DataError(f"{file}: has no judge prompt {name!r} (it has: {', '.join(found)})")
    return found


def _find(path: str | None, benchmark: str, *names: str) -> Path:
    if path is None and benchmark == "mt-bench-pairs":
        benchmark = "mt-bench"  # one copy of the data serves both
    return find_file(benchmark, names, path, WHERE)
