"""Programs with the verdict that a right sandbox gives, as tables: name, program, verdicts that are right."""

from typing import Any

from hub.sandbox import Case, Program, Verdict

PASSED, FAILED, ERROR, TIMEOUT, MEMORY, KILLED, OUTPUT_LIMIT = Verdict
Table = dict[str, tuple[Program, tuple[Verdict, ...]]]
LARGE = 4_000_000
"""Bytes of a large standard input."""


def _prints(source: str, expected: str | None, *verdicts: Verdict, **more: Any) -> tuple[Program, Any]:
    return Program(source, expected_stdout=expected, **more), verdicts


OUTPUT: Table = {
    "lines: the same": _prints("print(1); print(2)", "1\n2\n", PASSED),
    "lines: spaces at the ends": _prints("print('1  \\n2\\t\\n\\n')", "1\n2", PASSED),
    "lines: expected with Windows line ends": _prints("print('1\\n2')", "1\r\n2\r\n", PASSED),
    "lines: an indented line": _prints("print(' 1')", "1", FAILED),
    "lines: a line too few": _prints("print(1)", "1\n2\n", FAILED),
    "lines: a line too many": _prints("print(1); print(2)", "1\n", FAILED),
    "lines: one line for two": _prints("print('1 2')", "1\n2", FAILED),
    "lines: an empty line between": _prints("print('1\\n\\n2')", "1\n2", FAILED),
    "lines: other case": _prints("print('YES')", "yes", FAILED),
    "tokens: other spaces": _prints("print(' 1\\n\\n 2')", "1 2", PASSED, compare="tokens"),
    "tokens: a token too many": _prints("print('1 2 3')", "1 2", FAILED, compare="tokens"),
    "tokens: a number written otherwise": _prints("print('1.0')", "1", FAILED, compare="tokens"),
    "exact: the same": _prints("print(1)", "1\n", PASSED, compare="exact"),
    "exact: a line end missing": _prints("print(1, end='')", "1\n", FAILED, compare="exact"),
    "exact: a space at the end": _prints("print('1 ')", "1\n", FAILED, compare="exact"),
    "nothing where nothing is expected": _prints("pass", "", PASSED),
    "something where nothing is expected": _prints("print(1)", "", FAILED),
    "nothing where something is expected": _prints("pass", "1", FAILED),
    "the wrong stream": _prints("import sys; print(1, file=sys.stderr)", "1", FAILED),
    "both streams": _prints("import sys; print(1); print(2, file=sys.stderr)", "1", PASSED),
    "unicode": _prints("print('żółw 🐢 \\u0661')", "żółw 🐢 \u0661", PASSED),
    "full-width digits are others": _prints("print('\\uff11')", "1", FAILED),
    "output that is not UTF-8": _prints("import os; os.write(1, b'1\\xff\\n')", "1", FAILED),
    "a lone surrogate printed": _prints("print('\\udcff')", "1", FAILED, ERROR),
    "a NUL printed": _prints("print('1\\0')", "1", FAILED),
    "right, then an exit code": _prints("print(1); raise SystemExit(3)", "1", ERROR),
    "right, then an exception": _prints("print(1); 1 / 0", "1", ERROR),
    "right, then exit code 0": _prints("import sys\nprint(1)\nsys.exit(0)", "1", PASSED),
    "right, but never flushed": _prints("import os; print(1); os._exit(0)", "1", FAILED),
    "right, flushed, then the end": _prints("import os; print(1, flush=True); os._exit(0)", "1", PASSED),
    "printed by a thread": _prints(
        "import threading\nthreading.Thread(target=lambda: print(1)).start()", "1", PASSED
    ),
    "printed at exit": _prints("import atexit; atexit.register(print, 1)", "1", PASSED),
    "standard output closed": _prints("import os; os.close(1)", "1", FAILED, ERROR),
    "input()": _prints("print(int(input()) + int(input()))", "3", PASSED, stdin="1\n2\n"),
    "input() past the end": _prints("input(); input()", None, ERROR, stdin="1\n"),
    "sys.stdin line by line": _prints(
        "import sys\nprint(sum(int(line) for line in sys.stdin))", "6", PASSED, stdin="1\n2\n3"
    ),
    "sys.stdin.read and split": _prints(
        "import sys\nprint(sys.stdin.read().split())", "['a', 'b']", PASSED, stdin="a\nb\n"
    ),
    "sys.stdin.buffer": _prints("import sys\nprint(len(sys.stdin.buffer.read()))", "6", PASSED, stdin="ż🐢"),
    "open(0)": _prints("print(*map(int, open(0).read().split()))", "1 2", PASSED, stdin="1 2"),
    "no input": _prints("import sys; print(repr(sys.stdin.read()))", "''", PASSED),
    "a NUL in the input": _prints("print(len(input()))", "3", PASSED, stdin="a\0b\n"),
    "a main block": _prints("def main():\n  print(1)\nif __name__ == '__main__':\n  main()", "1", PASSED),
    "Windows line ends in the source": _prints("x = 1\r\nif x:\r\n    print(x)\r\n", "1", PASSED),
    "modules that contests use": _prints(
        "import sys, math, heapq, bisect, itertools, functools, collections, re, string, random, decimal\n"
        "import fractions, datetime, json, typing, dataclasses, copy, operator, array, statistics, enum\n"
        "print(math.gcd(12, 18))",
        "6",
        PASSED,
    ),
    "a module of the standard library that is rare": _prints("import colorsys; print(1)", "1", PASSED),
    "a temporary file": _prints(
        "import tempfile\nwith tempfile.TemporaryFile('w+') as f:\n  f.write('7')\n  f.seek(0)\n"
        "  print(f.read())",
        "7",
        PASSED,
    ),
    "a large input read": _prints(
        "import sys; print(len(sys.stdin.read()))", str(LARGE), PASSED, stdin="x" * LARGE
    ),
    "a large input never read": _prints("print(1)", "1", PASSED, stdin="x" * LARGE),
    "a large output": _prints("print('x' * 900_000)", "x" * 900_000, PASSED),
    "a large output in small parts": _prints(
        "for n in range(100_000): print(n % 10)", "\n".join(str(n % 10) for n in range(100_000)), PASSED
    ),
}

_SORT = "def sort(xs):\n  xs.sort()\n"


def _called(source: str, verdict: Verdict, *cases: Case, entry_point: str = "f") -> tuple[Program, Any]:
    return Program(source, cases=cases, entry_point=entry_point), (verdict,)


CASES: Table = {
    "right": _called("def f(a, b):\n  return a + b", PASSED, Case((1, 2), 3), Case(("a", "b"), "ab")),
    "wrong once": _called("def f(a):\n  return a", FAILED, Case((1,), 1), Case((2,), 3)),
    "by name": _called("def f(a, b=0):\n  return a - b", PASSED, Case((5,), 3, {"b": 2})),
    "a lambda": _called("f = lambda a: a * 2", PASSED, Case((2,), 4)),
    "a tuple is no list": _called("def f():\n  return (1, 2)", FAILED, Case((), [1, 2])),
    "a list is no tuple": _called("def f():\n  return [1, 2]", FAILED, Case((), (1, 2))),
    "containers": _called(
        "def f(x):\n  return x",
        PASSED,
        *(
            Case((value,), value)
            for value in (
                None,
                True,
                -(10**40),
                1.5,
                "ż\0",
                b"\xff",
                [1, [2]],
                (1,),
                {1, 2},
                {1: "a", (2,): []},
            )
        ),
    ),
    "a subclass of int that equals everything": _called(
        "class I(int):\n  __eq__ = lambda s, o: True\n  __hash__ = int.__hash__\ndef f():\n  return I(3)",
        FAILED,
        Case((), 4),
    ),
    "an exception": _called("def f():\n  return 1 / 0", ERROR, Case((), 1)),
    "no such function": _called("def g():\n  return 1", ERROR, Case((), 1)),
    "it does not load": _called("def f(:", ERROR, Case((), 1)),
    "it changes what it is given": _called(
        "def f(xs):\n  xs.append(1)\n  return len(xs)", PASSED, Case(([],), 1), Case(([],), 1)
    ),
    "it returns a generator": _called("def f():\n  yield 1", FAILED, Case((), [1])),
    "it never returns": (
        Program("def f():\n  while True: pass", cases=(Case((), 1),), entry_point="f"),
        (TIMEOUT,),
    ),
}


def _judged(
    source: str, tests: str, *verdicts: Verdict, entry_point: str | None = None, **more: Any
) -> tuple[Program, Any]:
    return Program(source, tests=tests, entry_point=entry_point, **more), verdicts


_ADD = "def add(a, b):\n  return a + b\n"
_CHECK = "def check(candidate):\n  assert candidate(1, 2) == 3\n"
_STACK = """
class Stack:
    def __init__(self, items=()):
        self.items = list(items)
    def push(self, item):
        self.items.append(item)
        return self
    def pop(self):
        return self.items.pop()
    def __len__(self):
        return len(self.items)
"""

_SAYS_YES = """
class Any:
    def __contains__(self, key):
        print('was told', key)
        return True
    def __len__(self):
        return 3
def f(x): return Any()
"""
_IS_GONE = "import os\ndef f(x): os._exit(0)"

JUDGED: Table = {
    "check, right": _judged(_ADD, _CHECK, PASSED, entry_point="add"),
    "check, wrong": _judged("def add(a, b):\n  return 4", _CHECK, FAILED, entry_point="add"),
    "bare asserts, right": _judged(_ADD, "assert add(1, 2) == 3\nassert add('a', 'b') == 'ab'", PASSED),
    "bare asserts, wrong": _judged(_ADD, "assert add(1, 2) == 3\nassert add(1, 1) == 3", FAILED),
    "tests that import and have functions": _judged(
        _ADD,
        "import math, random\ndef close(a, b):\n  return math.isclose(a, b)\ndef check(candidate):\n"
        "  for _ in range(100):\n    x = random.random()\n    assert close(candidate(x, 1), x + 1)\n",
        PASSED,
        entry_point="add",
    ),
    "an exception that is expected": _judged(
        "def f(x):\n  raise ValueError('no')",
        "try:\n  f(1)\nexcept ValueError as error:\n  assert str(error) == 'no'\nelse:\n  assert False",
        PASSED,
    ),
    "an exception that is expected and does not come": _judged(
        "def f(x):\n  return x",
        "try:\n  f(1)\nexcept ValueError:\n  pass\nelse:\n  assert False",
        FAILED,
    ),
    "an exception of the program": _judged(
        "def add(a, b):\n  raise ValueError", _CHECK, ERROR, FAILED, entry_point="add"
    ),
    "a list that is sorted in place": _judged(
        "def f(xs):\n  xs.sort()", "xs = [3, 1, 2]\nassert f(xs) is None\nassert xs == [1, 2, 3]", PASSED
    ),
    "a generator": _judged("def f(n):\n  yield from range(n)", "assert list(f(3)) == [0, 1, 2]", PASSED),
    "a class": _judged(
        _STACK,
        "s = Stack([1])\ns.push(2)\nassert len(s) == 2\nassert s.pop() == 2\nassert s.items == [1]",
        PASSED,
    ),
    "a class, wrong": _judged(_STACK, "s = Stack()\ns.push(2)\nassert s.pop() == 3", FAILED),
    "several names": _judged(
        "def f(x):\n  return x + 1\ndef g(x):\n  return x * 2", "assert f(g(3)) == 7 and g(f(3)) == 8", PASSED
    ),
    "no such function": _judged("x = 1", _CHECK, ERROR, FAILED, entry_point="add"),
    "it does not load": _judged("def add(a, b:", _CHECK, ERROR, entry_point="add"),
    "it fails when loaded": _judged("1 / 0\n" + _ADD, _CHECK, ERROR, entry_point="add"),
    "it prints": _judged("def add(a, b):\n  print('hm')\n  return a + b", _CHECK, PASSED, entry_point="add"),
    "it reads its input": _judged(
        "import sys\ndef add(a, b):\n  sys.stdin.read()\n  return a + b", _CHECK, PASSED, entry_point="add"
    ),
    "a main block": _judged(
        _ADD + "if __name__ == '__main__':\n  print(add(int(input()), 1))", _CHECK, PASSED, entry_point="add"
    ),
    "it never returns": _judged("def add(a, b):\n  while True: pass", _CHECK, TIMEOUT, entry_point="add"),
    "it never loads": _judged("while True: pass", _CHECK, TIMEOUT, entry_point="add"),
    "it takes all memory": _judged(
        "def add(a, b):\n  return len([0] * (1 << 30))", _CHECK, MEMORY, ERROR, entry_point="add"
    ),
    "it prints without end": _judged(
        "def add(a, b):\n  while True: print('x' * 1000)", _CHECK, OUTPUT_LIMIT, entry_point="add"
    ),
    "a large list there and back": _judged(
        "def f(xs):\n  return xs[::-1]", "xs = list(range(100_000))\nassert f(xs) == xs[::-1]", PASSED
    ),
    "its end, where tests catch anything": _judged(
        _IS_GONE, "try:\n  f(1)\nexcept:\n  right = True\nassert right", ERROR, KILLED
    ),
    "its end, where tests catch what ends": _judged(
        _IS_GONE, "try:\n  r = f(1)\nexcept BaseException:\n  r = None\nassert r is None", ERROR, KILLED
    ),
    "its end with an answer, where tests catch anything": _judged(
        _IS_GONE + "\ndef g(): return 1",
        "assert g() == 1\ntry:\n  f(1)\nexcept:\n  pass\nassert g",
        ERROR,
        KILLED,
    ),
    "an object that contains everything": _judged(
        _SAYS_YES, "r = f(1)\nassert len(r) == 3\nassert 7 in r", FAILED, ERROR
    ),
    "membership of what it iterates over": _judged(
        "class Bag:\n  def __init__(self, *items): self.items = items\n"
        "  def __iter__(self): return iter(self.items)",
        "bag = Bag(1, [2])\nassert 1 in bag and [2] in bag and 3 not in bag",
        PASSED,
    ),
    "a module of its own, where tests import none": _judged(
        "class math:\n  isclose = staticmethod(lambda *a, **k: True)\ndef f(x): return 0",
        "assert math.isclose(f(2), 8.0)",
        FAILED,
    ),
    "sys of its own, where tests import none": _judged(
        "class sys:\n  getsizeof = staticmethod(lambda x: 0)\ndef f(x): return 0",
        "assert f((1, 2)) == sys.getsizeof((1, 2))",
        FAILED,
    ),
    "a module that tests do not import": _judged(
        "import math\ndef f(x): return math.sqrt(x)", "assert math.isclose(f(2) ** 2, 2.0)", PASSED
    ),
    "a module in a package that tests do not import": _judged(
        "def f(x): return x", "assert f(os.path.basename('/a/b')) == 'b'", PASSED
    ),
    "a function with a module's name": _judged(
        "def select(x): return x + 1", "assert select(1) == 2", PASSED
    ),
    "the function that is asked for, with a module's name": _judged(
        "def copy(x): return x\ncopy.copy = 5",
        "assert copy.copy == 5\ndef check(f): assert f(1) == 1",
        PASSED,
        entry_point="copy",
    ),
    "a class with a module's name": _judged(
        "class queue:\n  @classmethod\n  def push(cls, x): return x", "assert queue.push(1) == 1", PASSED
    ),
}

UNUSABLE: Table = {
    "tests that never call the program": _judged(_ADD, "assert True"),
    "tests that never call a program that is none": _judged("def add(", "assert True"),
    "tests that are empty": _judged(_ADD, ""),
    "tests that are no Python": _judged(_ADD, "def check(:", entry_point="add"),
    "tests with a NUL": _judged(_ADD, "assert add(1, 2) == 3\0"),
    "tests that import what there is not": _judged(_ADD, f"import a_module_that_nobody_has\n{_CHECK}"),
    "tests in a class that nobody calls": _judged(
        _ADD,
        "import unittest\nclass Test(unittest.TestCase):\n  def test(self): self.assertEqual(add(1, 2), 3)",
    ),
    "tests that fail by themselves": _judged(_ADD, "assert 1 == 2\nassert add(1, 2) == 3"),
    "a case that is no plain data": (
        Program(_ADD, cases=(Case((1, 2), 3), Case((object(), 2), 3)), entry_point="add"),
        (),
    ),
}
"""Tests and cases that judge no program, whatever it does: they are refused, as bad input."""

IN_PROCESS: Table = {
    "unittest and a mock, right": _judged(
        "import time\ndef f():\n  return time.time()",
        "import unittest.mock\ndef check(candidate):\n  with unittest.mock.patch('time.time', lambda: 3):\n"
        "    assert candidate() == 3",
        PASSED,
        entry_point="f",
        in_process=True,
    ),
    "a wrong answer": _judged("def f():\n  return 4", "assert f() == 3", FAILED, in_process=True),
    "an exception": _judged("def f():\n  return 1 / 0", "assert f() == 3", ERROR, in_process=True),
}


def _ends(source: str, *verdicts: Verdict) -> tuple[Program, Any]:
    return Program(source), verdicts


OUTCOMES: Table = {
    "it does nothing": _ends("", PASSED),
    "an exception": _ends("1 / 0", ERROR),
    "no Python": _ends("The answer is 42.", ERROR),
    "no such module": _ends("import a_module_that_nobody_has", ERROR),
    "recursion": _ends("def f(): f()\nf()", ERROR),
    "brackets nested deeply": _ends("(" * 5_000, ERROR, MEMORY, KILLED),
    "minus signs nested deeply": _ends("-" * 200_000 + "1", ERROR, MEMORY, KILLED),
    "a NUL in the source": _ends("print(1)\0", ERROR),
    "a lone surrogate in the source": _ends("x = '\ud800'", PASSED, ERROR),
    "10 MB of source": _ends("#" * 10_000_000 + "\nprint(1)", PASSED),
    "an endless loop": _ends("while True: pass", TIMEOUT),
    "endless sleep": _ends("import time\ntime.sleep(10**6)", TIMEOUT),
    "an endless call in C": _ends("sum(range(10**13))", TIMEOUT),
    "a power that takes for ever": _ends("len(bin(3 ** 10**9))", TIMEOUT, MEMORY),
    "a loop that catches everything": _ends(
        "while True:\n  try:\n    while True: pass\n  except BaseException: pass", TIMEOUT
    ),
    "a loop deaf to signals": _ends(
        "import signal\nfor n in range(1, 65):\n  try: signal.signal(n, signal.SIG_IGN)\n"
        "  except (OSError, ValueError): pass\nwhile True: pass",
        TIMEOUT,
    ),
    "it stops itself": _ends("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", TIMEOUT, ERROR),
    "a thread that never ends": _ends(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(10**6,)).start()", TIMEOUT
    ),
    "a finaliser that never ends": _ends(
        "import atexit, time\natexit.register(time.sleep, 10**6)", TIMEOUT
    ),
    "too much memory at once": _ends("x = bytearray(1 << 34)", MEMORY),
    "too much memory by and by": _ends("x = []\nwhile True: x.append(bytearray(1 << 20))", MEMORY, KILLED),
    "too much memory, caught for ever": _ends(
        "x = []\nwhile True:\n  try: x.append(bytearray(1 << 20))\n  except MemoryError: pass",
        MEMORY, KILLED, TIMEOUT,
    ),
    "too much shared memory": _ends(
        "import mmap\nx = mmap.mmap(-1, 700 << 20)\nfor n in range(0, 700 << 20, 4096): x[n] = 1",
        MEMORY, KILLED, ERROR,
    ),
    "it kills itself": _ends("import os\nos.kill(os.getpid(), 9)", KILLED, ERROR),
    "a real-time signal": _ends("import os\nos.kill(os.getpid(), 37)", KILLED, ERROR),
    "a real-time signal, when called": (
        Program("import os\ndef f(): os.kill(os.getpid(), 40)", cases=(Case((), 1),), entry_point="f"),
        (KILLED, ERROR),
    ),
    "a fault": _ends("import ctypes\nctypes.string_at(0)", KILLED, ERROR),
    "it aborts": _ends("import os\nos.abort()", KILLED, ERROR),
    "it prints without end": _ends("while True: print('x' * 1000)", OUTPUT_LIMIT),
    "it complains without end": _ends("import sys\nwhile True: sys.stderr.write('x' * 1000)", OUTPUT_LIMIT),
    "both without end": _ends(
        "import os\nwhile True:\n  os.write(1, b'x' * 999)\n  os.write(2, b'y' * 999)", OUTPUT_LIMIT
    ),
    "processes without end": _ends(
        "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", TIMEOUT, KILLED, MEMORY
    ),
    "threads without end": _ends(
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(10**6,)).start()",
        ERROR, TIMEOUT, KILLED, MEMORY,
    ),
    "files without end": _ends(
        "import os\nfor n in range(10**6):\n  with open(f'/tmp/{n}', 'wb') as f: f.write(b'x' * (1 << 20))",
        ERROR, KILLED, TIMEOUT, MEMORY,
    ),
    "descriptors without end": _ends("x = []\nwhile True: x.append(open('/dev/null'))", ERROR),
}  # fmt: skip

EXITS = {
    "the end": ("pass", 0),
    "exit(0)": ("exit(0)", 0),
    "sys.exit()": ("import sys; sys.exit()", 0),
    "sys.exit(None)": ("import sys; sys.exit(None)", 0),
    "sys.exit(3)": ("import sys; sys.exit(3)", 3),
    "sys.exit(True)": ("import sys; sys.exit(True)", 1),
    "sys.exit of a text": ("import sys; sys.exit('no')", 1),
    "os._exit(7)": ("import os; os._exit(7)", 7),
    "an exception": ("1 / 0", 1),
    "in a thread": ("import threading, sys\nthreading.Thread(target=sys.exit, args=(5,)).start()", 0),
}
"""Programs with the exit code of Python itself."""

LANGUAGES = {
    "c": (
        '#include <stdio.h>\nint main(void) { int a, b; if (scanf("%d %d", &a, &b) != 2) return 1; '
        'printf("%d\\n", a + b); return 0; }\n',
        "int main(void) { return 3; }\n",
        "int main(void) { for (;;); }\n",
        "int main( {\n",
    ),
    "cpp": (
        "#include <iostream>\n#include <vector>\nint main() { std::vector<int> v(2); "
        "std::cin >> v[0] >> v[1]; std::cout << v[0] + v[1] << std::endl; }\n",
        '#include <stdexcept>\nint main() { throw std::runtime_error("no"); }\n',
        "int main() { volatile int x = 0; while (true) x = x + 1; }\n",
        "int main( {\n",
    ),
    "javascript": (
        "const t = require('fs').readFileSync(0, 'utf8').split(' ').map(Number);\n"
        "console.log(t[0] + t[1]);\n",
        "throw new Error('no');\n",
        "for (;;) {}\n",
        "let = = 3;\n",
    ),
}
"""By language: a program that adds two numbers, one that fails, one that never ends, one that is none."""


def at_once(count: int) -> list[tuple[Program, Verdict]]:
    """Return programs that differ by a number in their input, with their verdicts; some end otherwise."""
    found = []
    for number in range(count):
        source = f"import sys\nprint({number}, sys.stdin.read())\nprint({number}, file=sys.stderr)"
        verdict = {4: Verdict.ERROR, 5: Verdict.TIMEOUT}.get(number % 6, Verdict.PASSED)
        if verdict is Verdict.ERROR:
            source += "\nimport os; os._exit(9)"
        elif verdict is Verdict.TIMEOUT:
            source += "\nsys.stdout.flush()\nwhile True: pass"
        found.append((Program(source, stdin=str(number), expected_stdout=f"{number} {number}"), verdict))
    return found
