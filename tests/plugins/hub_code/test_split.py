"""Tests cut into parts."""

import pytest

from hub_code.split import split_tests


@pytest.mark.parametrize(
    ("tests", "entry_point", "count"),
    [
        (["assert f(1)", "assert f(2)"], "f", 2),
        (["assert f(1)\nassert f(2)\nx = 1\nassert f(x)"], "f", 3),
        (["def check(c):\n    assert c(1)\n    assert c(2)"], "f", 2),
        (["def check(c):\n    for x in 1, 2:\n        assert c(x)\n    assert c(2)"], "f", 2),
        (["def check(c):\n    assert c(1)\n    def g():\n        assert 1\n    g()"], "f", 1),
        (["def check(c):\n    assert c(1)\n    assert c(2)"], "", 1),
        (["def check(c):\n    assert True, 'c'\n    assert c(1)\n    assert c(2)\n    assert True"], "f", 2),
        (["assert f(1)"], "f", 1),
        (["x = 1"], "f", 1),
        (["not Python ("], "f", 1),
        (["assert f(1)\n" * 1000], "f", 1),
    ],
)
def test_how_many(tests: list[str], entry_point: str, count: int) -> None:
    assert len(split_tests(tests, entry_point)) == count


def test_a_part_keeps_what_asserts_nothing() -> None:
    tests = "x = [1]\nassert f(x)\nx.append(2)\nassert not f(x)"
    assert split_tests([tests], "") == [
        "x = [1]\nassert f(x)\nx.append(2)",
        "x = [1]\nx.append(2)\nassert not f(x)",
    ]
