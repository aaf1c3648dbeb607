"""Offers the rewards `code`, `code-runs` and `code-format`."""

from collections.abc import Iterator

import hub

_JUDGES = ("tests", "test_list", "test_setup_code", "test_imports", "cases", "inputs", "outputs")
_PROGRAM = ("entry_point", "prompt_code", "stdin")
_TIMEOUT_S = 180.0
"""Above what all runs of one program may take (`total_s`), so that the sandbox's limits come first."""


@hub.hookimpl
def hub_rewards() -> Iterator[hub.Reward]:
    yield hub.Reward(
        "code",
        "hub_code.grade:Code",
        "1.0 where the completion's program passes the row's tests or prints what it must, else 0.0.",
        needs=(),
        uses=("mode", *_JUDGES, *_PROGRAM, "expected_stdout", "expand"),
        timeout_s=_TIMEOUT_S,
        setup_timeout_s=_TIMEOUT_S,
        preload=("hub_code.grade",),
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "code-runs",
        "hub_code.runs:CodeRuns",
        "1.0 where the completion's program runs to its end without an error, else 0.0.",
        needs=(),
        uses=_PROGRAM,
        timeout_s=_TIMEOUT_S,
        setup_timeout_s=_TIMEOUT_S,
        preload=("hub_code.runs",),
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "code-format",
        "hub_code.form:CodeFormat",
        "1.0 where the completion holds exactly one fenced block, of the language, that parses, else 0.0.",
        needs=(),
        range=(0.0, 1.0),
    )
