"""A sandbox of the worker's own, with the limits of a program and of all runs together."""

import time
from collections.abc import Mapping
from typing import Any

import hub
from hub.errors import BadInput, OptionError
from hub.options import describe_options
from hub.plugins import open_target
from hub.sandbox import Execution, Limits, Program, Verdict

MOST_TOTAL_S = 120.0
_LEAST_S = 0.05


class Runner:
    """Runs the programs of one completion after another.

    Args:
        sandbox: its name.
        sandbox_options: its own.
        language: of the programs.
        wall_s: seconds of wall time of one run.
        memory_mb: MiB of memory of one run.
        total_s: seconds of wall time of all runs of one completion.

    Raises:
        OptionError: a limit is out of range, or the sandbox does not have the language.
        UnknownName: there is no such sandbox.
        SandboxUnavailable: it cannot run here.
    """

    def __init__(
        self,
        sandbox: str,
        sandbox_options: Mapping[str, Any] | None,
        language: str,
        wall_s: float,
        memory_mb: int,
        total_s: float,
    ) -> None:
        if not 0 < wall_s <= total_s <= MOST_TOTAL_S:
            raise OptionError(
                f"wall_s is above 0 and at most total_s, and that at most {MOST_TOTAL_S:g}: "
                f"not {wall_s:g} and {total_s:g}"
            )
        try:
            Limits(wall_s, memory_mb)
        except ValueError as error:
            raise OptionError(str(error)) from None
        self.language, self.wall_s, self.memory_mb, self.total_s = language, wall_s, memory_mb, total_s
        self.sandbox = hub.open_sandbox(sandbox, **_one_slot(sandbox, sandbox_options or {}))
        self._until = 0.0
        if language != "python":
            self._try_language()

    def begin(self) -> None:
        """Start the clock of a completion."""
        self._until = time.monotonic() + self.total_s

    def run(self, program: Program) -> Execution:
        """Run one program within what is left of the time; without any left it counts as run too long.

        Raises:
            SandboxError: the sandbox could not run it.
        """
        left = self._until - time.monotonic()
        if left < _LEAST_S:
            return Execution(Verdict.TIMEOUT, info={"detail": f"all runs together took {self.total_s:g} s"})
        return self.sandbox.run(program, Limits(min(self.wall_s, left), self.memory_mb))

    def _try_language(self) -> None:
        try:
            self.sandbox.run(Program("", self.language), Limits(self.wall_s, self.memory_mb))
        except BadInput as error:
            self.sandbox.close()
            raise OptionError(str(error)) from error


def _one_slot(sandbox: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for one slot where the sandbox has them: a worker runs one program at a time."""
    if not isinstance(options, Mapping):
        raise OptionError(f'sandbox_options is a table, e.g. {{packages = ["numpy"]}}, not {options!r:.80}')
    offer = hub.load().sandboxes[sandbox]
    known = describe_options(open_target(offer.target, offer.origin))
    return {"slots": 1, **options} if "slots" in known else dict(options)
