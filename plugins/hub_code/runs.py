"""The reward `code-runs`."""

from typing import Any

import hub
from hub.sandbox import Program, Verdict
from hub_code.columns import BadReference, read_prompt, read_text
from hub_code.complete import find_program
from hub_code.runner import Runner
from hub_code.scores import LONGEST_COMPLETION, nothing_run, score_of


class CodeRuns:
    """1.0 where the completion's program runs to its end without an error, else 0.0.

    It says nothing of what the program does; an empty one runs too. It reads the row's `stdin`, if any. The
    reasons for 0.0 are those of `code`.

    Args:
        sandbox: the sandbox that programs run in, e.g. "docker".
        sandbox_options: its own options, e.g. {"packages": ["numpy"]}.
        language: of the programs.
        wall_s: seconds of wall time.
        memory_mb: MiB of memory, beyond what the interpreter takes.

    Raises:
        OptionError: a limit is out of range, or the sandbox lacks the language.
        SandboxUnavailable: the sandbox cannot run here.
    """

    def __init__(
        self,
        sandbox: str = "local",
        sandbox_options: dict[str, Any] | None = None,
        language: str = "python",
        wall_s: float = 5.0,
        memory_mb: int = 256,
    ) -> None:
        self.language = language
        self.runner = Runner(sandbox, sandbox_options, language, wall_s, memory_mb, wall_s)

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion.

        Raises:
            SandboxError: the sandbox could not run it.
        """
        text = sample.text
        try:
            entry_point, prompt_code = read_prompt(sample)
            stdin = read_text(sample, "stdin")
        except BadReference as error:
            return hub.Score.failed("bad_reference", str(error))
        if len(text) > LONGEST_COMPLETION:
            return nothing_run("too_long")
        source = find_program(text, self.language, prompt_code, entry_point, {entry_point} - {""})
        if source is None:
            return nothing_run("no_code")
        self.runner.begin()
        execution = self.runner.run(Program(source, self.language, stdin))
        return score_of(execution, float(execution.verdict is Verdict.PASSED))
