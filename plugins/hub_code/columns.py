"""Reads what judges a program from the columns of a row."""

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import hub
from hub.errors import MissingColumn
from hub.sandbox import Case
from hub_code.complete import find_prompt_code

MODES = ("check", "cases", "io")
_WORD = re.compile(r"[A-Za-z_]\w*")


class BadReference(Exception):
    """The columns of a row judge nothing; the row is at fault."""


@dataclass(frozen=True)
class Reference:
    """What judges the programs of a row.

    Args:
        mode: "check" (code that calls the program), "io" (what it prints) or "cases" (literal calls).
        entry_point: the function that is asked for; "" where none is named.
        prompt_code: what the prompt gave of the program; "" for nothing.
        setup: code that goes before the tests.
        tests: with "check": the tests, in parts if the row has them so.
        printing: with "io": what is read and what must be printed, of each run.
        cases: with "cases": the calls.
    """

    mode: str
    entry_point: str = ""
    prompt_code: str = ""
    setup: str = ""
    tests: tuple[str, ...] = ()
    printing: tuple[tuple[str, str], ...] = ()
    cases: tuple[Case, ...] = ()

    @property
    def names(self) -> set[str]:
        """What a right program may define: the function that is asked for, else any name of the tests."""
        if self.entry_point:
            return {self.entry_point}
        return {name for test in self.tests for name in _WORD.findall(test)}


def read_reference(sample: hub.Sample) -> Reference:
    """Return what judges the programs of a sample's row; columns that are None count as missing.

    Raises:
        BadReference: a column has a value that cannot be used.
        MissingColumn: the row has nothing to judge by.
    """
    mode = _mode(sample)
    entry_point, prompt_code = read_prompt(sample)
    if mode == "io":
        return Reference(mode, entry_point, prompt_code, printing=_printing(sample))
    if mode == "cases":
        if not entry_point:
            raise BadReference("cases are calls of a function: name it in the column 'entry_point'")
        return Reference(mode, entry_point, prompt_code, cases=_cases(sample.get("cases")))
    tests = _tests(sample)
    imports = "\n".join(_texts(sample.get("test_imports"), "test_imports"))
    setup = "\n".join(part for part in (imports, read_text(sample, "test_setup_code")) if part.strip())
    prompt_code = f"{imports}\n{prompt_code}" if imports else prompt_code
    return Reference(mode, entry_point, prompt_code, setup, tests)


def read_prompt(sample: hub.Sample) -> tuple[str, str]:
    """Return the function that is asked for and what the prompt gave of the program; "" for nothing.

    Raises:
        BadReference: a column has a value that cannot be used.
    """
    entry_point = read_text(sample, "entry_point")
    prompt_code = read_text(sample, "prompt_code") or find_prompt_code(sample.prompt_text, entry_point)
    return entry_point, prompt_code


def read_text(sample: hub.Sample, column: str) -> str:
    """Return a column's text; "" where it is missing.

    Raises:
        BadReference: it is no text.
    """
    value = sample.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadReference(f"the column {column!r} is {type(value).__name__}, not text")
    return value


def _mode(sample: hub.Sample) -> str:
    mode = read_text(sample, "mode")
    if mode:
        if mode not in MODES:
            raise BadReference(f"the mode is {mode!r}, not one of {', '.join(MODES)}")
        return mode
    if _has(sample, "tests") or _has(sample, "test_list"):
        return "check"
    if _has(sample, "cases"):
        return "cases"
    if sample.get("outputs") is not None or sample.get("expected_stdout") is not None:
        return "io"
    raise MissingColumn(
        "the row has nothing to judge a program by: 'tests' or 'test_list' (code), 'cases' (calls), "
        "'expected_stdout' or 'outputs' (what it prints)"
    )


def _has(sample: hub.Sample, column: str) -> bool:
    value = sample.get(column)
    return bool(value.strip() if isinstance(value, str) else value)


def _tests(sample: hub.Sample) -> tuple[str, ...]:
    column = "tests" if _has(sample, "tests") else "test_list"
    found = tuple(test for test in _texts(sample.get(column), column) if test.strip())
    if not found:
        raise BadReference(f"the mode is 'check', but the column {column!r} has no test in it")
    return found


def _printing(sample: hub.Sample) -> tuple[tuple[str, str], ...]:
    given, wanted = ("inputs", "outputs") if _has(sample, "outputs") else ("stdin", "expected_stdout")
    expected, stdin = sample.get(wanted), sample.get(given)
    if expected is None:
        raise MissingColumn(f"the mode is 'io', but the row has no {wanted!r}: what must be printed")
    outputs = [expected] if isinstance(expected, str) and wanted != "outputs" else _texts(expected, wanted)
    one = stdin is None or (isinstance(stdin, str) and given != "inputs")
    inputs = [stdin or ""] * len(outputs) if one else _texts(stdin, given)
    if len(inputs) != len(outputs) or not outputs:
        raise BadReference(f"{len(inputs)} {given} and {len(outputs)} {wanted}: as many are needed, and one")
    return tuple(zip(inputs, outputs, strict=True))


def _cases(value: Any) -> tuple[Case, ...]:
    """Read cases: mappings with args, expected and perhaps kwargs, or pairs of arguments and result."""
    listed = _literal(value) if isinstance(value, str) else value
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise BadReference("the column 'cases' is no list of cases, or an empty one")
    return tuple(map(_case, listed))


def _case(value: Any) -> Case:
    if isinstance(value, dict) and {"args", "expected"} <= set(value) <= {"args", "expected", "kwargs"}:
        args, expected, kwargs = value["args"], value["expected"], value.get("kwargs") or {}
    elif isinstance(value, list | tuple) and len(value) == 2:
        (args, expected), kwargs = value, {}
    else:
        raise BadReference(
            f"a case is {{'args': [...], 'expected': ...}} or [arguments, expected], not {value!r:.80}"
        )
    if not isinstance(args, list | tuple) or not isinstance(kwargs, dict):
        raise BadReference(f"the arguments of a case are a list, those by name a mapping: {value!r:.80}")
    return Case(tuple(args), expected, kwargs)


def _texts(value: Any, column: str) -> list[str]:
    """Read one or several texts: a list, a text that spells a list (as in CSV), or a text that is one."""
    if value is None:
        return []
    if isinstance(value, str):
        listed = _literal(value) if value.lstrip().startswith("[") else None
        value = listed if isinstance(listed, list) else [value]
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise BadReference(f"the column {column!r} is {value!r:.80}, not text or a list of texts")
    return list(value)


def _literal(text: str) -> Any:
    """Read JSON or a Python literal; None if it is neither."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return None
