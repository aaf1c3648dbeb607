"""Functions and objects of a candidate, as tests see them from another process."""

import resource
import time

import pytest

import hub
from hub_local.sandbox import LocalSandbox

SHAPES = """
import enum, functools
class Point:
    kind = "point"
    def __init__(self, x, y=0):
        self.x, self.y = x, y
    def move(self, by):
        self.x += by
        return self
    @property
    def double(self):
        return Point(self.x * 2, self.y * 2)
    @classmethod
    def origin(cls):
        return cls(0)
    def __eq__(self, other):
        return True
    def __len__(self):
        return 2
    def __getitem__(self, key):
        return [self.x, self.y][key]
    def __contains__(self, key):
        return key in (self.x, self.y)
    def __bool__(self):
        return self.x != 0
    def __iter__(self):
        return iter([self.x, self.y])
def point(x): return Point(x)
def x_of(p): return p.x
def same(a, b): return a is b
def count(n):
    for i in range(n): yield i
def endless():
    n = 0
    while True:
        yield n
        n += 1
def adder(n): return lambda x: x + n
def apply(f, x): return f(x)
def sort(xs): xs.sort(); return xs
def put(d): d["new"] = [1]
def add_to(s, *, more): s.add(1); more.append(2)
def fail(kind, *a): raise {"value": ValueError, "key": KeyError, "assertion": AssertionError, "own": Own,
    "stop": StopIteration, "unicode": UnicodeDecodeError, "exit": SystemExit}[kind](*a)
class Own(Exception): pass
class Color(enum.Enum): RED = 1
def red(): return Color.RED
values = [1, 2]
"""

PASS = {
    "construct and call": "p = Point(1, y=2)\nassert p.x == 1 and p.move(2).x == 3 and p.y == 2",
    "attributes of classes": "assert Point.kind == 'point' and Point.origin().x == 0",
    "properties": "assert Point(1, 2).double.y == 4",
    "setting attributes": "p = Point(1)\np.x = 5\nassert x_of(p) == 5",
    "handed back": "p = point(3)\nassert x_of(p) == 3 and same(p, p) and not same(p, point(3))",
    "truth": "assert point(1) and not point(0)",
    "length, items, membership": "p = Point(1, 2)\nassert len(p) == 2 and p[1] == 2 and 2 in p and 3 not in p",
    "iteration": "assert list(Point(1, 2)) == [1, 2] and [x for x in point(1)] == [1, 0]",
    "a generator": "assert list(count(1000)) == list(range(1000)) and sum(count(10)) == 45",
    "an endless generator": "import itertools\nassert list(itertools.islice(endless(), 5)) == [0, 1, 2, 3, 4]",
    "next": "g = count(2)\nassert (next(g), next(g), next(g, 'end')) == (0, 1, 'end')",
    "a function returned": "assert adder(2)(3) == 5",
    "a function handed back": "assert apply(adder(2), 3) == 5",
    "changes in place": "xs = [3, 1, 2]\nassert sort(xs) == [1, 2, 3] and xs == [1, 2, 3]",
    "changes of a dict": "d = {}\nput(d)\nassert d == {'new': [1]}",
    "changes of a set and by name": "s, m = set(), []\nadd_to(s, more=m)\nassert s == {1} and m == [2]",
    "exceptions by their names": "try:\n  fail('value', 'why')\nexcept ValueError as e:\n  assert str(e) == 'why'",
    "an exception with a key": "try:\n  fail('key', 'why')\nexcept KeyError:\n  pass\nelse:\n  assert 0",
    "the arguments of an exception": "try:\n  fail('value', 7, [1])\nexcept ValueError as e:\n  assert e.args == (7, [1])",
    "a key as it was": "try:\n  fail('key', 'why')\nexcept KeyError as e:\n  assert e.args == ('why',)",
    "arguments that are no plain data": "try:\n  fail('value', point(1))\nexcept ValueError as e:\n  assert e.args",
    "an exception of its own": "try:\n  fail('own')\nexcept Exception as e:\n  assert 'Own' in repr(e)",
    "no StopIteration": "try:\n  fail('stop')\nexcept StopIteration:\n  assert 0\nexcept Exception:\n  pass",
    "an exception that wants more": "try:\n  fail('unicode', 'x', b'', 0, 1, 'no')\nexcept Exception:\n  pass",
    "a name that is not there": "try:\n  nothing(1)\nexcept NameError:\n  pass\nassert adder(1)(1) == 2",
    "1,000 calls": "assert all(x_of(point(n)) == n for n in range(500))",
}  # fmt: skip
FAIL = {
    "an object equals only itself": "p = point(1)\nassert p == p\nassert point(1) == point(1)",
    "an object equals no value": "assert point(1) == 1",
    "an object is in no list of others": "assert point(1) in [1, None]",
    "a failing call": "assert adder(1)(1) == 3",
    "an object in a list": "assert [point(1)] == [point(1)]",
    "an object as a key": "assert point(1) in {1: 2, None: 3}",
    "an AssertionError of the candidate does not pass": "try:\n  fail('assertion')\nexcept AssertionError:\n  pass\nexcept Exception:\n  assert False",
}  # fmt: skip


@pytest.mark.parametrize("name", PASS)
def test_what_tests_may_do(box: LocalSandbox, name: str) -> None:
    done = box.run(hub.Program(SHAPES, tests=PASS[name]), hub.Limits())
    assert done.verdict is hub.Verdict.PASSED, done


@pytest.mark.parametrize("name", FAIL)
def test_what_does_not_pass(box: LocalSandbox, name: str) -> None:
    done = box.run(hub.Program(SHAPES, tests=FAIL[name]), hub.Limits())
    assert done.verdict is hub.Verdict.FAILED, done


FORGED = {
    "no JSON": b"x",
    "nothing": b"",
    "a value of no form": b'["value"]',
    "an unknown word": b'["passed", true, null]',
    "a number": b"5",
    "an exception that judges": b'["raised", "AssertionError", ""]',
    "an exception that judges, with arguments": b'["raised", "AssertionError", "", []]',
    "an exception with arguments of no form": b'["raised", "UnicodeDecodeError", "", [1, 2]]',
    "an exception with too many arguments": b'["raised", "KeyError", "", {"t": "dict", "v": []}]',
    "an exception that ends": b'["raised", "SystemExit", "0"]',
    "an exception that is no name": b'["raised", 5, 5]',
    "an exception with dots": b'["raised", "os._exit", "0"]',
    "changes of no form": b'["value", 1, 5]',
    "changes at no place": b'["value", 1, [[99, [1]]]]',
    "changes of no pair": b'["value", 1, [5]]',
    "changes at a place of no kind": b'["value", 1, [[[], [1]]]]',
    "brackets": b"[" * 100_000,
    "a handle nobody has": b'["value", {"t": "handle", "v": 99}, null]',
}
FORGES = """
import gc, socket, struct, os
ANSWER = {answer!r}
def f(*a):
    for n in range(3, 64):
        try: s = socket.socket(fileno=os.dup(n))
        except OSError: continue
        s.sendall(struct.pack("<Q", len(ANSWER)) + ANSWER)
    os._exit({code})
"""


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("code", [0, 1])
def test_a_forged_answer_never_passes(box: LocalSandbox, name: str, code: int) -> None:
    source = FORGES.format(answer=FORGED[name], code=code)
    for program in (
        hub.Program(source, tests="assert f([1]) == 2\nassert f([1]) == 2"),
        hub.Program(source, cases=(hub.Case(([1],), 2), hub.Case(([1],), 2)), entry_point="f"),
    ):
        done = box.run(program, hub.Limits(wall_s=5))
        assert done.verdict in (hub.Verdict.ERROR, hub.Verdict.FAILED), done


def test_a_program_is_not_changed_by_running_it(box: LocalSandbox) -> None:
    argument = [1]
    cases = (hub.Case((argument,), 2), hub.Case((argument,), 2))
    source = "def f(xs):\n  xs.append(1)\n  return len(xs)"
    for _ in range(2):
        assert box.run(hub.Program(source, cases=cases, entry_point="f"), hub.Limits()).verdict == "passed"
    assert argument == [1]


HEAVY = {
    "a fraction of long numbers": """
import random
class Fraction: pass
Fraction.__module__ = "fractions"
def f():
    v = Fraction()
    v.numerator, v.denominator = random.getrandbits(6_000_000), random.getrandbits(6_000_000)
    return v
""",
    "an array of long texts": """
class ndarray: pass
ndarray.__module__ = "numpy"
class Kind: kind, str = "i", "S1500000000"
def f():
    v = ndarray()
    v.dtype, v.tolist, v.shape = Kind(), lambda: [1], [1]
    return v
""",
    "a set of numbers of the same hash": """
def f():
    return Numbers((2**61 - 1) * n for n in range(1, 60_000))
class Numbers(frozenset):
    def __new__(cls, numbers):
        import sys
        self = super().__new__(cls)
        for scope in (frame.f_globals for frame in frames(sys._getframe())):
            if "encode" in scope and "frames" in scope:
                items = ",".join('{"t":"int","v":"%s"}' % hex(n) for n in numbers)
                answer = ('["value",{"t":"set","v":[' + items + ']},[]]').encode()
                scope["encode"] = lambda *a: answer
                break
        return self
def frames(frame):
    while frame is not None:
        yield frame
        frame = frame.f_back
""",
}


@pytest.mark.parametrize("name", HEAVY)
def test_an_answer_costs_the_host_little(box: LocalSandbox, name: str) -> None:
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.process_time()
    done = box.run(hub.Program(HEAVY[name], cases=(hub.Case((), 1),), entry_point="f"), hub.Limits(wall_s=3))
    assert done.verdict is not hub.Verdict.PASSED
    assert time.process_time() - start < 2.0  # of this process, however busy the machine is
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss < 300_000


def test_limits_of_in_process_are_said(box: LocalSandbox) -> None:
    done = box.run(hub.Program("def f(): return 1", tests="assert f() == 1", in_process=True), hub.Limits())
    assert done.verdict is hub.Verdict.PASSED
    assert "weak" in done.info
