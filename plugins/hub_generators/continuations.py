"""Texts after a context, as tokens: where the context ends and the text begins.

Context and continuation are encoded together and cut where the context by itself ends, spaces at the end of
the context counting to the continuation, as lm-eval 0.4.13 does: numbers agree with its own to rounding.
"""

from collections.abc import Sequence
from typing import Any

from hub.errors import GeneratorError
from hub_generators.prompts import Unfit


def split(tokenizer: Any, context: str | None, text: str, room: int | None) -> tuple[list[int], list[int]]:
    """Return the tokens of a context, at least one, and those of the text after it, at least one.

    Args:
        tokenizer: of transformers.
        context: "": the text begins with what the model knows as a beginning.
        text: what follows it.
        room: how many tokens the model can see; None: nobody knows.

    Raises:
        Unfit: the text has no token of its own, or both are too long together.
        GeneratorError: the context is None.
    """
    if context is None:
        raise GeneratorError(
            "this generator does not tell how likely a text is by itself: use --generator lm-eval "
            "--generator-option backend=hf"
        )
    bare = context.rstrip()
    if bare:
        before = _tokens(tokenizer, bare)
        after = _tokens(tokenizer, context + text)[len(before) :]
    else:
        after = _tokens(tokenizer, context + text, add_special_tokens=False)
        begin = tokenizer.bos_token_id
        begin = tokenizer.eos_token_id if begin is None else begin
        before = [] if begin is None else [int(begin)]
        if not before or after[:1] == before:
            before, after = after[:1], after[1:]
    if not after or not before:
        raise Unfit(f"the text {text!r:.100} has no token of its own after its context")
    count = len(before) + len(after)
    if room is not None and count - 1 > room:
        raise Unfit(
            f"the text {text!r:.100} has {count} tokens with its context, more than the {room} that the "
            "model can see: give fewer examples in the prompt, or take another model"
        )
    return before, after


def split_all(
    tokenizer: Any, asked: Sequence[tuple[str | None, str]], room: int | None
) -> tuple[dict[int, tuple[list[int], list[int]]], list[tuple[int, str]]]:
    """Return what `split` makes of each context and text, by number, and why there is nothing of others.

    Raises:
        GeneratorError: a context is None.
    """
    pairs, refused = {}, []
    for number, (context, text) in enumerate(asked):
        try:
            pairs[number] = split(tokenizer, context, text, room)
        except Unfit as unfit:
            refused.append((number, str(unfit)))
    return pairs, refused


def _tokens(tokenizer: Any, text: str, **options: Any) -> list[int]:
    return [int(token) for token in tokenizer(text, **options)["input_ids"]]
