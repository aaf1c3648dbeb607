"""Where code that nobody trusts runs: what a sandbox takes and gives back.

A verdict is about the program. Whatever is not the program's doing is raised, as `SandboxUnavailable`
or `SandboxOverloaded`, so that it can never be taken for a verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from numbers import Integral
from typing import Any, Literal, Protocol

from hub.origin import Origin


class Verdict(StrEnum):
    """How a program ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    KILLED = "killed"
    OUTPUT_LIMIT = "output_limit"


MOST_WALL_S = 1_000_000.0
MOST_MEMORY_MB = 1 << 24
MOST_OUTPUT_BYTES = 1 << 32


@dataclass(frozen=True)
class Limits:
    """What a program may use.

    Args:
        wall_s: seconds of wall time, at most `MOST_WALL_S`.
        memory_mb: MiB of memory beyond what the interpreter has at its start, a whole number of at most
            `MOST_MEMORY_MB`.
        output_bytes: bytes of standard output and error together, a whole number of at most
            `MOST_OUTPUT_BYTES`.

    Raises:
        ValueError: one is not above 0, more than the most, or no whole number where it has to be.
    """

    wall_s: float = 5.0
    memory_mb: int = 256
    output_bytes: int = 1_000_000

    def __post_init__(self) -> None:
        for name, most in (
            ("wall_s", MOST_WALL_S),
            ("memory_mb", MOST_MEMORY_MB),
            ("output_bytes", MOST_OUTPUT_BYTES),
        ):
            value = getattr(self, name)
            if not 0 < value <= most:
                raise ValueError(
                    f"{name} is {value}, but a limit is greater than 0 and finite: at most {most:,}"
                )
            if name != "wall_s" and not isinstance(value, Integral):
                raise ValueError(f"{name} is {value}, but it is a whole number")


@dataclass(frozen=True)
class Case:
    """One call with literal arguments, and what it must return.

    Args:
        args: plain data, given by position.
        expected: plain data, compared outside the sandbox: numbers and text as `==` does, what else there is
            (`Decimal`, dates, arrays) with what is of the same type alone.
        kwargs: plain data, given by name.
    """

    args: tuple[Any, ...]
    expected: Any
    kwargs: Mapping[str, Any] = field(default_factory=dict)


COMPARISONS = ("lines", "tokens", "exact")


@dataclass(frozen=True)
class Program:
    """A program to run, and what judges it: what it prints, literal cases, tests, or nothing.

    Args:
        source: its text.
        language: a language the sandbox has, e.g. "python".
        stdin: what it reads.
        expected_stdout: what it must print, compared outside the sandbox; None: printing is not judged.
        compare: how printed text is compared: "lines" (spaces at the ends of lines and empty lines at the
            end do not count), "tokens" (only what stands between spaces counts), or "exact".
        cases: calls of `entry_point`, compared outside the sandbox.
        tests: code that judges the program by calling what it defines, run apart from it; None: none.
        entry_point: the function that cases and a `check(candidate)` of the tests are for.
        in_process: run the tests in the program's own process, where it can forge the verdict: weak, for
            tests that cannot be run apart from it.

    Raises:
        ValueError: there is no such comparison.
    """

    source: str
    language: str = "python"
    stdin: str = ""
    expected_stdout: str | None = None
    compare: Literal["lines", "tokens", "exact"] = "lines"
    cases: tuple[Case, ...] = ()
    tests: str | None = None
    entry_point: str | None = None
    in_process: bool = False

    def __post_init__(self) -> None:
        if self.compare not in COMPARISONS:
            raise ValueError(f"compare is {self.compare!r}, but there are: {', '.join(COMPARISONS)}")


def same_output(printed: bytes, expected: str, compare: str = "lines") -> bool:
    r"""Whether a program printed what it must (see `Program.compare`); what is not UTF-8 never is.

    >>> same_output(b"1 \n2\n\n", "1\n2"), same_output(b"1 2", "1\n2", "tokens")
    (True, True)
    """
    try:
        text = printed.decode()
    except UnicodeDecodeError:
        return False
    if compare == "exact":
        return text == expected
    if compare == "tokens":
        return text.split() == expected.split()
    return [line.rstrip() for line in text.rstrip().split("\n")] == [
        line.rstrip() for line in expected.rstrip().split("\n")
    ]


@dataclass(frozen=True)
class Execution:
    """What became of one program.

    Args:
        verdict: how it ended; `passed` without expectations means that it ended without an error.
        stdout: what it printed, cut at the limit.
        stderr: the same of its standard error.
        exit_code: None where it did not exit by itself.
        wall_s: seconds it ran.
        info: what else is known, plain data.
    """

    verdict: Verdict
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    wall_s: float = 0.0
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """One of the things that a sandbox walls programs in with, as it stands on this machine.

    Args:
        name: e.g. "seccomp"; unique within a sandbox.
        active: whether programs are behind it.
        detail: what it does or is set to, else why it is not active.
    """

    name: str
    active: bool
    detail: str = ""


class Sandbox(Protocol):
    """Runs programs. Opened once per process that needs it; must not be carried over a fork."""

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run one program to its end, or to a limit.

        Raises:
            SandboxUnavailable: it cannot run, or not with the isolation asked for.
            SandboxOverloaded: no slot is free.
            BadInput: it does not have the language, a text is too large, or its tests end before they ask
                the program anything, or a case is no plain data.
        """

    def describe(self) -> Sequence[Layer]:
        """Say layer by layer what walls programs in, and which languages there are, for people."""

    def close(self) -> None:
        """End everything that it started."""


@dataclass(frozen=True)
class SandboxPlugin:
    """A sandbox as a plugin offers it.

    Args:
        name: what options call it, e.g. `with = { sandbox = "local" }`.
        target: "package.module:name" of a callable that takes options by name and opens a `Sandbox`.
        summary: one line: what isolates the programs.
        origin: set when it is discovered.
    """

    name: str
    target: str
    summary: str
    origin: Origin = field(default=Origin(), compare=False)
