"""Sums, differences and products of two numbers, generated: no download, and as many rows as one wants.

A problem belongs to `train` or `test` by a hash of its operation and operands, whatever the options, so a
model trained on one split has seen no problem of the other, nor one with the operands swapped.
"""

import random
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from hub.errors import OptionError

PROMPT = "What is {problem}? Put the answer in \\boxed{}."
TEST_SHARE = 0.2
OPERATIONS = {"+": "sum", "-": "difference", "*": "product"}
EXAMPLES = (("+", 7, 5), ("-", 19, 6), ("*", 3, 4), ("+", 16, 13), ("-", 42, 15), ("*", 8, 7))
"""Problems that are worked out in prompts; they are in no split."""


def rows(
    split: str,
    operations: str = "+-*",
    max_operand: int = 99,
    rows: int = 500,
    seed: int = 0,
    examples: int = 2,
    prompt: str = PROMPT,
) -> Iterator[dict[str, Any]]:
    r"""Yield problems with the columns `prompt`, `answer` (a number as text) and `operation`.

    Args:
        split: "train" (four problems of five) or "test".
        operations: of "+", "-" and "*".
        max_operand: operands are from 0 to this.
        rows: how many, all different.
        seed: which ones, and their order.
        examples: worked examples before the question, as earlier turns of the chat; small models need two
            to write `\boxed{}`. With 0 the prompt is plain text.
        prompt: the question; {problem} stands for the problem.

    Raises:
        OptionError: an option is out of range, or there are fewer problems than rows.

    >>> row = next(rows("test", operations="+", max_operand=20, rows=1, examples=0))
    >>> row["prompt"]
    'What is 9 + 18? Put the answer in \\boxed{}.'
    >>> row["answer"], row["operation"]
    ('27', 'sum')
    """
    _check(operations, max_operand, rows, examples, prompt)
    worked = [example for example in EXAMPLES if example[0] in operations][:examples]
    turns = []
    for operation, a, b in worked:
        turns.append({"role": "user", "content": prompt.replace("{problem}", _write(operation, a, b))})
        turns.append({"role": "assistant", "content": f"\\boxed{{{_solve(operation, a, b)}}}"})
    for operation, a, b in _draw(split, operations, max_operand, rows, seed):
        question = prompt.replace("{problem}", _write(operation, a, b))
        yield {
            "id": f"{a}{operation}{b}",
            "prompt": [*turns, {"role": "user", "content": question}] if examples else question,
            "answer": str(_solve(operation, a, b)),
            "operation": OPERATIONS[operation],
        }


def _draw(
    split: str, operations: str, max_operand: int, count: int, seed: int
) -> Iterator[tuple[str, int, int]]:
    """Draw problems of the split without repetition, from the range of all."""
    side = max_operand + 1
    possible = len(operations) * side * side
    wanted = count
    while True:
        wanted = min(possible, 8 * wanted + 100)
        found = []
        for number in random.Random(seed).sample(range(possible), wanted):
            kind, operands = divmod(number, side * side)
            problem = (operations[kind], *divmod(operands, side))
            if split == _split_of(*problem):
                found.append(problem)
        if len(found) >= count:
            yield from found[:count]
            return
        if wanted == possible:
            raise OptionError(
                f"arithmetic has only {len(found)} {split} problems with the operations {operations!r} and "
                f"max_operand={max_operand}, not {count}: lower rows, or raise max_operand"
            )


def _split_of(operation: str, a: int, b: int) -> str:
    if (operation, a, b) in EXAMPLES or (operation, b, a) in EXAMPLES:
        return "example"
    low, high = sorted((a, b))
    digest = blake2b(f"{low}{operation}{high}".encode(), digest_size=4).digest()
    return "test" if int.from_bytes(digest) < TEST_SHARE * 2**32 else "train"


def _write(operation: str, a: int, b: int) -> str:
    return f"{a} {operation} {b}"


def _solve(operation: str, a: int, b: int) -> int:
    return a + b if operation == "+" else a - b if operation == "-" else a * b


def _check(operations: str, max_operand: int, count: int, examples: int, prompt: str) -> None:
    if not operations or set(operations) - set(OPERATIONS) or len(set(operations)) != len(operations):
        raise OptionError(f"arithmetic: operations is some of '+-*', not {operations!r}")
    if max_operand < 1 or count < 1:
        raise OptionError(f"arithmetic: max_operand and rows are at least 1, not {max_operand} and {count}")
    most = sum(example[0] in operations for example in EXAMPLES)
    if not 0 <= examples <= most:
        raise OptionError(f"arithmetic: examples is from 0 to {most} for {operations!r}, not {examples}")
    if "{problem}" not in prompt:
        raise OptionError(f"arithmetic: the prompt has no {{problem}} in it: {prompt!r}")
