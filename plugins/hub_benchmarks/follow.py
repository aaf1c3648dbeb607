"""The reward `ifeval`."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import hub
from hub_benchmarks.instructions import BadInstruction, follows

LONGEST = 100_000
"""Characters of a completion that is looked at; a longer one follows no instruction."""


class IfEval:
    """1.0 where the completion follows all of the row's verifiable instructions, else 0.0.

    The columns are those of IFEval's data: `instruction_id_list`, the instructions' names, and `kwargs`, the
    arguments of each, of which any that are None are left out. docs/benchmarks.md lists the 25 instructions
    and where the verdict differs from the original code. What was thought, up to the last `</think>`, is not
    part of the answer.

    The score's `info` has `parts`: which instructions were followed, by name. The reasons for a value below
    1.0: `not_followed` (the detail names the instructions) and `too_long`.

    Args:
        mode: "strict" takes the completion as it is. "loose" follows an instruction where any of eight forms
            does: without its first line, its last one, or both, each with and without asterisks.
        partial: the value is the fraction of the instructions that are followed, in place of all or nothing.

    >>> row = {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    >>> IfEval()(hub.Sample("", "Yes, sir.", row)).value, IfEval()(hub.Sample("", "Yes.", row)).value
    (0.0, 1.0)
    """

    def __init__(self, mode: Literal["strict", "loose"] = "strict", partial: bool = False) -> None:
        self.mode, self.partial = mode, partial

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion."""
        text = sample.text
        text = text[text.rfind("</think>") + 8 :].lstrip("\n") if "</think>" in text else text
        too_long = len(text) > LONGEST
        forms = [] if too_long else [text] if self.mode == "strict" else list(loose_forms(text))
        try:
            asked = list(_read(sample["instruction_id_list"], sample["kwargs"]))
            parts = {
                name: any(follows(form, kind, arguments) for form in forms) for name, kind, arguments in asked
            }
        except BadInstruction as error:
            return hub.Score.failed("bad_reference", str(error))
        missed = ", ".join(name for name, followed in parts.items() if not followed)
        value = sum(parts.values()) / len(parts) if self.partial else float(not missed)
        reason = "too_long" if too_long else "not_followed" if missed else ""
        return hub.Score(value, reason, missed, {"parts": parts})


def loose_forms(text: str) -> Iterator[str]:
    r"""Yield the forms of a text of which any may follow an instruction, as it stands first.

    >>> list(loose_forms("Sure!\n*Yes*"))
    ['Sure!\n*Yes*', 'Sure!\nYes', '*Yes*', 'Yes', 'Sure!', 'Sure!', '', '']
    """
    lines = text.split("\n")
    for form in (text, *("\n".join(cut).strip() for cut in (lines[1:], lines[:-1], lines[1:-1]))):
        yield form
        yield form.replace("*", "")


def _read(kinds: Any, arguments: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield each instruction with its arguments, under a name of its own.

    Raises:
        BadInstruction: the columns do not fit together.
    """
    kinds, arguments = _plain(kinds), _plain(arguments)
    texts = isinstance(kinds, list | tuple) and all(isinstance(kind, str) for kind in kinds)
    tables = isinstance(arguments, list | tuple) and all(isinstance(one, Mapping) for one in arguments)
    if not texts or not tables or len(kinds) != len(arguments) or not kinds:
        raise BadInstruction(
            "instruction_id_list should be a list of names, and kwargs as many tables of arguments, not "
            f"{kinds!r:.100} and {arguments!r:.100}"
        )
    for number, (kind, table) in enumerate(zip(kinds, arguments, strict=True), 1):
        yield (kind if kinds.count(kind) == 1 else f"{kind}#{number}"), kind, table


def _plain(column: Any) -> Any:
    return column.tolist() if hasattr(column, "tolist") else column
