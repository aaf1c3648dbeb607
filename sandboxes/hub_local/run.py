"""One program on its way through a sandbox: descriptors, output, limits, verdict."""

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from hub.errors import BadInput
from hub.sandbox import MOST_MEMORY_MB, Execution, Limits, Program, Verdict, same_output
from hub_local.cases import Asked
from hub_local.languages import Language
from hub_local.slot import Lost, Slot

GRACE_S = 5.0
"""Seconds beyond its limit after which a program's server counts as lost."""
_JUDGED = {
    "passed": Verdict.PASSED,
    "failed": Verdict.FAILED,
    "error": Verdict.ERROR,
    "memory": Verdict.MEMORY,
}
_COMPILER_MB = 1024
_SHORT = 16_000
"""Characters of a text that is sent as it is, not in a file of memory."""
_OUT_OF_MEMORY = 4
"""The exit code of a solver that had too little memory to load."""


class Runner:
    """Runs one program.

    Args:
        slot: gives the zygote for a role.
        program: what to run.
        limits: what it may use.
        language: None for Python.
    """

    def __init__(
        self, slot: Callable[[str], Slot], program: Program, limits: Limits, language: Language | None
    ) -> None:
        self.slot, self.program, self.limits, self.language = slot, program, limits, language
        self.outputs = {"stdout": bytearray(), "stderr": bytearray()}
        self.flooded = False
        self.verdict_text = bytearray()
        self._held: set[int] = set()
        self._start = time.monotonic()

    def run(self) -> Execution:
        """Run it to its end.

        Raises:
            Lost: its server ended meanwhile.
            BadInput: its tests or cases can judge no program.
        """
        try:
            return self._run()
        finally:
            self._close(self._held)

    def _run(self) -> Execution:
        if self.language is not None:
            return self._run_command(self.language)
        if self.program.in_process and self.program.tests is not None:
            return self._run_in_process()
        if self.program.tests is not None:
            return self._run_judged()
        if self.program.cases:
            return self._run_cases()
        return self._printed(self._run_one("solver", {"kind": "script"}, self.program.source))

    # What is judged by what it prints

    def _printed(self, report: dict[str, Any]) -> Execution:
        verdict = self._ended(report) or Verdict.PASSED
        expected = self.program.expected_stdout
        if verdict is Verdict.PASSED and expected is not None:
            same = same_output(bytes(self.outputs["stdout"]), expected, self.program.compare)
            verdict = Verdict.PASSED if same else Verdict.FAILED
        return self._execution(verdict, report, {})

    def _run_command(self, language: Language) -> Execution:
        steps = [language.compile, language.run] if language.compile else [language.run]
        for number, command in enumerate(steps):
            compiles = number < len(steps) - 1
            request: dict[str, Any] = {"kind": "command", "command": list(command), "compiles": compiles}
            if number == 0:
                request["file"] = language.file
            limits = self._step_limits(language, compiles)
            source = "" if number else self.program.source
            report = self._run_one("tools", request, source, limits=limits, keep=compiles)
            if compiles:
                if report["status"]:
                    late = report["killed"] == "limit"
                    verdict = Verdict.TIMEOUT if late else Verdict.ERROR
                    return self._execution(verdict, report, {"step": "compile"})
                self.outputs, self.flooded = {"stdout": bytearray(), "stderr": bytearray()}, False
        return self._printed(report)

    def _step_limits(self, language: Language, compiles: bool) -> Limits:
        own = self.limits
        if compiles:
            return Limits(max(language.compile_s, own.wall_s), _COMPILER_MB, own.output_bytes)
        memory_mb = min(own.memory_mb + language.extra_mb, MOST_MEMORY_MB)
        return Limits(own.wall_s, memory_mb, own.output_bytes)

    def _run_in_process(self) -> Execution:
        read, write = self._pipe()
        more = {4: self._file(self.program.tests or ""), 5: write}
        request: dict[str, Any] = {"kind": "inprocess", "entry_point": self.program.entry_point}
        report = self._run_one("solver", request, self.program.source, more)
        self.verdict_text += os.read(read, 1 << 16)
        verdict = self._ended(report, allow_failure=True) or self._judged() or Verdict.ERROR
        return self._execution(verdict, report, {"weak": "the tests ran in the program's own process"})

    def _run_one(
        self,
        role: str,
        request: dict[str, Any],
        text: str,
        more: dict[int, int] | None = None,
        limits: Limits | None = None,
        keep: bool = False,
    ) -> dict[str, Any]:
        """Run one process with input and output, to its end; returns its zygote's report."""
        limits = limits or self.limits
        slot = self.slot(role)
        given = {**({0: self._file(self.program.stdin)} if self.program.stdin else {}), **(more or {})}
        drains = self._begin(slot, request, text, given, limits, keep)
        return self._watch([slot], drains, limits)[slot]

    # What is judged by calls

    def _run_judged(self) -> Execution:
        solver, judge = self.slot("solver"), self.slot("judge")
        calls, answers = (self._hold(end.detach()) for end in socket.socketpair())
        read, write = self._pipe()
        drains = self._begin(solver, {"kind": "solver"}, self.program.source, {4: answers}, self.limits)
        judging = {"kind": "judge", "entry_point": self.program.entry_point}
        self._hand_over(judge, judging, self.program.tests or "", {4: calls, 5: write}, self.limits)
        drains[read] = self.verdict_text
        reports = self._watch([solver, judge], drains, self.limits, self._decided)
        detail = self._judged_detail()
        if not self.flooded and self._told() == "unusable":
            raise BadInput(f"the tests end before they ask the program anything: {detail}")
        info = {"detail": detail} if detail else {}
        judged = self._judged()
        if judged is not None and not self.flooded:
            return self._execution(judged, None, info)
        return self._execution(self._unjudged(reports[solver], reports[judge]), reports[solver], info)

    def _unjudged(self, solver: dict[str, Any], judge: dict[str, Any]) -> Verdict:
        if self.flooded:
            return Verdict.OUTPUT_LIMIT
        if "limit" in (solver["killed"], judge["killed"]):
            return Verdict.TIMEOUT
        killed = judge["killed"] or (judge["status"] == signal.SIGKILL and "from outside")
        if self._told() != "gone" and killed in ("host", "from outside"):
            raise Lost("the process that judged was killed from outside")
        ended = self._ended(solver, allow_failure=True)
        return ended or Verdict.ERROR

    def _told(self) -> str:
        """Return the judge's word, "" if it wrote nothing."""
        try:
            return str(json.loads(self.verdict_text)["verdict"])
        except (ValueError, KeyError, TypeError):
            return ""

    def _judged(self) -> Verdict | None:
        """Return the judge's verdict; None if it wrote none, or that the solver was gone."""
        return _JUDGED.get(self._told())

    def _decided(self) -> bool:
        return self._told() in (*_JUDGED, "unusable")

    def _judged_detail(self) -> str:
        try:
            told = json.loads(self.verdict_text)
            return (
                "the program ended before its tests"
                if told["verdict"] == "gone"
                else str(told["detail"])[:500]
            )
        except (ValueError, KeyError, TypeError):
            return ""

    def _run_cases(self) -> Execution:
        """Call the entry point with literal arguments, and compare here."""
        solver = self.slot("solver")
        ours, theirs = socket.socketpair()
        with ours:
            more = {4: self._hold(theirs.detach())}
            drains = self._begin(solver, {"kind": "solver"}, self.program.source, more, self.limits)
            asked = Asked(ours, self.program.entry_point or "solution", self.program.cases)
            reports = self._watch([solver], drains, self.limits, lambda: asked.answered, asked)
            asked.finish()
        if asked.unusable:
            raise BadInput(f"a case is no plain data: {asked.unusable}")
        count = len(self.program.cases)
        info = {
            "passed": asked.passed,
            "cases": count,
            **({"detail": asked.problem} if asked.problem else {}),
        }
        if asked.answered and not self.flooded:
            verdict = Verdict.PASSED if asked.passed == count else Verdict.FAILED
            if asked.problem:
                verdict = Verdict.MEMORY if asked.problem.startswith("MemoryError") else Verdict.ERROR
            return self._execution(verdict, None, info)
        report = reports[solver]
        verdict = self._ended(report, allow_failure=True) or Verdict.ERROR
        return self._execution(verdict, report, info)

    # Descriptors and waiting

    def _begin(
        self,
        slot: Slot,
        request: dict[str, Any],
        text: str,
        more: dict[int, int],
        limits: Limits,
        keep: bool = False,
    ) -> dict[int, bytearray]:
        """Begin a program with its output on pipes; returns the ends to read, with where it goes."""
        out_read, out_write = self._pipe()
        error_read, error_write = self._pipe()
        self._hand_over(slot, request, text, {1: out_write, 2: error_write, **more}, limits, keep)
        return {out_read: self.outputs["stdout"], error_read: self.outputs["stderr"]}

    def _hand_over(
        self,
        slot: Slot,
        request: dict[str, Any],
        text: str,
        descriptors: dict[int, int],
        limits: Limits,
        keep: bool = False,
    ) -> None:
        """Give a zygote a program and its descriptors, which are closed here."""
        request["memory_mb"] = limits.memory_mb
        if len(text) <= _SHORT:
            request["text"] = text
        else:
            descriptors[3] = self._file(text)
        slot.begin(request, descriptors, limits.wall_s, keep)
        self._close(descriptors.values())

    def _hold(self, descriptor: int) -> int:
        """Have a descriptor closed at the end, whatever happens."""
        self._held.add(descriptor)
        return descriptor

    def _pipe(self) -> tuple[int, int]:
        read, write = os.pipe()
        return self._hold(read), self._hold(write)

    def _file(self, text: str) -> int:
        """Return a descriptor of memory that holds a text, to be read from its start."""
        descriptor = self._hold(os.memfd_create("hub"))
        data = text.encode("utf-8", "surrogatepass")
        while data:
            data = data[os.write(descriptor, data) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def _close(self, descriptors: Iterable[int]) -> None:
        for descriptor in list(descriptors):
            os.close(descriptor)
            self._held.discard(descriptor)

    def _watch(
        self,
        slots: list[Slot],
        drains: dict[int, bytearray],
        limits: Limits,
        decided: Callable[[], bool] = lambda: False,
        asked: Asked | None = None,
    ) -> dict[Slot, dict[str, Any]]:
        """Drain output, and ask cases, until every report has come; end what prints too much.

        Where all is decided and all output has come, the programs' ends are not waited for (they take as long
        as a short program): then reports are missing.

        Raises:
            Lost: a zygote ended, or did not end its program in time.
        """
        reports: dict[Slot, dict[str, Any]] = {}
        until = time.monotonic() + limits.wall_s + GRACE_S
        controls = {slot.control.fileno(): slot for slot in slots}
        poller = select.poll()
        for descriptor in (*drains, *controls):
            poller.register(descriptor, select.POLLIN)
        asking = asked.sock.fileno() if asked else -1
        if asked is not None:
            asked.step()
            if asked.open:
                poller.register(asking, asked.events())
        printing = set(drains)
        try:
            while len(reports) < len(slots):
                if not printing and not self.flooded and decided():
                    for slot in slots:
                        slot.end()
                    break
                left = until - time.monotonic()
                if left <= 0:
                    raise Lost("it did not end its program at the limit")
                for descriptor, _ in poller.poll(left * 1000):
                    if descriptor in controls:
                        report = controls[descriptor].report()
                        if report is not None:
                            reports[controls[descriptor]] = report
                            poller.unregister(descriptor)
                    elif asked is not None and descriptor == asking:
                        poller.unregister(asking)
                        asked.step()
                        if asked.open:
                            poller.register(asking, asked.events())
                    elif not self._drain(descriptor, drains[descriptor], limits):
                        poller.unregister(descriptor)
                        printing.discard(descriptor)
                    elif self.flooded:
                        for slot in slots:
                            slot.end()
            for descriptor, into in drains.items():
                os.set_blocking(descriptor, False)
                with contextlib.suppress(BlockingIOError):
                    while self._drain(descriptor, into, limits):
                        pass
        finally:
            self._close(drains)
        return reports

    def _drain(self, descriptor: int, into: bytearray, limits: Limits) -> bool:
        """Read what a program printed; False at its end."""
        data = os.read(descriptor, 1 << 16)
        room = limits.output_bytes - sum(map(len, self.outputs.values()))
        if into is self.verdict_text:
            room = 1 << 20
        into += data[: max(0, room)]
        if len(data) > room:
            self.flooded = True
        return bool(data)

    # Verdicts

    def _ended(self, report: dict[str, Any], allow_failure: bool = False) -> Verdict | None:
        """Return the verdict that a process's end gives; None where it ended well."""
        if self.flooded:
            return Verdict.OUTPUT_LIMIT
        if report["killed"] == "limit":
            return Verdict.TIMEOUT
        status = report["status"]
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGXCPU:
                return Verdict.TIMEOUT
            return Verdict.KILLED if number in (signal.SIGKILL, signal.SIGSYS) else Verdict.ERROR
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return None
        if code == _OUT_OF_MEMORY or b"MemoryError" in bytes(self.outputs["stderr"][-300:]):
            return Verdict.MEMORY
        return None if allow_failure and code == 1 and self.verdict_text else Verdict.ERROR

    def _execution(self, verdict: Verdict, report: dict[str, Any] | None, info: dict[str, Any]) -> Execution:
        """Return what became of the program; without a report it was ended here."""
        code, wall_s = None, time.monotonic() - self._start
        if report is not None:
            status, wall_s = os.waitstatus_to_exitcode(report["status"]), report["wall_s"]
            info = {**info, "cpu_s": report["cpu_s"], "peak_mb": report["peak_kb"] / 1024}
            if status < 0:
                info["signal"] = _signal_name(-status)
            else:
                code = status
        stdout, stderr = (self.outputs[name].decode(errors="replace") for name in ("stdout", "stderr"))
        return Execution(verdict, stdout, stderr, code, wall_s, info)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have none
        return f"signal {number}"
