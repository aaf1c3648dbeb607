"""The judge prompts that a benchmark's data defines, as the rewards `judge` and `judge-versus` take them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import DataError

_FIELDS = {
    "question": "prompt",
    "answer": "completion",
    "answer_a": "completion_a",
    "answer_b": "completion_b",
    "instruction": "prompt",
    "output_1": "completion_a",
    "output_2": "completion_b",
    **{f"question_{turn}": f"prompt_{turn}" for turn in (1, 2)},
    **{f"answer_{turn}": f"completion_{turn}" for turn in (1, 2)},
    **{f"answer_{side}_{turn}": f"completion_{side}_{turn}" for side in "ab" for turn in (1, 2)},
}
"""What the benchmarks call a field, and what the judges' rewards do."""
_FIELD = re.compile(r"\{([a-z]\w*)\}")
_MESSAGE = re.compile(r"<\|im_start\|>(\w+)\n(.*?)<\|im_end\|>", re.DOTALL)


@dataclass(frozen=True)
class Template:
    """What a judge is asked.

    Args:
        system: the system message.
        text: the user message, with the fields of the judges' rewards.
        fields: the other fields that it has, e.g. "ref_answer_1".
    """

    system: str
    text: str
    fields: tuple[str, ...] = ()

    def columns(self, others: Mapping[str, str], **more: Any) -> dict[str, Any]:
        """Return a row's column `judge`.

        Args:
            others: what its other fields are; those that it does not have are left out.
            more: further keys.

        Raises:
            DataError: a field of it is in neither.
        """
        missing = [name for name in self.fields if name not in others]
        if missing:
            raise DataError(f"a judge prompt has a field {missing[0]!r}, for which the data has nothing")
        fields = {name: others[name] for name in self.fields}
        return {
            "template": self.text,
            "system": self.system,
            **({"fields": fields} if fields else {}),
            **more,
        }


def make_template(system: str, text: str) -> Template:
    """Return a judge prompt with its fields renamed.

    >>> make_template("Be fair.", "{question} {answer} {ref_answer_1}")
    Template(system='Be fair.', text='{prompt} {completion} {ref_answer_1}', fields=('ref_answer_1',))
    """
    others = dict.fromkeys(name for name in _FIELD.findall(text) if name not in _FIELDS)
    return Template(system, _FIELD.sub(lambda m: "{" + _FIELDS.get(m[1], m[1]) + "}", text), tuple(others))


def read_chat_markup(text: str) -> Template:
    r"""Return a judge prompt that is written with the marks <|im_start|> and <|im_end|>.

    Each message is stripped of white space at its ends, as AlpacaEval does (alpaca_eval 0.6,
    decoders/openai.py).

    Raises:
        DataError: it is not one system message, or none, and one user message.

    >>> read_chat_markup("<|im_start|>user\nWhich?\n<|im_end|>").text
    'Which?'
    """
    messages = [(role, content.strip()) for role, content in _MESSAGE.findall(text)]
    if [role for role, _ in messages] not in (["user"], ["system", "user"]) or _MESSAGE.sub("", text).strip():
        raise DataError(
            "a judge prompt should be a system message, or none, and a user message, each between "
            "<|im_start|> and <|im_end|>"
        )
    return make_template(messages[0][1] if len(messages) == 2 else "", messages[-1][1])
