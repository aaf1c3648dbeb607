"""The reward `code`."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import hub
from hub.errors import BadInput
from hub.sandbox import Execution, Program, Verdict
from hub_code.columns import BadReference, Reference, read_reference
from hub_code.complete import find_program, preamble
from hub_code.expand import expand
from hub_code.runner import Runner
from hub_code.scores import LONGEST_COMPLETION, nothing_run, score_of
from hub_code.split import split_tests


class Code:
    """1.0 where the completion's program passes the row's tests or prints what it must, else 0.0.

    How the program is found, what the columns mean and what the verdicts are is told in docs/code.md. The
    reasons for 0.0 are the verdicts (`failed`, `error`, `timeout`, `memory`, `killed`, `output_limit`) and
    `no_code` and `too_long`, where nothing was run. A sandbox that fails or is overloaded is a failed score.

    Args:
        sandbox: the sandbox that programs run in, e.g. "docker".
        sandbox_options: its own options, e.g. {"packages": ["numpy"]}.
        language: of the programs; in others than Python they are judged by what they print.
        partial: the value is the fraction of tests passed, in place of all or nothing.
        wall_s: seconds of wall time of one run.
        memory_mb: MiB of memory of one run, beyond what the interpreter takes.
        compare: how printed text is compared: "lines" (spaces at the ends of lines and empty lines at the end
            do not count), "tokens" (only what stands between spaces counts) or "exact".
        in_process: run the tests in the program's own process: weak, since a program can forge the verdict
            there; for tests that cannot be run apart from it, such as those that patch it.
        total_s: seconds of wall time of all runs of one completion, at most 120.

    Raises:
        OptionError: a limit is out of range, or the sandbox lacks the language.
        SandboxUnavailable: the sandbox cannot run here.
    """

    def __init__(
        self,
        sandbox: str = "local",
        sandbox_options: dict[str, Any] | None = None,
        language: str = "python",
        partial: bool = False,
        wall_s: float = 5.0,
        memory_mb: int = 256,
        compare: Literal["lines", "tokens", "exact"] = "lines",
        in_process: bool = False,
        total_s: float = 60.0,
    ) -> None:
        self.language, self.partial, self.compare, self.in_process = language, partial, compare, in_process
        self.runner = Runner(sandbox, sandbox_options, language, wall_s, memory_mb, total_s)

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion.

        Raises:
            MissingColumn: the row has nothing to judge a program by.
            SandboxError: the sandbox could not run it.
        """
        text = sample.text
        try:
            reference = read_reference(expand(sample))
        except BadReference as error:
            return hub.Score.failed("bad_reference", str(error))
        if len(text) > LONGEST_COMPLETION:
            return nothing_run("too_long")
        prompt_code, entry_point = reference.prompt_code, reference.entry_point
        source = find_program(text, self.language, prompt_code, entry_point, reference.names)
        if source is None:
            return nothing_run("no_code")
        try:
            return self._judge(Program(source, self.language, compare=self.compare), reference)
        except BadInput as error:
            return hub.Score.failed("bad_reference", str(error))

    def _judge(self, program: Program, reference: Reference) -> hub.Score:
        """Run a program until a run does not pass; with `partial` as often as there are tests."""
        self.runner.begin()
        worst, passed, count = Execution(Verdict.PASSED), 0, 0
        for judged in self._runs(program, reference):
            execution = self.runner.run(judged)
            parts = len(judged.cases) or 1
            count += parts
            if execution.verdict is Verdict.PASSED:
                passed += parts
                continue
            passed += int(execution.info.get("passed", 0)) if judged.cases else 0
            if worst.verdict is Verdict.PASSED:
                worst = execution
            if not self.partial:
                break
        if self.partial:
            return score_of(worst, passed / count, passed=passed, of=count)
        return score_of(worst, float(worst.verdict is Verdict.PASSED))

    def _runs(self, program: Program, reference: Reference) -> Iterator[Program]:
        if reference.mode == "io":
            for stdin, expected in reference.printing:
                yield replace(program, stdin=stdin, expected_stdout=expected)
            return
        program = replace(program, entry_point=reference.entry_point, in_process=self.in_process)
        if reference.mode == "cases":
            yield replace(program, cases=reference.cases)
            return
        # The prompt's helpers are the data set's: tests that use them must not use the candidate's.
        before = f"{preamble(reference.prompt_code, reference.entry_point)}\n{reference.setup}\n".lstrip()
        tests = split_tests(reference.tests, reference.entry_point) if self.partial else reference.tests
        for part in tests if self.partial else ["\n".join(tests)]:
            yield replace(program, tests=before + part)
