"""Prompt and completion as the tokens that a model was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from jinja2 import TemplateError

from hub.errors import BadInput, OptionError
from hub.sample import Sample, Text
from hub_reward_model.loaded import Loaded

Truncation: TypeAlias = Literal["left", "right", "fail"]


@dataclass(frozen=True)
class Written:
    """One text for the model.

    Args:
        tokens: its tokens.
        types: which of two texts each belongs to; () where the model does not tell them apart.
        cut: how many tokens were left out.
    """

    tokens: tuple[int, ...]
    types: tuple[int, ...] = ()
    cut: int = 0


@dataclass(frozen=True)
class Writer:
    """Writes samples as one model reads them.

    Args:
        reward: the reward's name, for messages.
        loaded: the model.
        form: "auto": "chat" where the tokenizer has a chat template, else "pair". "chat": messages by the
            template. "pair": two texts, with the tokenizer's own separator. "completion": the completion
            alone. Anything else is a template with {completion} in it, and {prompt}.
        max_length: most tokens; None: as many as the model can see.
        truncation: what becomes of longer ones: cut at their "left" or "right" end, or "fail".

    Raises:
        OptionError: one does not fit the model.
    """

    reward: str
    loaded: Loaded
    form: str
    max_length: int | None
    truncation: Truncation

    def __post_init__(self) -> None:
        has_template = bool(self.loaded.tokenizer.chat_template)
        form = ("chat" if has_template else "pair") if self.form == "auto" else self.form
        if form == "chat" and not has_template:
            raise OptionError(
                f'reward {self.reward!r}: the tokenizer has no chat template: use form = "pair", or a '
                'template such as form = "{prompt}\\n\\n{completion}"'
            )
        if form not in ("chat", "pair", "completion") and "{completion}" not in form:
            raise OptionError(
                f"reward {self.reward!r}: form is auto, chat, pair, completion, or a template with "
                f"{{completion}} in it, not {form!r}"
            )
        longest = self.loaded.longest
        if self.max_length is not None and not 1 <= self.max_length <= (longest or self.max_length):
            raise OptionError(
                f"reward {self.reward!r}: max_length is 1 to {longest}, which is what the model can see, not "
                f"{self.max_length}"
            )
        object.__setattr__(self, "form", form)
        object.__setattr__(self, "max_length", self.max_length or longest)

    def write(self, sample: Sample) -> Written:
        """Return a sample's tokens.

        Raises:
            BadInput: it is not text or messages, the chat template refuses it, or it is too long and
                `truncation` says so.
        """
        if self.form == "chat":
            messages = [*as_messages(sample.prompt, "user"), *as_messages(sample.completion, "assistant")]
            return self._cut(render(self.loaded.tokenizer, messages, tokenize=True))
        completion = clean(sample.text)
        if self.form == "pair":
            return self._encode(as_text(sample.prompt), completion)
        if self.form == "completion":
            return self._encode(completion)
        return self._encode(fill(self.form, as_text(sample.prompt), completion))

    def _encode(self, *texts: str) -> Written:
        tokenizer, most = self.loaded.tokenizer, self.max_length
        with self.loaded.lock:
            found = tokenizer(*texts)
            count = len(found["input_ids"])
            if most is not None and count > most:
                self._check(count)
                tokenizer.truncation_side = self.truncation
                found = tokenizer(*texts, truncation=True, max_length=most)
        tokens, types = found["input_ids"], found.get("token_type_ids", ())
        if not tokens:
            raise BadInput("the text has no tokens, and the tokenizer adds none")
        return Written(tuple(tokens), tuple(types), count - len(tokens))

    def _cut(self, tokens: list[int]) -> Written:
        most, count = self.max_length, len(tokens)
        if most is None or count <= most:
            return Written(tuple(tokens))
        self._check(count)
        begin = tokens[:1] if tokens[0] == self.loaded.tokenizer.bos_token_id and most > 1 else []
        kept = [*begin, *tokens[count - most + len(begin) :]] if self.truncation == "left" else tokens[:most]
        return Written(tuple(kept), cut=count - most)

    def _check(self, count: int) -> None:
        if self.truncation == "fail":
            raise BadInput(f"{count} tokens are more than the {self.max_length} that the model is given")


def render(tokenizer: Any, messages: list[dict[str, Any]], *, tokenize: bool) -> Any:
    """Return messages by the tokenizer's chat template: their tokens, or their text.

    Raises:
        BadInput: the template refuses them.
    """
    try:
        if tokenize:
            found = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True)
            return [int(token) for token in found["input_ids"]]
        return tokenizer.apply_chat_template(messages, tokenize=False)
    except (TemplateError, TypeError, ValueError, KeyError) as error:
        raise BadInput(f"the chat template refuses it: {type(error).__name__}: {error}") from error


def as_messages(text: Text, role: str) -> list[dict[str, Any]]:
    """Return messages; plain text becomes one of that role.

    >>> as_messages("2+2?", "user")
    [{'role': 'user', 'content': '2+2?'}]

    Raises:
        BadInput: it is neither text nor messages.
    """
    if isinstance(text, str):
        return [{"role": role, "content": clean(text)}]
    assert Sample(prompt=text).prompt_text is not None  # raises BadInput
    return [{"role": role, **_cleaned(message)} for message in text]


def as_text(text: Text) -> str:
    r"""Return a prompt as plain text; of messages, their contents with a blank line between them.

    >>> as_text([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}])
    'Be brief.\n\n2+2?'

    Raises:
        BadInput: it is neither text nor messages.
    """
    if isinstance(text, str):
        return clean(text)
    assert Sample(prompt=text).prompt_text is not None  # raises BadInput
    return "\n\n".join(clean(Sample(prompt=[{**message, "role": "user"}]).prompt_text) for message in text)


def fill(template: str, prompt: str, completion: str) -> str:
    """Return a template with its fields filled; braces in the texts stay as they are.

    >>> fill("Q: {prompt} A: {completion}", "{x}?", "{prompt}")
    'Q: {x}? A: {prompt}'
    """
    before, _, after = template.partition("{completion}")
    return before.replace("{prompt}", prompt) + completion + after.replace("{prompt}", prompt)


def clean(text: str) -> str:
    """Return a text with halves of characters, which no tokenizer takes, replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _cleaned(message: Mapping[str, Any]) -> dict[str, Any]:
    if message.get("content") is None:
        return dict(message)  # a call of a tool
    return {**message, "content": clean(Sample(prompt=[{**message, "role": "user"}]).prompt_text)}
