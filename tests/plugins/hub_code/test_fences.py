"""Fenced blocks."""

import time

import pytest

from hub_code.fences import Block, find_blocks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("```python\nx = 1\n```", [("python", "x = 1\n", True)]),
        ("```Python title=a.py\nx\n```", [("python", "x\n", True)]),
        ("```{.python .numberLines}\nx\n```", [("python", "x\n", True)]),
        ("```c++\nx\n```", [("c++", "x\n", True)]),
        ("``` py\nx\n```", [("py", "x\n", True)]),
        ("~~~\nx\n~~~", [("", "x\n", True)]),
        ("```\nx", [("", "x", False)]),
        ("```\nx\n~~~\ny\n```", [("", "x\n~~~\ny\n", True)]),
        ("````\n```\nx\n```\n````", [("", "```\nx\n```\n", True)]),
        ("```\nx\n`````", [("", "x\n", True)]),
        ("1. So:\n   ```py\n   if x:\n       y\n   ```", [("py", "if x:\n    y\n", True)]),
        ("```\r\nx\r\n```\r\n", [("", "x\r\n", True)]),
        ("```a\n```\n```b\n```", [("a", "", True), ("b", "", True)]),
        ("It is ```x``` here", []),
        ("```x``` and\n```py\ny\n```", [("py", "y\n", True)]),
        ('```py\nprint("""\n```python\n""")\n```', [("py", 'print("""\n```python\n""")\n', True)]),
        ("```py\nx = '\u2028\x0c'\n```", [("py", "x = '\u2028\x0c'\n", True)]),
    ],
)
def test_blocks(text: str, found: list[tuple[str, str, bool]]) -> None:
    assert [(block.tag, block.text, block.closed) for block in find_blocks(text)] == found


def test_where_a_block_begins() -> None:
    text = "So:\n  ```py\n  x\n```\n\n~~~\ny"
    assert [text[block.start :][:5] for block in find_blocks(text)] == ["  ```", "~~~\ny"]


@pytest.mark.parametrize(
    ("tag", "language", "is_of"),
    [
        ("py", "python", True),
        ("python3", "python", True),
        ("pycon", "python", False),
        ("", "python", False),
        ("c++", "cpp", True),
        ("c", "cpp", False),
        ("js", "javascript", True),
        ("rust", "rust", True),
    ],
)
def test_tags(tag: str, language: str, is_of: bool) -> None:
    assert Block(tag, "", 0, True).is_of(language) is is_of


@pytest.mark.parametrize(
    "line",
    ["```" + " " * 100_000 + "x`", "~" * 100_000 + "`", " " * 100_000 + "x```", "```\t\r" * 30_000 + "x`"],
)
def test_a_long_line_costs_no_more_than_its_length(line: str) -> None:
    start = time.process_time()
    find_blocks(line)
    assert time.process_time() - start < 1.0  # it took an hour when it was not linear
