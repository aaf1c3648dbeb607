"""Completions joined with what the prompt gave."""

import pytest

from hub_code.complete import find_program, find_prompt_code, preamble

HEAD = 'import math\n\n\ndef helper(x):\n    return 2\n\n\ndef f(x: list) -> int:\n    """Of x.\n\n    >>> f([1])\n    2\n    """\n'


def run(program: str | None) -> object:
    """The function that a program defines, called."""
    assert program is not None
    names: dict[str, object] = {}
    exec(program, names)
    function = names["f"]
    assert callable(function)
    return function([1])


@pytest.mark.parametrize(
    "completion",
    [
        "    return len(x) + int(math.sqrt(1))",
        "    y = 1\n\n    return y + 1\n",
        "\n    return helper(x)\n",
        "    # two\n    return 2\n\n\ndef g(): ...\n",
        "    return 2\n\n\nThe function is done.",
        "    return 2\n\n\n# Test\nassert f(",
        "    return 2\n```\n\nThat is all.",
        "return helper(x)",
        "y = 1\nreturn y + 1",
        "for y in x:\n        return 2\n    return 3",
        "```python\nreturn helper(x)\n```",
        "```python\n    return helper(x)\n```",
        "```python\ndef f(x):\n    return int(math.sqrt(4))\n```",
        "Sure.\n```python\nfrom typing import List\n\ndef f(x: List[int]):\n    return helper(x)\n```\nBye.",
        "```python\nfrom __future__ import annotations\n\ndef f(x: Unknown):\n    return helper(x)\n```",
        "    ```python\n    def f(x):\n        return 2\n    ```",
        "```\n    def f(x):\n        return 2\n```",
        "def f(x):\n    return 2",
        "Here:\n\ndef f(x):\n    return 2\n\nIt works well enough.",
        "<think>hm</think>    return 2",
        "<think>hm</think>\n\n```python\ndef f(x):\n    return 2\n```",
        'def f(x):\n    """Of x.\n\n    >>> f([1])\n    2\n    """\n    return 2\n',
        "f = lambda x: helper(x)",
    ],
)
def test_programs(completion: str) -> None:
    assert run(find_program(completion, "python", HEAD, "f", {"f"})) == 2


@pytest.mark.parametrize("completion", ["", "\n", "I do not know.", "<think>    return 2", "```python\n```"])
def test_there_is_none(completion: str) -> None:
    assert find_program(completion, "python", HEAD, "f", {"f"}) is None


def test_a_body_with_mistakes_is_left_as_it_is() -> None:
    assert find_program("    return (", "python", HEAD, "f", {"f"}) == f"{HEAD}    return ("


def test_without_a_prompt_the_code_is_the_program() -> None:
    assert find_program("print(1)", "python", "", "", set()) == "print(1)"
    assert find_program("print(1)", "python", "import math\n", "", set()) == "import math\n\nprint(1)"


@pytest.mark.parametrize(
    ("code", "before"),
    [
        ("import a\n\ndef f(x):\n    ...\n", "import a\n\n"),
        ("def f(x):\n", ""),
        ("import a\n@a.b\n@a.c(1)\ndef f(x):\n", "import a\n"),
        ("import a\ndef ff(x): ...\nclass f:\n", "import a\ndef ff(x): ...\n"),
        ("import a\n", "import a\n"),
        ("", ""),
    ],
)
def test_what_stands_before_the_function(code: str, before: str) -> None:
    assert preamble(code, "f") == before


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        (HEAD, HEAD),
        (f"Complete:\n```python\n{HEAD}```\nwell", HEAD),
        ("Write a function f.", ""),
        ("def f(x): is what I want", ""),
        ("", ""),
    ],
)
def test_code_in_a_prompt(prompt: str, code: str) -> None:
    assert find_prompt_code(prompt, "f") == code
    assert find_prompt_code(prompt, "") == ""
