"""The benchmark `gsm-hard`."""

import ast
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DataError, OptionError
from hub.testing import BenchmarkSuite
from hub_benchmarks.gsm_hard import EXACT, find_answer, rows

ARITHMETIC: tuple[type[ast.AST], ...] = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.Assign, ast.Return, ast.Expr, ast.Constant),
    *(ast.Name, ast.Load, ast.Store, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop),
)


class TestGsmHard(BenchmarkSuite):
    benchmark = "gsm-hard"

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def folder(cls, shared_data: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
            yield

    def solve(self, row: dict[str, Any]) -> str | None:
        return f"So it is $\\boxed{{{row['answer']}}}$."


class InFractions(ast.NodeTransformer):
    """Makes a program compute in fractions."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, int | float):
            return node
        return ast.Call(ast.Name("Fraction", ast.Load()), [ast.Constant(str(node.value))], [])


def run_exactly(program: str) -> Fraction | None:
    """The value of a program of arithmetic alone; None for any other."""
    tree = ast.parse(program)
    if not all(isinstance(node, ARITHMETIC) for node in ast.walk(tree)):
        return None
    names: dict[str, Any] = {"Fraction": Fraction}
    exec(compile(ast.fix_missing_locations(InFractions().visit(tree)), "program", "exec"), names)
    return Fraction(names["solution"]())


def test_references_are_what_the_programs_give_in_exact_arithmetic(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    found = list(rows("test"))
    assert len(found) == 1319
    exact = [(row, value) for row in found if (value := run_exactly(row["program"])) is not None]
    assert len(exact) > 1250
    for row, value in exact:
        off = abs(Fraction(row["answer"]) - value)
        is_decimal = 10**15 % value.denominator == 0
        assert off == 0 if is_decimal else off <= abs(value) / 10**7, (row["id"], row["answer"], value)
    fractions = {row["answer"] for row in found if "/" in row["answer"]}
    assert fractions == set(EXACT.values())


@pytest.mark.parametrize(("target", "fraction"), EXACT.items())
def test_what_is_exact_rounds_to_the_target(target: float, fraction: str) -> None:
    assert round(float(Fraction(fraction)), 10) == target


ANSWERS = [
    ("an integer", -9867630.0, "-9867630"),
    ("noise", 3244047.0999999996, "3244047.1"),
    ("more noise", 399.99999999999994, "400"),
    ("an endless decimal", 14053029.666666666, "14053029.6666667"),
    ("ten decimals of one", 5.3333333333, "5.3333333333"),
    ("large", 1.0e15, "1000000000000000"),
    ("large with a decimal", 9284017268534.4, "9284017268534.4"),
    ("small, but exact", 2.5e-07, "0.00000025"),
    ("too small for ten decimals", 2.0107e-06, "5/2486737"),
    ("zero", -0.0, "0"),
    ("text", "23.0", "23"),
    ("text with an exponent", "2.0107e-06", "5/2486737"),
]


@pytest.mark.parametrize(
    ("target", "answer"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
def test_the_reference_is_the_target_without_noise(target: object, answer: str) -> None:
    assert find_answer(target) == answer


BAD: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    (
        "no data anywhere",
        {},
        DataError,
        "HUB_DATA is not set, and 'reasoning-machines/gsm-hard' cannot be fetched.*gsm_hard/gsm_hard.jsonl",
    ),
    (
        "other columns",
        {"content": {"question": "2+2?"}},
        DataError,
        "row 0 has the columns question, not input",
    ),
    (
        "no number",
        {"content": {"input": "2+2?", "target": "4 eggs"}},
        DataError,
        "the target of row 0: could",
    ),
    ("not a number", {"content": {"input": "0/0?", "target": float("nan")}}, DataError, "nan is no finite"),
    ("nothing", {"content": {"input": "2+2?", "target": None}}, DataError, "row 0: None is no number"),
    (
        "a prompt without a question",
        {"prompt": "Solve."},
        OptionError,
        "gsm-hard: the prompt has no {question}",
    ),
]


@pytest.mark.parametrize(
    ("keys", "error", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_data_is_one_clear_error(
    keys: dict[str, Any], error: type[Exception], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUB_DATA", raising=False)
    options = {name: value for name, value in keys.items() if name != "content"}
    if "content" in keys:
        options["path"] = str(tmp_path / "data.jsonl")
        (tmp_path / "data.jsonl").write_text(json.dumps(keys["content"]))
    with pytest.raises(error, match=words):
        list(rows("test", **options))
