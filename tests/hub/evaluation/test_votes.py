"""maj@k."""

import pytest

from hub.evaluation.votes import Vote, maj_at_k

RIGHT: Vote = ("7", 1.0)
WRONG: Vote = ("8", 0.0)
NONE: Vote = (None, 0.0)

CASES: list[tuple[str, list[list[Vote]], dict[int, float]]] = [
    ("no prompts", [], {}),
    ("prompts without completions", [[], []], {}),
    ("no completion has an answer", [[NONE] * 4], {}),
    ("two completions cannot outvote each other", [[RIGHT, WRONG]], {}),
    ("most are right", [[RIGHT, RIGHT, WRONG]], {3: 1.0}),
    ("most are wrong", [[RIGHT, WRONG, WRONG]], {3: 0.0}),
    (
        "wrong ones that differ do not add up",
        [[RIGHT, RIGHT, WRONG, ("9", 0.0), ("10", 0.0)]],
        {4: 1.0, 5: 1.0},
    ),
    ("a tie is the mean of what leads", [[RIGHT, WRONG, RIGHT, WRONG]], {4: 0.5}),
    ("a tie of three", [[RIGHT, WRONG, ("9", 0.0)]], {3: 1 / 3}),
    ("who says nothing has no vote", [[RIGHT, NONE, NONE]], {3: 1.0}),
    ("nobody of a block says anything", [[NONE, NONE, NONE], [RIGHT] * 3], {3: 0.5}),
    ("an empty answer is one", [[("", 0.0), ("", 0.0), RIGHT]], {3: 0.0}),
    ("values between", [[("7", 0.5), ("7", 0.25), WRONG]], {3: 0.375}),
    ("blocks in their order", [[RIGHT] * 4 + [WRONG] * 4], {4: 0.5, 8: 0.5}),
    ("a rest that fills no block", [[RIGHT] * 4 + [WRONG] * 2], {4: 1.0, 6: 1.0}),
    ("no k that a prompt has too few for", [[RIGHT] * 4, [WRONG] * 3, []], {3: 0.5}),
    ("each prompt counts once", [[RIGHT] * 8, [WRONG] * 4], {4: 0.5}),
]


@pytest.mark.parametrize(("groups", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_maj_at_k(groups: list[list[Vote]], expected: dict[int, float]) -> None:
    assert maj_at_k(groups) == pytest.approx(expected)


def test_maj_at_k_has_what_papers_report() -> None:
    assert list(maj_at_k([[RIGHT] * 100])) == [4, 8, 10, 16, 32, 64, 100]
