"""The reward `think-format`: one reasoning block, then the answer."""

import hub


class ThinkFormat:
    """1.0 where the completion begins with exactly one reasoning block and an answer follows, else 0.0.

    The completion may begin with white space. Each tag occurs once, the block is not blank, and so is
    not what follows it. Otherwise the score is 0.0 with one of the reasons `not_at_start`,
    `not_closed`, `several_blocks`, `empty_block`, `no_answer`.

    The rule that DeepSeek-R1 was trained with (arXiv 2501.12948, section 2.2.2), as in
    `trl.rewards.think_format_reward` (trl 1.16.0). Stricter than that one: it accepts an empty block, a
    missing answer and a second closing tag. More lenient: white space before the block.

    Args:
        open: the tag that begins the block.
        close: the tag that ends it.
        answer: whether something must follow the block.
        opened: the chat template has already written the opening tag as the end of the prompt, so the
            completion begins inside the block and must not hold the tag again.

    Raises:
        ValueError: a tag is blank, or one contains the other.

    >>> ThinkFormat()(hub.Sample("", "<think>2 and 2</think>4")).value
    1.0
    >>> ThinkFormat()(hub.Sample("", "4 <think>2 and 2</think>")).reason
    'not_at_start'
    """

    def __init__(
        self, open: str = "<think>", close: str = "</think>", answer: bool = True, opened: bool = False
    ) -> None:
        if not open.strip() or not close.strip():
            raise ValueError(
                f"open and close are tags such as '<think>' and '</think>', not {open!r}, {close!r}"
            )
        if open in close or close in open:
            raise ValueError(f"the tags {open!r} and {close!r} cannot be told apart: one contains the other")
        self.open, self.close, self.answer, self.opened = open, close, answer, opened

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion; a fixed number of passes over its text."""
        text = sample.text.lstrip()
        start = 0 if self.opened else len(self.open)
        if not self.opened and not text.startswith(self.open):
            return hub.Score(0.0, "not_at_start")
        end = text.find(self.close, start)
        if end < 0:
            return hub.Score(0.0, "not_closed")
        if text.count(self.open) > (not self.opened) or text.count(self.close) > 1:
            return hub.Score(0.0, "several_blocks")
        if not text[start:end].strip():
            return hub.Score(0.0, "empty_block")
        if self.answer and not text[end + len(self.close) :].strip():
            return hub.Score(0.0, "no_answer")
        return hub.Score(1.0)
