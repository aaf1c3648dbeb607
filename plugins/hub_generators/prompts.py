"""Prompts as chat messages, plain text or tokens, whichever a model takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from jinja2 import TemplateError

from hub.errors import OptionError
from hub.generator import Completion, Decoding
from hub.sample import Sample, Text

ChatTemplate: TypeAlias = Literal["auto", "always", "never"]
"""When a tokenizer's chat template is used: "auto" where it has one."""


class Unfit(Exception):
    """A prompt or a text that a model cannot take; others may be fine."""


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

    def encode_all(
        self, prompts: Sequence[Text], decoding: Decoding, room: int | None
    ) -> tuple[dict[int, list[int]], list[Completion]]:
        """Return the tokens of the prompts that the model can complete, by index, and the others' refusals.

        Args:
            prompts: chat messages or plain text.
            decoding: may leave out the chat template for plain text; says how long completions may be.
            room: how many tokens the model can see, of prompt and completion; None: nobody knows.
        """
        encoded: dict[int, list[int]] = {}
        refused = []
        for index, prompt in enumerate(prompts):
            try:
                encoded[index] = self._encode(prompt, decoding)
                _check_room(encoded[index], decoding, room, self.name)
            except Unfit as unfit:
                encoded.pop(index, None)
                refused.append(Completion.refusal(index, str(unfit)))
        return encoded, refused

    def _encode(self, prompt: Text, decoding: Decoding) -> list[int]:
        as_it_is = isinstance(prompt, str) and not decoding.chat_template and self.option != "always"
        try:
            if self.is_chat and not as_it_is:
                encoded = self.tokenizer.apply_chat_template(
                    as_messages(prompt), add_generation_prompt=True, tokenize=True, return_dict=True
                )
            else:
                encoded = self.tokenizer(as_text(prompt))
        except (TemplateError, TypeError, ValueError) as error:
            raise Unfit(f"the prompt cannot be encoded: {type(error).__name__}: {error}") from error
        tokens = [int(token) for token in encoded["input_ids"]]
        begin = self.tokenizer.bos_token_id
        if not tokens and begin is None:
            raise Unfit("the prompt is empty, and the tokenizer has no token to begin with")
        return tokens or [int(begin)]

    def special_ends(self, stop: Sequence[str]) -> dict[str, int]:
        """Return the stop texts that are special tokens, which decoding would leave out of the text."""
        known = self.tokenizer.added_tokens_decoder.items()
        return {str(token): number for number, token in known if token.special and str(token) in stop}


def _check_room(tokens: Sequence[int], decoding: Decoding, room: int | None, name: str) -> None:
    if room is not None and len(tokens) + decoding.max_new_tokens > room:
        raise Unfit(
            f"the prompt has {len(tokens)} tokens; with {decoding.max_new_tokens} new ones that is more than "
            f"the {room} that {name!r} can see: lower --max-new-tokens, or take another model"
        )


def _content(message: Mapping[str, Any]) -> str:
    return Sample(prompt=[{**message, "role": "user"}]).prompt_text
