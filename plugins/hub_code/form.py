"""The reward `code-format`."""

import hub
from hub_code.extract import after_thinking
from hub_code.fences import find_blocks
from hub_code.parse import LONGEST, problem


class CodeFormat:
    r"""1.0 where the completion holds exactly one fenced block, of the language, that parses, else 0.0.

    What stands before the last `</think>` does not count. The block must name the language, be closed, and
    not be empty; only Python is parsed. The reasons for 0.0: `no_block`, `several_blocks`, `not_closed`,
    `other_language`, `empty`, `too_long`, `not_parsed`.

    Args:
        language: of the program.
        untagged: a block that names no language will do.

    >>> CodeFormat()(hub.Sample("", "So:\n```python\nprint(1)\n```")).value
    1.0
    >>> CodeFormat()(hub.Sample("", "```python\nprint 1\n```")).reason
    'not_parsed'
    """

    def __init__(self, language: str = "python", untagged: bool = False) -> None:
        self.language, self.untagged = language, untagged

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion; nothing is run."""
        blocks = find_blocks(after_thinking(sample.text))
        if len(blocks) != 1:
            return hub.Score(0.0, "several_blocks" if blocks else "no_block")
        (block,) = blocks
        if not block.closed:
            return hub.Score(0.0, "not_closed")
        if not (block.is_of(self.language) or (self.untagged and not block.tag)):
            return hub.Score(0.0, "other_language", block.tag[:50])
        if not block.text.strip():
            return hub.Score(0.0, "empty")
        if self.language != "python":
            return hub.Score(1.0)
        if len(block.text) > LONGEST:
            return hub.Score(0.0, "too_long")
        line = problem(block.text)
        return (
            hub.Score(1.0) if line is None else hub.Score(0.0, "not_parsed", f"line {line}" if line else "")
        )
