"""Conversations: rows that go on from what the model has answered to an earlier row.

A row with a column `after`, the id of an earlier row, is asked within that row's conversation: its messages,
the model's answer with the same number among its samples, then the row's own prompt. So every turn is a row,
with an id, scores and a category of its own. A row's column `decoding` changes fields of the benchmark's
decoding for that row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from hub.errors import ConfigError, nearest
from hub.generator import Decoding
from hub.sample import Text

Row = Mapping[str, Any]


def problem_of_turn(row: Row, earlier: Mapping[str | int, int], ids: Mapping[str | int, int]) -> str:
    """Return what is wrong with a row's `after`; "" when all is well, or there is none.

    Args:
        row: with an id.
        earlier: the ids of the rows before it.
        ids: the ids of all rows, and which row has each.

    >>> problem_of_turn({"id": "b", "after": "c"}, {"a": 1}, {"a": 1, "b": 2, "c": 3})
    "goes on after 'c', which is row 3: a row goes on after an earlier one"
    """
    after = row.get("after")
    if after is None:
        return ""
    if not isinstance(after, str | int) or isinstance(after, bool):
        return f"goes on after {after!r:.100}, not the id of a row, a text or an int"
    if after == row["id"]:
        return f"goes on after {after!r}, which is itself"
    if after not in ids:
        return f"goes on after {after!r}, which no row has as its id"
    if after not in earlier:
        return f"goes on after {after!r}, which is row {ids[after]}: a row goes on after an earlier one"
    if "continuations" in row:
        return "has continuations, so it cannot go on after another row"
    return ""


def problem_of_decoding(row: Row) -> str:
    """Return what is wrong with a row's column `decoding`; "" when all is well, or there is none.

    >>> problem_of_decoding({"decoding": {"temperature": -1}})
    "has a decoding that is out of range: {'temperature': -1}"
    """
    changes = row.get("decoding")
    if changes is None:
        return ""
    if not isinstance(changes, Mapping):
        return f"has a decoding that is no mapping: {changes!r:.100}"
    known = [field.name for field in fields(Decoding)]
    unknown = next((name for name in changes if name not in known), None)
    if unknown is not None:
        return f"has a decoding with {unknown!r}{nearest(str(unknown), known)}"
    try:
        replace(Decoding(), **changes)
    except (ValueError, TypeError):
        return f"has a decoding that is out of range: {dict(changes)!r:.100}"
    return ""


def places_before(rows: Sequence[Row]) -> list[int | None]:
    """Return the index of the row that each goes on after; None for one that begins a conversation.

    >>> places_before([{"id": "a"}, {"id": "b", "after": "a"}, {"id": "c"}])
    [None, 0, None]
    """
    at = {row["id"]: index for index, row in enumerate(rows)}
    return [None if row.get("after") is None else at[row["after"]] for row in rows]


def conversations(rows: Sequence[Row]) -> list[int]:
    """Return, for each row, the index of the row that its conversation begins with.

    >>> conversations([{"id": "a"}, {"id": "b", "after": "a"}, {"id": "c"}])
    [0, 0, 2]
    """
    found: list[int] = []
    for index, before in enumerate(places_before(rows)):
        found.append(index if before is None else found[before])
    return found


def waves(rows: Sequence[Row]) -> list[list[int]]:
    """Return indices of rows by turn: what the second wave goes on after is in the first.

    >>> waves([{"id": "a"}, {"id": "b", "after": "a"}, {"id": "c"}])
    [[0, 2], [1]]
    """
    turns: list[int] = []
    for before in places_before(rows):
        turns.append(0 if before is None else turns[before] + 1)
    return [[i for i, turn in enumerate(turns) if turn == wave] for wave in range(max(turns, default=-1) + 1)]


def first_conversations(rows: list[dict[str, Any]], limit: int | None) -> list[dict[str, Any]]:
    """Return the rows of the first conversations, whole; a row that nothing goes on after is one.

    Args:
        rows: in the benchmark's order, which is kept.
        limit: how many conversations; None: all.

    >>> [row["id"] for row in first_conversations([{"id": "a"}, {"id": "b", "after": "a"}, {"id": "c"}], 1)]
    ['a', 'b']
    """
    if limit is None:
        return rows
    begins = conversations(rows)
    wanted = set(list(dict.fromkeys(begins))[:limit])
    return [row for row, begin in zip(rows, begins, strict=True) if begin in wanted]


def go_on(prompt: Text, answer: str, then: Text) -> list[dict[str, Any]]:
    """Return a conversation with the model's answer and what it is asked next.

    >>> [message["content"] for message in go_on("Hi", "Hello.", "Again?")]
    ['Hi', 'Hello.', 'Again?']
    """
    return [*_messages(prompt), {"role": "assistant", "content": answer}, *_messages(then)]


def refuse_turns(rows: Sequence[Row], name: str, runner: str) -> None:
    """Raise where rows need what a runner cannot do: conversations, a decoding for each row, rewards to test.

    Args:
        rows: of the benchmark.
        name: the benchmark's.
        runner: for the message, e.g. "lm-eval".

    Raises:
        ConfigError: they do.
    """
    after = next((row for row in rows if row.get("after") is not None), None)
    own = next((row for row in rows if row.get("decoding") is not None), None)
    if after is not None:
        what = f"asks in turns (row {after['id']!r} goes on after {after['after']!r})"
    elif own is not None:
        what = f"has rows with a decoding of their own (row {own['id']!r})"
    elif rows and "completions" in rows[0]:
        what = "has completions for rewards to value"
    else:
        return
    raise ConfigError(f"benchmark {name!r} {what}, which {runner} cannot do: run it with hub eval")


def _messages(text: Text) -> list[dict[str, Any]]:
    if isinstance(text, str):
        return [{"role": "user", "content": text}]
    return [dict(message) for message in text]
