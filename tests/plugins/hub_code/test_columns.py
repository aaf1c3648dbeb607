"""What judges a program, read from a row."""

from typing import Any

import pytest

import hub
from hub.errors import MissingColumn
from hub.sandbox import Case
from hub_code.columns import BadReference, Reference, read_reference

HEAD = "import math\n\ndef f(x):\n    '''Root.'''\n"


def read(**columns: Any) -> Reference:
    return read_reference(hub.Sample(columns.pop("prompt", ""), "", columns))


@pytest.mark.parametrize(
    ("columns", "reference"),
    [
        ({"tests": "assert f(1)"}, Reference("check", tests=("assert f(1)",))),
        ({"tests": "t", "entry_point": "f", "mode": "check"}, Reference("check", "f", tests=("t",))),
        ({"tests": ["a", "b"]}, Reference("check", tests=("a", "b"))),
        ({"test_list": ["a", " "]}, Reference("check", tests=("a",))),
        ({"test_list": '["a", "b"]'}, Reference("check", tests=("a", "b"))),
        ({"test_list": "['a', \"b\"]"}, Reference("check", tests=("a", "b"))),
        ({"tests": "", "test_list": ["a"], "entry_point": ""}, Reference("check", tests=("a",))),
        ({"tests": "t", "prompt": HEAD, "entry_point": "f"}, Reference("check", "f", HEAD, tests=("t",))),
        ({"tests": "t", "prompt_code": "x = 1"}, Reference("check", "", "x = 1", tests=("t",))),
        (
            {"test_list": ["t"], "test_imports": ["import a", "import b"], "test_setup_code": "x = 1"},
            Reference("check", "", "import a\nimport b\n", "import a\nimport b\nx = 1", ("t",)),
        ),
        ({"expected_stdout": "1\n"}, Reference("io", printing=(("", "1\n"),))),
        ({"expected_stdout": "[1]", "stdin": "[2]"}, Reference("io", printing=(("[2]", "[1]"),))),
        (
            {"mode": "io", "expected_stdout": "", "stdin": "a", "tests": "# none"},
            Reference("io", printing=(("a", ""),)),
        ),
        (
            {"stdin": ["1", "2"], "expected_stdout": ["3", "4"]},
            Reference("io", printing=(("1", "3"), ("2", "4"))),
        ),
        ({"inputs": ["1", "2"], "outputs": ["3", "4"]}, Reference("io", printing=(("1", "3"), ("2", "4")))),
        ({"outputs": ["3", "4"]}, Reference("io", printing=(("", "3"), ("", "4")))),
        ({"inputs": "['1']", "outputs": '["3"]'}, Reference("io", printing=(("1", "3"),))),
        ({"stdin": "x", "expected_stdout": ["3", "4"]}, Reference("io", printing=(("x", "3"), ("x", "4")))),
        (
            {"entry_point": "f", "cases": [{"args": [1, 2], "expected": 3}, [[1], 2]]},
            Reference("cases", "f", cases=(Case((1, 2), 3), Case((1,), 2))),
        ),
        (
            {"entry_point": "f", "cases": "[((1, {2}), (3,))]"},
            Reference("cases", "f", cases=(Case((1, {2}), (3,)),)),
        ),
        (
            {"entry_point": "f", "cases": '[{"args": [null], "expected": true, "kwargs": {"k": 1}}]'},
            Reference("cases", "f", cases=(Case((None,), True, {"k": 1}),)),
        ),
        (
            {"tests": None, "mode": None, "cases": None, "expected_stdout": "1"},
            Reference("io", printing=(("", "1"),)),
        ),
    ],
)
def test_what_is_read(columns: dict[str, Any], reference: Reference) -> None:
    assert read(**columns) == reference


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"mode": "stdin", "tests": "t"}, "the mode is 'stdin', not one of check, cases, io"),
        ({"mode": "check"}, "no test in it"),
        ({"mode": "check", "tests": " "}, "no test in it"),
        ({"tests": 3}, "not text or a list of texts"),
        ({"test_list": ["a", None]}, "not text or a list of texts"),
        ({"tests": "t", "entry_point": 3}, "'entry_point' is int, not text"),
        ({"inputs": ["1"], "outputs": ["1", "2"]}, "1 inputs and 2 outputs"),
        ({"mode": "io", "outputs": [], "expected_stdout": []}, "0 expected_stdout"),
        ({"outputs": [1]}, "not text or a list of texts"),
        ({"mode": "cases", "cases": [[1, 2]]}, "name it in the column 'entry_point'"),
        ({"entry_point": "f", "cases": "no list"}, "no list of cases"),
        ({"entry_point": "f", "cases": [{"args": [1]}]}, "a case is"),
        ({"entry_point": "f", "cases": [[1, 2]]}, "the arguments of a case are a list"),
        ({"entry_point": "f", "cases": [[[1], 2, 3]]}, "a case is"),
    ],
)
def test_what_judges_nothing(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(BadReference, match=message.replace("[", r"\[").replace("{", r"\{")):
        read(**columns)


@pytest.mark.parametrize("columns", [{}, {"answer": "4"}, {"tests": "", "test_list": []}, {"mode": "io"}])
def test_a_row_without_any(columns: dict[str, Any]) -> None:
    with pytest.raises(MissingColumn):
        read(**columns)


def test_names_that_a_right_program_may_define() -> None:
    assert read(tests="assert f(1)", entry_point="f").names == {"f"}
    assert "g" in read(test_list=["assert set(g(1)) == set()"]).names
