"""What the benchmarks of mathematics share: the prompt around a question, and how a number is written."""

import math
from decimal import Decimal

from hub.errors import OptionError

PROMPT = "{question}\n\nReason step by step, and put your final answer in \\boxed{}."


def check_prompt(name: str, prompt: str) -> None:
    """Refuse a prompt of the benchmark `name` that has no place for the question.

    Raises:
        OptionError: it has none.
    """
    if "{question}" not in prompt:
        raise OptionError(f"{name}: the prompt has no {{question}} in it: {prompt!r}")


def write_number(value: object) -> str:
    """Write a number as people do: no exponent, no ".0", and no noise of binary floats.

    15 significant digits are kept, which every decimal of so many digits survives as a float.

    Args:
        value: a number, or text that Python reads as one.

    Raises:
        ValueError: it is no finite number.

    >>> [write_number(value) for value in (145.0, "3.50", 3244047.0999999996, 2.5e-07, 1e15)]
    ['145', '3.5', '3244047.1', '0.00000025', '1000000000000000']
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no finite number")
    return format(Decimal(format(number, ".15g")).normalize() + 0, "f")
