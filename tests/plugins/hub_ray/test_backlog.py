"""What is taken next, and what is suspected of having ended an actor; without Ray."""

from typing import Any

import pytest

from hub.engine.wire import Result
from hub.engine.work import Work
from hub.engine.worker import Definition
from hub.score import Score
from hub_ray.backlog import CHUNK_BYTES, FEW, KILLS, TRIES, Backlog, Item

DONE: Result = ([Score(1.0)], 0, 0)


class Asked:
    """Work, and what became of its units."""

    def __init__(self, number: int, units: int, size: int = 1) -> None:
        self.found: dict[int, Score] = {}
        self.work = Work(
            number, Definition(False, (), False, 1), 1.0, 1.0, 1, [b"x" * size] * units, self.report
        )

    def report(self, units: Any, results: Any) -> None:
        self.found |= {unit: found[0] for unit, (found, _, _) in zip(units, results, strict=True)}


def backlog(*asked: Asked) -> Backlog:
    made = Backlog()
    for each in asked:
        made.add(each.work)
    return made


def names(items: list[Item], **asked: Asked) -> str:
    """Which work each item is of, by the letters of the arguments."""
    letters = {each.work: letter for letter, each in asked.items()}
    return "".join(letters[work] for work, _ in items)


def test_callers_of_one_reward_share_a_chunk_evenly() -> None:
    a, b, c = Asked(1, 100), Asked(1, 2), Asked(1, 1)
    line = backlog(a, b, c)
    assert line.left(1) == 103
    assert names(line.take(lambda _: 9), a=a, b=b, c=c) == "aaabbcaaa"
    assert line.left(1) == 94


def test_rewards_take_turns() -> None:
    a, b = Asked(1, 10), Asked(2, 10)
    line = backlog(a, b)
    assert [names(line.take(lambda _: 2), a=a, b=b) for _ in range(4)] == ["aa", "bb", "aa", "bb"]
    assert names(line.take(lambda work: 3 * (work is b.work)), a=a, b=b) == "bbb"


def test_nothing_is_taken_twice_and_nothing_is_left() -> None:
    asked = [Asked(number, units) for number in (1, 2) for units in (0, 1, 7, 30)]
    line, taken = backlog(*(each for each in asked if each.work.units)), []
    while line.is_waiting:
        taken += line.take(lambda _: 4)
    assert len(taken) == len(set(taken)) == sum(len(each.work.units) for each in asked)
    assert line.left(1) == line.left(2) == 0


def test_a_chunk_has_a_limit_in_bytes() -> None:
    big = Asked(1, 10, size=CHUNK_BYTES // 3)
    assert len(backlog(big).take(lambda _: 10)) == 4


def test_what_is_given_back_comes_first() -> None:
    a = Asked(1, 10)
    line = backlog(a)
    first = line.take(lambda _: 3)
    a.work.settle([1], [DONE])
    line.put_back(first)
    assert [unit for _, unit in line.take(lambda _: 4)] == [0, 2, 3, 4]


def test_what_was_given_up_is_not_taken() -> None:
    a, b = Asked(1, 4), Asked(1, 4)
    line = backlog(a, b)
    lost = line.take(lambda _: 4)
    assert names(lost, a=a, b=b) == "aabb"
    line.lost(lost, "gone")
    line.forget(a.work)
    line.put_back([(a.work, 0)])
    assert names(line.take(lambda _: 10), a=a, b=b) == "bb"
    suspects = []
    while line.has_suspects:
        suspects += line.take_suspects()
    assert names(suspects, a=a, b=b) == "bb"


@pytest.mark.parametrize("units", [1, 2, 100, 3000])
@pytest.mark.parametrize("killers", [0, 1, 3])
def test_what_kills_fails_and_costs_nothing_else(units: int, killers: int) -> None:
    """Actors that die of some units: those fail, all others are scored, in a bounded number of tries."""
    a = Asked(1, units)
    line, deaths, bad = backlog(a), 0, set(range(units)[: killers * 41 : 41])
    suspects: set[int] = set()
    while line.is_waiting:
        items = line.take_suspects() if line.has_suspects else line.take(lambda _: 500)
        assert len(items) <= (FEW if any(unit in suspects for _, unit in items) else 500)
        if bad & {unit for _, unit in items}:
            deaths += 1
            suspects |= {unit for _, unit in items}
            line.lost(items, "gone")
        else:
            a.work.settle([unit for _, unit in items], [DONE] * len(items))
            line.scored(a.work)
    assert {unit for unit, score in a.found.items() if score.reason == "crashed"} == bad
    assert len(a.found) == units
    assert deaths <= TRIES * len(bad)
    assert list(line) == []


def test_a_reward_that_always_kills_is_given_up() -> None:
    a, other = Asked(1, 1000), Asked(2, 1)
    line, deaths = backlog(a, other), 0
    assert names(line.take(lambda work: work is other.work), a=a, o=other) == "o"
    while line.is_waiting:
        items = line.take_suspects() if line.has_suspects else line.take(lambda _: 100)
        line.lost(items, "gone")
        deaths += 1
    assert deaths == KILLS
    assert {str(score.reason) for score in a.found.values()} == {"crashed"}
    assert len(a.found) == 1000
    assert list(line) == [other.work]
