"""What makes completions: a model in this process, a server, another library's model class."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.origin import Origin
from hub.sample import Text


@dataclass(frozen=True)
class Decoding:
    """How completions are made.

    Args:
        max_new_tokens: longest completion, in tokens.
        temperature: 0 is greedy.
        top_p: nucleus sampling: probability mass kept; 1 keeps all.
        stop: texts at which a completion ends; they are not part of it.
        seed: for sampling; the same seed, model and batch give the same completions where the
            generator can promise it.
    """

    max_new_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "stop", tuple(self.stop))
        if self.max_new_tokens < 1 or self.temperature < 0 or not 0 < self.top_p <= 1:
            raise ValueError(f"out of range: {self}")


@dataclass(frozen=True)
class Completion:
    """One completion.

    Args:
        index: which of the prompts it answers.
        text: what the model wrote, without the prompt and without special tokens.
        finish: "stop" (ended by itself) or "length" (cut at `max_new_tokens`).
        tokens: how many tokens it has; None where the generator does not know.
    """

    index: int
    text: str
    finish: str = "stop"
    tokens: int | None = None


class Generator(Protocol):
    """Completes prompts."""

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        """Complete each prompt once; yield completions as they are ready, in any order.

        Raises:
            GeneratorError: the model or server cannot; what was yielded before stands.
        """

    def describe(self) -> Mapping[str, Any]:
        """Return what is needed to know the model again: name, revision, weights hash, dtype, library."""

    def close(self) -> None:
        """Release the model or the connection."""


@dataclass(frozen=True)
class GeneratorPlugin:
    """A kind of generator as a plugin offers it.

    Args:
        name: e.g. "transformers"; `hub eval --generator NAME`.
        target: "package.module:name" of a callable `(model: str, **options) -> Generator`.
        summary: one line.
        accepts: whether it takes a model argument of this form, for when no generator is named; the
            first plugin that does is used.
        origin: set when it is discovered.
    """

    name: str
    target: str
    summary: str
    accepts: Callable[[str], bool] = field(default=lambda model: False, compare=False)
    origin: Origin = field(default=Origin(), compare=False)
