"""The program in a completion."""

import pytest

from hub.testing.odd import ODD_TEXTS
from hub_code import extract_code
from hub_code.parse import LONGEST, defines, is_program, parses

F = "def f(x):\n    return x\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # one block
        (f"Sure:\n```python\n{F}```\nThat is all.", F),
        (f"```\n{F}```", F),
        (f"```python\n{F}", F),
        (f"<think>\n```python\nwrong\n```\n</think>\n```python\n{F}```", F),
        # several
        (f"```python\nwrong\n```\nNo:\n```python\n{F}```", F),
        (f"```python\n{F}```\nIt prints:\n```\n1\n```", F),
        (f"```python\n{F}```\n```bash\npip install f\n```", F),
        (f"```python\n{F}```\nUse it:\n```python\nprint(f(1))\n```", F),
        (f"```text\n{F}```\nUse it:\n```python\nprint(f(1))\n```", F),
        ("```python\ng = 1\n```\n```python\ng = 2\n```", "g = 2\n"),
        ("```\ng = 1\n```\n```python\n\n```", "g = 1\n"),
        # the fence that opens it is the end of the prompt
        (f"{F}```", F),
        (f"{F}```\nThat is all.", F),
        (f"{F}```\nUse it:\n```python\nprint(f(1))\n```", F),
        (f"{F}\nIt prints:\n```\n1\n```", F),
        # none
        (F, F),
        (f"\n\n{F}", f"\n\n{F}"),
        (f"Here it is.\n\n{F}", F),
        (f"Here it is.\n\n{F}\nThis gives back x.", F),
        (f"{F}\n**Why it works**\n\nIt does.", F),
        (f"{F}\n## Why it works\n\nIt does.", f"{F}\n## Why it works"),
        (f"<think>def f(x)?</think>\n{F}", f"\n{F}"),
        ('x = """\n```python\ny\n```\n"""', 'x = """\n```python\ny\n```\n"""'),
        ('x = "</think>"', 'x = "</think>"'),
        ("n = int(input())\nprint(n)", "n = int(input())\nprint(n)"),
        # with mistakes: left as they are, for the sandbox to judge
        ("def f(x)\n    return x\n", "def f(x)\n    return x\n"),
        (f"{F}\0\n", f"{F}\0\n"),
        (f"{F}\nx = = 1", f"{F}\nx = = 1"),
        (f"{F}\nX = = 1", f"{F}\nX = = 1"),
        (f"{F}\n# Now this one\nx = = 1", f"{F}\n# Now this one\nx = = 1"),
        # nothing
        ("", None),
        (" \n\t", None),
        ("I cannot do that.", None),
        ("None", None),
        ("42", None),
        ("It is 42.", None),
        ("```python\n```", None),
        ("```json\n{}\n```", None),
        (f"<think>\n{F}", None),
    ],
)
def test_where_the_program_is(text: str, code: str | None) -> None:
    found = extract_code(text, names=["f"])
    assert (found and found.rstrip()) == (code and code.rstrip())


@pytest.mark.parametrize(
    ("text", "language", "code"),
    [
        ("```cpp\nint main() {}\n```", "cpp", "int main() {}\n"),
        ("```c++\nint main() {}\n```\n```python\n1\n```", "cpp", "int main() {}\n"),
        ("int main() {}", "c", "int main() {}"),
        ("```python\nprint(1)\n```", "c", None),
        ("", "c", None),
    ],
)
def test_other_languages(text: str, language: str, code: str | None) -> None:
    assert extract_code(text, language) == code


@pytest.mark.parametrize("name", ODD_TEXTS)
@pytest.mark.parametrize("frame", ["{}", "```python\n{}\n```", "def f(x):\n    return {}"])
def test_odd_texts(name: str, frame: str) -> None:
    text = frame.replace("{}", ODD_TEXTS[name])
    found = extract_code(text, names=["f"])
    assert found is None or found.rstrip("\n") in text


def test_a_long_program_is_taken_as_it_stands() -> None:
    text = F + "#" * 10_000_000
    assert extract_code(text) == text
    assert extract_code(f"```python\n{text}\n```", names=["f"]) == f"{text}\n"


@pytest.mark.parametrize(
    "text",
    [
        "-" * 30_000 + "1",
        "f" + "()" * 15_000,
        "(" * 30_000,
        "lambda:" * 5_000,
        "a." * 15_000 + "a",
        "a" * LONGEST + "=1",
    ],
)
def test_what_the_compiler_cannot_take_is_no_program(text: str) -> None:
    assert not parses(text) or is_program(text)


@pytest.mark.parametrize(
    ("code", "is_defined"),
    [
        ("def f(): ...", True),
        ("async  def f (): ...", True),
        ("class f: ...", True),
        ("f = lambda: 1", True),
        ("f: int = 1", True),
        ("from m import f", True),
        ("import f", True),
        ("x = 1\ndef f(): ...", True),
        ("def ff(): ...", False),
        ("    def f(): ...", False),
        ("f == 1", False),
        ("f(1)", False),
        ("# def f()", False),
    ],
)
def test_what_defines_a_name(code: str, is_defined: bool) -> None:
    assert defines(code, "f") is is_defined
