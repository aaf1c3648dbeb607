"""AlpacaEval 2: preferred to a baseline's answers or not (Dubois et al. 2024, arXiv 2404.04475).

From tatsu-lab/alpaca_eval at cd543a1: the judge (`weighted_alpaca_eval_gpt4_turbo`) writes one token, "m"
for the first answer or "M" for the second, and the preference is the probability with which it chooses the
model's. Which answer comes first is drawn for each instruction, always the same. Different here: an answer
of the judge with neither token is a failed score that is counted. Not here: the length-controlled win rate,
whose weights are not public in full.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.errors import DataError
from hub_chat_evals.find_data import find_file, read_rows, read_text
from hub_chat_evals.spread import spread
from hub_chat_evals.templates import read_chat_markup

WHERE = (
    "tatsu-lab/alpaca_eval (results/gpt4_1106_preview/model_outputs.json, and in "
    "src/alpaca_eval/evaluators_configs/alpaca_eval_clf_gpt4_turbo alpaca_eval_clf.txt)"
)
JUDGE = "gpt-4-1106-preview"
"""The judge of the published preferences; the option `model` of the reward names another."""
_BASELINES = (
    "model_outputs.gpt4_1106_preview.json",
    "model_outputs.json",
    "results/gpt4_1106_preview/model_outputs.json",
)
_TEMPLATES = (
    "alpaca_eval_clf.txt",
    "src/alpaca_eval/evaluators_configs/alpaca_eval_clf_gpt4_turbo/alpaca_eval_clf.txt",
)


def rows(
    split: str, path: str | None = None, baseline: str | None = None, controls: int = 20
) -> Iterator[dict[str, Any]]:
    """Yield the instructions, each with the baseline's answer.

    Args:
        split: "test".
        path: a folder with alpaca_eval_clf.txt and model_outputs.gpt4_1106_preview.json, or a copy of the
            repository; None: alpaca_eval in HUB_DATA.
        baseline: a file of another baseline's answers, with instruction and output; None: gpt4_1106_preview.
        controls: instructions beside whose answers an empty, a constant and an injected one are judged too,
            evenly spread: three more requests of the judge for each. 0: none.
    """
    del split
    template = read_chat_markup(read_text(find_file("alpaca-eval", _TEMPLATES, path, WHERE)))
    file = Path(baseline) if baseline is not None else find_file("alpaca-eval", _BASELINES, path, WHERE)
    answers = read_rows(file, ("instruction", "output"))
    chosen = spread(len(answers), controls)
    seen: dict[str, int] = {}
    for index, answer in enumerate(answers):
        instruction, output = answer["instruction"], answer["output"]
        if not isinstance(instruction, str) or not isinstance(output, str):
            raise DataError(f"{file}: the instruction or the output of row {index + 1} is no text")
        if seen.setdefault(instruction, index) != index:
            raise DataError(f"{file}: rows {seen[instruction] + 1} and {index + 1} have one instruction")
        yield {
            "id": index,
            "prompt": instruction,
            "reference": output,
            "dataset": str(answer.get("dataset", "")),
            "judge": template.columns(
                {},
                model=JUDGE,
                frames=False,
                tokens=["m", "M"],
                swap=not model_is_first(instruction),
                controls=index in chosen,
            ),
        }


def model_is_first(instruction: str) -> bool:
    """Whether the judge is shown the model's answer before the baseline's.

    The draw is that of alpaca_eval (processors.py: Python's random state, seeded with the name of the column
    that it makes, the instruction, and its own seed 0).
    """
    return random.Random(f"is_switched_outputs{instruction}0").choices([False, True], k=1)[0]
