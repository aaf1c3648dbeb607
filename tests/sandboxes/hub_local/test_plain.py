"""Plain data crosses as it is; nothing else does, and no text does harm."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import math
import pathlib
import uuid
from typing import Any

import pytest

from hub_local.plain import DEEPEST, MOST_BYTES, NotPlain, decode, encode

VALUES = [
    None, True, False, 0, -1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**400, 0.0, -0.0, 0.1, 1e308, 5e-324,
    math.inf, -math.inf, "", "ż🐢", "\0", "\ud800", "a\udfffb", '"\\\n', b"", b"\x00\xff", bytearray(b"x"),
    [], [1, [2, [3]]], (), (1,), ((),), {}, {"a": 1}, {1: 2, (1, 2): [3], None: None}, {"t": "int", "v": "0x1"},
    {"t": "handle", "v": 1}, set(), {1, "a", (2,)}, frozenset({1}), 1j, complex(-0.0, 2), range(3), range(9, 0, -2),
    decimal.Decimal("1.10"), decimal.Decimal("-Infinity"), fractions.Fraction(1, 3), datetime.date(2020, 2, 29),
    datetime.datetime(2020, 2, 29, 1, 2, 3, 4, datetime.UTC), datetime.time(1, 2), datetime.timedelta(-1, 2, 3),
    collections.deque([1, [2]], maxlen=3), pathlib.PosixPath("/tmp/x"), uuid.UUID(int=5), int, str, list,
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_cross_as_they_are(value: Any) -> None:
    found = decode(encode(value))
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_nan_and_the_sign_of_zero() -> None:
    assert math.isnan(decode(encode(math.nan)))
    assert math.copysign(1, decode(encode(-0.0))) == -1


class Color(enum.IntEnum):
    RED = 3


class Always(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__

    def __repr__(self) -> str:
        return "5"

    def __int__(self) -> int:
        return 5

    def __index__(self) -> int:
        return 5

    def __lt__(self, other: object) -> bool:
        return False


class Liar(list[int]):
    def __iter__(self) -> Any:
        return iter([1, 2, 3])

    def __len__(self) -> int:
        return 3

    def __getitem__(self, key: Any) -> Any:
        return 1

    def __eq__(self, other: object) -> bool:
        return True


class Text(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__

    def __str__(self) -> str:
        return "right"

    def encode(self, *arguments: Any) -> bytes:
        return b"right"


class Table(dict[str, int]):
    def items(self) -> Any:
        return [("right", 1)]

    def __iter__(self) -> Any:
        return iter(["right"])


class Half(float):
    def __sub__(self, other: object) -> Any:
        return 0

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__

    def __float__(self) -> float:
        return 1.0


class Bytes(bytes):
    def hex(self, *arguments: Any) -> str:
        return "ff"


Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Color.RED, 3),
        (Always(4), 4),
        (Liar([9]), [9]),
        (Text("wrong"), "wrong"),
        (Table(wrong=0), {"wrong": 0}),
        (Half(0.5), 0.5),
        (Bytes(b"a"), b"a"),
        (Pair(1, 2), (1, 2)),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (collections.defaultdict(int, {1: 2}), {1: 2}),
        (collections.OrderedDict(a=1), {"a": 1}),
        ([Always(4), (Text("x"),)], [4, ("x",)]),
        (type("S", (set,), {"__iter__": lambda s: iter([5])})({1}), {1}),
        (type("T", (tuple,), {"__iter__": lambda s: iter([5])})((1,)), (1,)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_subclasses_arrive_as_what_they_hold(value: Any, plain: Any) -> None:
    found = decode(encode(value))
    assert type(found) is type(plain)
    assert type(plain)(found) == plain
    assert str(json.loads(encode(value))) == str(json.loads(encode(plain)))


class Pretends:
    __class__ = int  # type: ignore[assignment]


class Named:
    __module__ = "decimal"


Named.__name__ = "Decimal"


def test_a_name_is_not_believed() -> None:
    try:
        found = decode(encode(Named()))
    except NotPlain:
        return
    assert type(found) is decimal.Decimal


class Odd:
    __eq__ = __ne__ = lambda self, other: True
    __hash__ = None  # type: ignore[assignment]


@dataclasses.dataclass
class Record:
    x: int = 1


@pytest.mark.parametrize(
    "value",
    [object(), Odd(), Record(), Record, len, lambda: 0, iter([]), (n for n in [1]), math, Ellipsis, NotImplemented,
     Pretends(), memoryview(b"x"), [1, {2: Odd()}]],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_not_plain_is_refused_or_becomes_a_handle(value: Any) -> None:
    with pytest.raises(NotPlain):
        encode(value)
    kept: list[Any] = []
    text = encode(value, lambda thing: kept.append(thing) or 7)  # type: ignore[func-returns-value]
    assert b'{"t":"handle","v":7}' in text
    assert len(kept) == 1
    with pytest.raises(NotPlain):
        decode(text)
    assert "handle 7" in str(decode(text, lambda number: f"handle {number}"))


def nested(depth: int, kind: Any = list) -> Any:
    value: Any = kind()
    for _ in range(depth):
        value = kind([value])
    return value


@pytest.mark.parametrize("kind", [list, tuple, frozenset])
def test_depth_is_bounded(kind: Any) -> None:
    assert decode(encode(nested(DEEPEST - 1, kind))) == nested(DEEPEST - 1, kind)
    for depth in (DEEPEST + 1, 100_000 if kind is list else 300):
        with pytest.raises(NotPlain):
            encode(nested(depth, kind))


def test_a_list_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(NotPlain):
        encode(value)


def test_size_is_bounded() -> None:
    assert len(decode(encode("x" * 1_000_000))) == 1_000_000
    with pytest.raises(NotPlain):
        encode("x" * (MOST_BYTES + 1))
    with pytest.raises(NotPlain):
        decode(b'"' + b"x" * MOST_BYTES + b'"')


TEXTS = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b'"\xff"',
    "an object of no form": b'{"a": 1}',
    "a tag of no value": b'{"t": "tuple"}',
    "an unknown tag": b'{"t": "os.system", "v": ["true"]}',
    "a module": b'{"t": "subprocess.Popen", "v": [["true"]]}',
    "a dotted name": b'{"t": "decimal.Decimal.from_float", "v": [1.0]}',
    "a tag that is a list": b'{"t": ["tuple"], "v": []}',
    "a tag that is null": b'{"t": null, "v": []}',
    "an int of no digits": b'{"t": "int", "v": "x"}',
    "an int that is a list": b'{"t": "int", "v": []}',
    "a float of no digits": b'{"t": "float", "v": "x"}',
    "bytes of no digits": b'{"t": "bytes", "v": "zz"}',
    "bytes that are a list": b'{"t": "bytes", "v": []}',
    "a tuple that is a text": b'{"t": "tuple", "v": "abc"}',
    "a set of lists": b'{"t": "set", "v": [[1]]}',
    "a dict of single items": b'{"t": "dict", "v": [[1]]}',
    "a dict of lists as keys": b'{"t": "dict", "v": [[[1], 2]]}',
    "a range of texts": b'{"t": "range", "v": ["a"]}',
    "a date of no month": b'{"t": "datetime.date", "v": [2020, 13, 1]}',
    "a fraction by 0": b'{"t": "fractions.Fraction", "v": [1, 0]}',
    "a Decimal of a list": b'{"t": "decimal.Decimal", "v": [[]]}',
    "a UUID of nothing": b'{"t": "uuid.UUID", "v": []}',
    "a deque of a number": b'{"t": "collections.deque", "v": [1, 2]}',
    "a type that is a function": b'{"t": "type", "v": "eval"}',
    "a type that is an attribute": b'{"t": "type", "v": "int.__subclasses__"}',
    "a type that is a list": b'{"t": "type", "v": ["int"]}',
    "an array of long texts": b'{"t": "numpy.ndarray", "v": [[1], "S100000000", [1]]}',
    "a scalar of long texts": b'{"t": "numpy.scalar", "v": [1, "S100000000"]}',
    "a handle": b'{"t": "handle", "v": 1}',
    "brackets nested deeply": b"[" * 100_000 + b"]" * 100_000,
    "tags nested deeply": b'{"t":"tuple","v":[' * 10_000 + b"]}" * 10_000,
    "a number of many digits": b"1" * 10_000,
    "an array of many axes": b'{"t": "numpy.ndarray", "v": [[1], "<i8", [-5, 3]]}',
    "an array of objects": b'{"t": "numpy.ndarray", "v": [[1], "O", [1]]}',
    "a scalar of objects": b'{"t": "numpy.scalar", "v": [1, "O"]}',
    "an array of a kind with a name": b'{"t": "numpy.ndarray", "v": [[1], "os.system", [1]]}',
}


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_texts_are_refused(name: str) -> None:
    if "array" in name or "scalar" in name:
        pytest.importorskip("numpy")
    with pytest.raises(NotPlain):
        decode(TEXTS[name])


@pytest.mark.parametrize("content", ['"1"', "true", "[1]", "null", "1.5"])
def test_a_handle_is_a_number(content: str) -> None:
    with pytest.raises(NotPlain):
        decode(f'{{"t": "handle", "v": {content}}}'.encode(), lambda number: number)


def test_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    for array in (
        numpy.arange(6).reshape(2, 3), numpy.array([1.5, numpy.inf]), numpy.array(7, dtype="int8"),
        numpy.zeros((0, 3)), numpy.array([True]), numpy.array([1j]),
    ):  # fmt: skip
        found = decode(encode(array))
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        assert numpy.array_equal(found, array)
    assert decode(encode(numpy.float64(0.5))) == 0.5  # a float by its type's base
    for scalar in (numpy.int32(5), numpy.float32(0.5), numpy.bool_(True)):
        found = decode(encode(scalar))
        assert (type(found), found) == (type(scalar), scalar)
    with pytest.raises(NotPlain):
        encode(numpy.array([object()]))
