"""Prompts as chat messages, plain text or tokens, whichever a model takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from jinja2 import TemplateError

from hub.errors import GeneratorError, OptionError
from hub.generator import Decoding
from hub.sample import Sample, Text

ChatTemplate: TypeAlias = Literal["auto", "always", "never"]
"""When a tokenizer's chat template is used: "auto" where it has one."""


def as_messages(prompt: Text) -> list[dict[str, Any]]:
    """Return a prompt as chat messages; plain text becomes one message of the user.

    >>> as_messages("2+2?")
    [{'role': 'user', 'content': '2+2?'}]
    """
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    return [dict(message) for message in prompt]


def as_text(prompt: Text) -> str:
    r"""Return a prompt as plain text; of messages, their contents with a blank line between them.

    >>> as_text([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}])
    'Be brief.\n\n2+2?'
    """
    if isinstance(prompt, str):
        return prompt
    return "\n\n".join(_content(message) for message in prompt)


@dataclass(frozen=True)
class PromptEncoder:
    """Turns prompts into the tokens that a model is given.

    Args:
        tokenizer: of transformers.
        option: when its chat template is used.
        name: of the model, for messages.

    Raises:
        OptionError: it has no chat template, and "always" wants one.
    """

    tokenizer: Any
    option: ChatTemplate
    name: str

    def __post_init__(self) -> None:
        if self.option == "always" and not self.tokenizer.chat_template:
            raise OptionError(
                f"the tokenizer of {self.name!r} has no chat template: use chat_template=auto or never"
            )

    @property
    def is_chat(self) -> bool:
        """Whether prompts get a chat template, unless their decoding says otherwise."""
        return bool(self.tokenizer.chat_template) and self.option != "never"

    def encode(self, prompt: Text, index: int, decoding: Decoding) -> list[int]:
        """Return a prompt's tokens.

        Args:
            prompt: chat messages or plain text.
            index: which it is, for messages.
            decoding: may leave out the chat template for plain text.

        Raises:
            GeneratorError: the chat template refuses it, or it has no token.
        """
        as_it_is = isinstance(prompt, str) and not decoding.chat_template and self.option != "always"
        try:
            if self.is_chat and not as_it_is:
                encoded = self.tokenizer.apply_chat_template(
                    as_messages(prompt), add_generation_prompt=True, tokenize=True, return_dict=True
                )
            else:
                encoded = self.tokenizer(as_text(prompt))
        except (TemplateError, TypeError, ValueError) as error:
            raise GeneratorError(
                f"prompt {index} cannot be encoded: {type(error).__name__}: {error}"
            ) from error
        tokens = [int(token) for token in encoded["input_ids"]]
        begin = self.tokenizer.bos_token_id
        if not tokens and begin is None:
            raise GeneratorError(f"prompt {index} is empty, and the tokenizer has no token to begin with")
        return tokens or [int(begin)]

    def special_ends(self, stop: Sequence[str]) -> dict[str, int]:
        """Return the stop texts that are special tokens, which decoding would leave out of the text."""
        known = self.tokenizer.added_tokens_decoder.items()
        return {str(token): number for number, token in known if token.special and str(token) in stop}


def check_room(encoded: Sequence[Sequence[int]], decoding: Decoding, room: int | None, name: str) -> None:
    """Raise unless each prompt and its completion fit into what a model can see.

    Args:
        encoded: the prompts' tokens.
        decoding: how long completions may be.
        room: tokens; None: nobody knows.
        name: of the model.

    Raises:
        GeneratorError: one does not fit.
    """
    longest = max(range(len(encoded)), key=lambda index: len(encoded[index]), default=None)
    if room is None or longest is None:
        return
    if len(encoded[longest]) + decoding.max_new_tokens > room:
        raise GeneratorError(
            f"prompt {longest} has {len(encoded[longest])} tokens; with {decoding.max_new_tokens} new "
            f"ones that is more than the {room} that {name!r} can see: lower --max-new-tokens"
        )


def _content(message: Mapping[str, Any]) -> str:
    return Sample(prompt=[{**message, "role": "user"}]).prompt_text
