"""What becomes of a program's verdict as a score."""

from typing import Any

import hub
from hub.sandbox import Execution, Verdict

LONGEST_COMPLETION = 12_000_000
"""Characters of a completion; of a longer one nothing is run."""


def nothing_run(reason: str) -> hub.Score:
    """Return the score where there is no program to run; the verdict is that of one that does not load.

    Args:
        reason: "no_code" or "too_long".
    """
    detail = f"a completion of more than {LONGEST_COMPLETION} characters" if reason == "too_long" else ""
    return hub.Score(0.0, reason, detail, {"verdict": str(Verdict.ERROR)})


def score_of(execution: Execution, value: float, **info: Any) -> hub.Score:
    """Return a score with its verdict; where the program did not pass, that is the reason too."""
    verdict = str(execution.verdict)
    if execution.verdict is Verdict.PASSED:
        return hub.Score(value, info={"verdict": verdict, **info})
    return hub.Score(value, verdict, explain(execution), {"verdict": verdict, **info})


def explain(execution: Execution) -> str:
    """Say in a line why a program did not pass: what its judge, or else it itself, said last."""
    said = str(execution.info.get("detail") or "")
    lines = execution.stderr.rstrip().splitlines()
    died = bool(execution.exit_code)  # then whoever judged it knows only that it is gone
    return (lines[-1] if lines and (died or not said) else said)[:500]
