"""The reward `reasoning-gym`: what it takes, what it gives no verifier, and what has failed."""

from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import BadInput
from hub.evaluation.plan import find_benchmark
from hub.testing import RewardSuite
from hub_reasoning_gym.entry import read_entry, write_entry
from hub_reasoning_gym.guard import EXPRESSIONS, INTEGERS, LITERALS, compute, may_verify
from hub_reasoning_gym.verify import ReasoningGym, find_answer

pytest.importorskip("reasoning_gym", reason="needs reasoning-gym")

ENTRY = write_entry({"question": "2 + 2?", "answer": "4", "metadata": {}})
SUM = {"task": "chain_sum", "entry": ENTRY}


def said(answer: str, **columns: Any) -> hub.Sample:
    return hub.Sample("2 + 2?", f"So: <answer>{answer}</answer>", {**SUM, **columns})


class TestReward(RewardSuite):
    reward = "reasoning-gym"
    gold = [said("4"), hub.Sample("", "<think><answer>5</answer></think><answer> 4\n</answer>.", SUM)]
    wrong = [said("5"), said(""), hub.Sample("", "It is 4.", SUM), hub.Sample("", "</answer>4<answer>", SUM)]


def first(task: str, **options: Any) -> dict[str, Any]:
    rows: Any = find_benchmark(f"reasoning-gym/{task}").rows
    found: dict[str, Any] = next(rows("test", **{"size": 1, **options}))
    return found


@pytest.mark.parametrize("task", [*LITERALS, *INTEGERS, *EXPRESSIONS])
def test_nothing_that_a_model_writes_is_run(task: str, tmp_path: Path) -> None:
    row = first(task)
    file = tmp_path / "run"
    for code in (
        f"open({str(file)!r}, 'w')",
        f"__import__('pathlib').Path({str(file)!r}).touch()",
        f"[open({str(file)!r}, 'w')]",
        f"(lambda: open({str(file)!r}, 'w'))()",
        f"exec(\"open({str(file)!r}, 'w')\")",
    ):
        score = ReasoningGym()(hub.Sample("", f"<answer>{code}</answer>", row))
        assert score.value is not None
        assert score.value < 1
    assert not file.exists()


FORMULAS = [
    ("a sum", "(3 + 4)*5 - 2/7", True),
    ("a function", "x**2*sin(3*x)/2 - log(x) + C", True),
    ("a Greek letter", "θ**2", True),
    ("a decimal", "1.5*x", True),
    ("a factorial", "4!", True),
    ("an integral that nobody solved", "Integral(x**2, x)", False),
    ("a function of Python", "open(1)", False),
    ("a function of SymPy that does more", "preview(x)", False),
    ("a text", "'x'", False),
    ("an attribute", "x.is_real", False),
    ("an attribute after a space", "x. is_real", False),
    ("a name with underscores", "__import__(x)", False),
    ("a keyword", "lambda x", False),
    ("a list", "[x, x]", False),
    ("a comparison", "x == x", False),
    ("a walrus", "(x := 1)", False),
    ("a function of Python in wide letters", "\uff4fpen(1)", False),
]


@pytest.mark.parametrize(
    ("answer", "may"), [case[1:] for case in FORMULAS], ids=[case[0] for case in FORMULAS]
)
def test_only_formulas_are_evaluated(answer: str, may: bool) -> None:
    assert may_verify("simple_integration", answer) is may
    assert may_verify("chain_sum", answer)


ROWS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("a list", "number_sorting", "[1]", {"answer": "CODE or [1]"}),
    ("a product", "polynomial_multiplication", "x + 1", {"answer": "CODE"}),
    ("an integrand", "simple_integration", "x**2", {"variable": "x", "integrand": "CODE"}),
    ("another integrand", "intermediate_integration", "x**2", {"variable": "x", "integrand": "CODE"}),
    ("a variable", "simple_integration", "x", {"variable": "CODE", "integrand": "x"}),
    ("an expression", "bitwise_arithmetic", "1", {"problem": "CODE"}),
    ("a reference answer", "countdown", "1/0", {"answer": "CODE"}),
    ("another reference answer", "puzzle24", "1/0", {"answer": "CODE"}),
]


@pytest.mark.parametrize(("task", "answer", "given"), [case[1:] for case in ROWS], ids=[c[0] for c in ROWS])
def test_nothing_that_a_row_says_is_run(
    task: str, answer: str, given: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "run"
    code = f"__import__('pathlib').Path({str(file)!r}).touch()"
    texts = {key: text.replace("CODE", code) for key, text in given.items()}
    entry = {"answer": texts.pop("answer", "x"), "metadata": texts}
    row = {"task": task, "entry": write_entry(entry)}
    try:
        score = ReasoningGym()(hub.Sample("", f"<answer>{answer}</answer>", row))
        assert score.value is not None
        assert score.value < 1
    except (BadInput, ValueError):
        pass
    assert not file.exists()


def test_a_row_names_no_file() -> None:
    """`spell_backward` reads the file that its configuration names, and does not need it to verify."""
    config = repr({"level": None, "config": {"data_file": "/nowhere/at/all.txt"}})
    row = {"task": "spell_backward", "entry": ENTRY, "config": config}
    assert ReasoningGym()(hub.Sample("", "<answer>4</answer>", row)).value == 1.0


SUMS = [
    ("as the package writes it", "((0x123 + 0x456) << 0x1) - 0x2 * 0x3", 2796),
    ("a shift to the right", "0x100 >> 0x3", 32),
    ("a negative number", "-0x3", -3),
    ("a call", "abs(1)", None),
    ("a power", "9**9", None),
    ("a float", "1.5", None),
    ("a text", "'a' * 2", None),
    ("a truth", "True + 1", None),
    ("too large a shift", "1 << 99999999999", None),
]


@pytest.mark.parametrize(("text", "value"), [case[1:] for case in SUMS], ids=[case[0] for case in SUMS])
def test_only_integers_are_computed(text: str, value: int | None) -> None:
    if value is None:
        with pytest.raises(ValueError, match=r"."):
            compute(text)
    else:
        assert compute(text) == value


def test_lists_are_still_read() -> None:
    row = first("spiral_matrix")
    listed = [int(number) for number in row["answer"].split()]
    assert ReasoningGym()(hub.Sample("", f"<answer>{listed}</answer>", row)).value == 0.1
    assert ReasoningGym(partial=False)(hub.Sample("", f"<answer>{listed}</answer>", row)).value == 0.0


def test_an_answer_that_the_verifier_cannot_read_is_wrong() -> None:
    score = ReasoningGym()(hub.Sample("", "<answer>two times three</answer>", first("prime_factorization")))
    assert (score.value, score.reason) == (0.0, "unreadable")
    assert "ValueError" in score.detail


def test_a_verifier_that_cannot_read_its_own_row_has_failed(engine: hub.Engine) -> None:
    broken = {"task": "prime_factorization", "entry": write_entry({"answer": "x", "metadata": {}})}
    reward = hub.find_reward("reasoning-gym").bind()
    (score,) = engine.score(reward, [hub.Sample("", "<answer>2</answer>", broken)])
    assert score.reason == hub.Failure.EXCEPTION


def test_a_verifier_that_hangs_is_stopped_and_costs_nobody_else(engine: hub.Engine) -> None:
    row = first("puzzle24")
    config = {"use": "reasoning-gym", "weight": 1.0, "timeout_s": 3.0}
    mix = hub.Mix.from_tables({"reward": [config]})
    texts = ["<answer>9**9**9**9**9</answer>", "<answer>1 + 1</answer>"]
    hanging, other = mix.score([hub.Sample("", text, row) for text in texts], engine=engine)
    assert hanging.total.reason == hub.Failure.TIMEOUT
    assert other.value == 0.01


@pytest.mark.parametrize(
    "columns",
    [
        {"task": "chain_sums"},
        {"entry": "4"},
        {"entry": "{'answer': f()}"},
        {"entry": "("},
        {"config": "["},
        {"config": "3"},
        {"entry": "{'answer': '4', 'metadata': 3}"},
    ],
    ids=str,
)
def test_other_rows_are_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        ReasoningGym()(said("4", **columns))


def test_what_a_verifier_needs_survives_as_text() -> None:
    from fractions import Fraction

    import numpy

    metadata = {
        1: (1, 2),
        "s": {"a"},
        "n": [None, True, 1.5, numpy.str_("x"), numpy.int64(3)],
        "f": float("inf"),
    }
    read = read_entry(
        write_entry({"question": "?", "answer": None, "metadata": {**metadata, "q": Fraction(1, 2)}})
    )
    assert read == {
        "answer": None,
        "metadata": {**metadata, "n": [None, True, 1.5, "x", 3], "f": "inf", "q": "1/2"},
    }


ANSWERS = [
    ("as asked", "<answer>4</answer>", "4"),
    ("the last", "<answer>3</answer> no <answer>4</answer>", "4"),
    ("with lines", "<answer>\n4\n5\n</answer>", "4\n5"),
    ("never closed", "<answer>4", None),
    ("closed before", "</answer><answer>4", None),
    ("opened twice", "<answer>3 <answer>4</answer>", "4"),
    ("in thought only", "<think><answer>4</answer></think> Four.", None),
    ("nothing", "", None),
]


@pytest.mark.parametrize(
    ("text", "answer"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
def test_the_answer_is_found(text: str, answer: str | None) -> None:
    assert find_answer(text) == answer
