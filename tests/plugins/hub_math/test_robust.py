r"""What may be asked for: anything. Verdicts that depend on nothing else, and texts made to break a verifier."""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import hub
from hub.testing import ODD_TEXTS
from hub_math import BadReference, Policy, verify
from hub_math.choice import MultipleChoice
from hub_math.numbers import Numeric
from hub_math.numeric import Evaluator

Pair = tuple[str, str]

MOST_STEPS = 250_000
"""Evaluator steps that one pair of the fuzz may make: both sides, six points, twice the digits."""
LEAVES = (
    r"0 1 2 3 7 12 100 0.5 1.25 1,234 x y n a k z \pi e i \theta 10^{5} \frac12 0.\overline{3} 1e-7 a_n x_1 f(x) "
    r"3\frac{1}{2} 2x 50\% 30^\circ 5\text{~cm} 1011_2 \infty \emptyset \mathbb{R}"
).split()
SHAPES = (
    (
        r"?+?|?-?|-?|(?)(?)|? \cdot ?|\frac{?}{?}|?/?|(?)^{?}|?^?|\sqrt{?}|\sqrt[?]{?}|\sin(?)|\ln(?)|\log ?|\log_{?}{?}|"
        r"\arctan ?|\Gamma(?)|\sin^{?} ?|\gcd(?,?)|\left|?\right||(?)!|\binom{?}{?}|\sum_{k=?}^{?} ?|\prod_{n=1}^{?} (?)|"
        r"\lim_{x \to ?} ?|\lfloor ? \rfloor|? \pm ?|? \bmod ?|f(?)|a_{?}|\det\begin{pmatrix}? & ? \\ ? & ?\end{pmatrix}|"
        r"\begin{pmatrix}? & ? \\ ? & ?\end{pmatrix}"
    )
    .replace(r"\left|?\right|", r"\lvert ?\rvert ")
    .split("|")
)
ANSWERS = [
    *["?"] * 8,
    *[
        "(?, ?)",
        "[?, ?)",
        r"\{?, ?, ?\}",
        "?, ?",
        r"? \text{ or } ?",
        "x = ?",
        "? = ?",
        r"? < x \le ?",
        r"x > ?",
    ],
    *[
        r"(?, ?) \cup [?, \infty)",
        r"(?, ?) \setminus \{?\}",
        r"? \text{ cm}",
        "? : ?",
        r"\{x \mid x > ?\}",
        "x=?, y=?",
    ],
]
SCRAPS = (
    r"{ } ( ) [ ] \{ \} $ \$ \\ \left \right \frac \sqrt ^ _ _{ ^{ & % \% ' ! | < = , ; : \boxed{ \text{ \begin{pmatrix} "
    r"\end{pmatrix} \sum_ \int or and not \pm \in \cup ~ \, # \mathbb \prime ^\circ \ud800 \u200b \u00bd"
).split(" ")


def expression(chance: random.Random, depth: int, shapes: list[str] = SHAPES) -> str:
    """A random expression: a shape with each place in it filled by another one."""
    if depth < 0 or (shapes is SHAPES and chance.random() < 0.15):
        return chance.choice(LEAVES)
    first, *rest = chance.choice(shapes).split("?")
    return first + "".join(expression(chance, depth - 1) + part for part in rest)


def mutated(chance: random.Random, text: str) -> str:
    """A text with some of it lost, doubled, or replaced by a scrap."""
    for _ in range(chance.choice([1, 1, 2, 4])):
        start, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        end = min(end, start + 8)
        text = text[:start] + chance.choice(["", text[start:end] * 2, chance.choice(SCRAPS)]) + text[end:]
    return text


def fuzz(seed: int, count: int, known: list[Pair]) -> Iterator[Pair]:
    """Random pairs: answers of their own, one and its mutation, mutations of known pairs."""
    chance = random.Random(seed)
    for _ in range(count):
        one = expression(chance, chance.randrange(4), ANSWERS)
        reference, answer = chance.choice(known)
        yield chance.choice(
            [
                (one, expression(chance, chance.randrange(4), ANSWERS)),
                (one, mutated(chance, one)),
                (mutated(chance, one), mutated(chance, one)),
                (reference, mutated(chance, answer)),
                (mutated(chance, reference), answer),
            ]
        )


def decide(reference: str, answer: str) -> list[object]:
    """What is decided about a pair, in a shape that JSON keeps."""
    try:
        verdict = verify(reference, f"\\boxed{{{answer}}}")
    except BadReference as error:
        return ["bad", str(error)]
    return [verdict.correct, verdict.layer, verdict.reason, verdict.detail]


@pytest.fixture(scope="module")
def known(shared_data: Path) -> list[Pair]:
    """The pairs of the equivalence set whose answer is a bare one."""
    lines = (shared_data / "math" / "equivalence_dev.jsonl").read_text(encoding="utf-8").splitlines()
    sentences = ("choice-extraction", "bracket-format")
    pairs = [
        (row["gold"], row["pred"]) for row in map(json.loads, lines) if row["contested"] not in sentences
    ]
    return [
        pair
        for pair in pairs
        if not any(mark in text for text in pair for mark in ("$", r"\(", r"\[", "boxed"))
    ]


@pytest.fixture(scope="module")
def asked(known: list[Pair]) -> list[Pair]:
    """What the tests of determinism ask: known pairs, random ones, and some for the last layer."""
    deep = [
        r"\int_0^1 x dx",
        r"\lim_{x\to0} \frac{\sin x}{x}",
        r"\sum_{n=1}^{\infty} \frac{1}{n^2}",
        "(" * 40 + "1" + ")" * 40,
    ]
    return [*known, *fuzz(7, 300, known), *[(text, r"\frac12") for text in deep]]


@pytest.fixture(scope="module")
def verdicts(asked: list[Pair]) -> list[list[object]]:
    """What is decided about them in this thread."""
    return [decide(*pair) for pair in asked]


# Verdicts depend on the pair alone


def test_the_other_way_round_is_the_same(known: list[Pair]) -> None:
    there = [decide(*pair)[0] for pair in known]
    back = [decide(*pair[::-1])[0] for pair in known]
    differ = [
        pair
        for pair, one, other in zip(known, there, back, strict=True)
        if one is not other and "bad" not in (one, other)
    ]
    assert len(known) > 200
    assert differ == []


def test_in_threads(asked: list[Pair], verdicts: list[list[object]]) -> None:
    with ThreadPoolExecutor(8) as pool:
        orders = [random.Random(seed).sample(range(len(asked)), len(asked)) for seed in range(4)]
        found = list(pool.map(lambda order: [(n, decide(*asked[n])) for n in order], orders))
    assert [dict(one) for one in found] == [dict(enumerate(verdicts))] * 4


def test_on_an_event_loop(asked: list[Pair], verdicts: list[list[object]]) -> None:
    async def one(pair: Pair) -> list[object]:
        await asyncio.sleep(0)
        return decide(*pair)

    async def every() -> list[list[object]]:
        return list(await asyncio.gather(*(one(pair) for pair in asked)))

    assert asyncio.run(every()) == verdicts


@pytest.mark.parametrize(("seed", "reverse"), [("1", False), ("2", True)])
def test_in_another_process(
    asked: list[Pair], verdicts: list[list[object]], seed: str, reverse: bool, tmp_path: Path
) -> None:
    """With another hash seed, and after other pairs were asked first."""
    script = tmp_path / "ask.py"
    script.write_text(
        "import json, sys\n"
        "from hub_math import BadReference, verify\n"
        "def decide(reference, answer):\n"
        "    try:\n"
        "        found = verify(reference, '\\\\boxed{' + answer + '}')\n"
        "    except BadReference as error:\n"
        "        return ['bad', str(error)]\n"
        "    return [found.correct, found.layer, found.reason, found.detail]\n"
        "print(json.dumps([decide(*pair) for pair in json.load(sys.stdin)]))\n"
    )
    order = asked[::-1] if reverse else asked
    done = subprocess.run(
        [sys.executable, str(script)],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": seed},
    )
    found = json.loads(done.stdout)
    assert (found[::-1] if reverse else found) == verdicts


def test_deep_in_the_callers_stack(asked: list[Pair], verdicts: list[list[object]]) -> None:
    def below(frames: int, pair: Pair) -> list[object]:
        return below(frames - 1, pair) if frames else decide(pair[0] + " ", pair[1])  # not from a cache

    deep = [(n, pair) for n, pair in enumerate(asked) if "((((" in pair[0] or "((((" in pair[1]]
    assert deep
    for n, pair in deep:
        assert below(300, pair)[:3] == verdicts[n][:3]


# Nothing breaks it


def test_nothing_but_a_bad_reference_is_raised(known: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    """And no pair makes more than a counted number of steps."""
    steps = 0
    evaluate = Evaluator.value

    def counted(self: Evaluator, node: object) -> object:
        nonlocal steps
        before = self.steps
        try:
            return evaluate(self, node)  # type: ignore[arg-type]
        finally:
            steps += self.steps - before

    monkeypatch.setattr(Evaluator, "value", counted)
    reasons = set()
    broken: list[tuple[Pair, str]] = []
    for pair in fuzz(1, 3_000, known):
        steps = 0
        try:
            found = decide(*pair)
            reasons.add((found[1], found[2]) if len(found) > 2 else "bad")
            answer = hub.Sample("", pair[1], {"answer": pair[0]})
            assert Numeric()(answer).reason != "error"
            assert MultipleChoice()(answer).reason != "error"
        except Exception as error:
            broken.append((pair, repr(error)))
        assert steps <= MOST_STEPS, pair
    assert broken == []
    assert {
        "bad",
        ("text", ""),
        ("structure", ""),
        ("exact", ""),
        ("numeric", ""),
        ("numeric", "different"),
    } <= reasons
    assert {("none", "no_answer"), ("none", "undecided"), ("structure", "several")} <= reasons


@pytest.mark.parametrize("pair", [("2", "and"), (r"(1,2)\cup(3,4)", "or"), ("and", "2")])
def test_words_that_join_nothing(pair: Pair) -> None:
    assert decide(*pair)[0] is not True


LONG = {
    "10,000 boxes": r"\boxed{8} " * 10_000,
    "10,000 boxes joined by or": r"\boxed{7} or \boxed{8} or " * 5_000,
    "a box of letters": r"\boxed{" + "x" * 1_000_000 + "}",
    "a box of digits": r"\boxed{" + "9" * 1_000_000 + "}",
    "a box of brackets": r"\boxed{" + "(" * 1_000_000 + "}",
    "a box of spaces": r"\boxed{" + " " * 1_000_000 + "}",
    "a box of commas": r"\boxed{" + "1," * 500_000 + "}",
    "a box of text": r"\boxed{" + r"\text{a}" * 140_000 + "}",
    "closing braces": "}" * 1_000_000,
    "spaces": " " * 1_000_000,
    "lines": "\n" * 1_000_000,
    "phrases": "The answer is " * 70_000,
    "a phrase and spaces": "The answer is" + " " * 1_000_000 + "8",
    "or": "1 or " * 200_000,
    "not": "not " * 250_000,
    "formulas": "$x$ " * 250_000,
    "brackets of formulas": r"\[" * 500_000,
    "marks": "#### 8\n" * 140_000,
    "stars": "*" * 1_000_000,
    "groups of digits": "1,234," * 160_000,
    "environments": r"\begin{a}" * 110_000,
    "other letters": "\u043e\u0442\u0432\u0435\u0442 " * 160_000,
    "tags": "<answer>" * 120_000,
    "thoughts": "</think>" * 120_000,
}


@pytest.mark.parametrize("name", LONG | ODD_TEXTS)
def test_long_and_odd_texts(name: str) -> None:
    """None is the answer 7 but where it says so; what takes more than one pass would not end."""
    text = (LONG | ODD_TEXTS)[name]
    policies = [Policy(), Policy("boxed"), Policy("final-line")]
    correct = [verify("7", text, policy).correct for policy in policies]
    says_so = name == "a megabyte of words"
    assert correct == [says_so, False, says_so]
    assert MultipleChoice()(hub.Sample("", text, {"answer": "J"})).value == 0.0
    assert Numeric()(hub.Sample("", text, {"answer": 123.25})).value == 0.0
    with contextlib.suppress(BadReference):
        assert not verify(text, "123.25").correct


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import hub_math, sys; print(sorted({'sympy', 'mpmath', 'torch', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
