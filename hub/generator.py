"""What makes completions: a model in this process, a server, another library's model class."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

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
        chat_template: False gives a prompt that is plain text to the model as it is, with no chat template
            around it, even where the model has one. Prompts of messages always get it.
    """

    max_new_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    chat_template: bool = True

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
        finish: "stop" (ended by itself), "length" (cut at `max_new_tokens`), "told" (of several texts the
            one that is most likely), or "refused" (there is none).
        tokens: how many tokens it has; None where the generator does not know.
        likelihoods: of a row with `continuations`, how likely each is: the logarithm of its probability, and
            whether it is what greedy decoding would give; None for text that the model wrote.
        values: of a row with `completions`, what the rewards under test give each: as `Score.as_dict` has it,
            and `scores` by reward; None for text that a model wrote.
        refused: why there is no completion; "" where there is one.
        prompt_tokens: how many tokens the prompt has, its template included; None where that is not known.
    """

    index: int
    text: str
    finish: str = "stop"
    tokens: int | None = None
    likelihoods: tuple["Likelihood", ...] | None = None
    values: tuple[Mapping[str, Any], ...] | None = None
    refused: str = ""
    prompt_tokens: int | None = None

    @classmethod
    def refusal(cls, index: int, why: str) -> "Completion":
        """Say that this prompt cannot be completed, while others can: too long, refused by the server, ...

        Args:
            index: which of the prompts.
            why: a sentence for a person.
        """
        return cls(index, "", "refused", refused=why)


Likelihood: TypeAlias = tuple[float, bool]
"""The logarithm of the probability that a text is continued so, and whether greedy decoding would."""


class Generator(Protocol):
    """Completes prompts."""

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        """Complete each prompt once; yield completions as they are ready, in any order.

        A prompt that cannot be completed where others can is yielded as `Completion.refusal`: it costs no
        other's sample.

        Raises:
            GeneratorError: the model or server cannot go on; what was yielded before stands.
        """

    def describe(self) -> Mapping[str, Any]:
        """Return what is needed to know the model again: name, revision, weights hash, dtype, library."""

    def close(self) -> None:
        """Release the model or the connection."""


@runtime_checkable
class LikelihoodGenerator(Generator, Protocol):
    """A generator that can also tell how likely given texts are; benchmarks with `continuations` need it."""

    def loglikelihood(
        self, asked: Sequence[tuple[str | None, str]]
    ) -> Iterator[tuple[int, Likelihood | str]]:
        """Tell how likely each continuation is after its context; yield as they are known, in any order.

        Args:
            asked: context and continuation; "" is a text that begins with it. None as the context: how likely
                the whole text is by itself, in pieces where it is longer than the model can see.

        Yields:
            Which of them it is, and its likelihood; or, where there is none while others have one, why not.

        Raises:
            GeneratorError: the model or server cannot go on; what was yielded before stands.
        """


@runtime_checkable
class TokenGenerator(Generator, Protocol):
    """A generator that can also tell how likely its first token was; judges that write one token need it."""

    def begin(
        self, prompts: Sequence[Text], count: int, decoding: Decoding
    ) -> Iterator[tuple[Completion, list[tuple[str, float]]]]:
        """Complete each prompt with one token, and tell which were the likeliest; yield in any order.

        Args:
            prompts: as for `generate`.
            count: how many tokens are told, at least 1.
            decoding: as for `generate`; the length does not matter.

        Yields:
            The completion; and tokens with the logarithms of their probabilities, the likeliest first. These
            are those of temperature 1, among all tokens. A prompt that cannot be completed is a refusal, as
            for `generate`, without tokens.

        Raises:
            GeneratorError: the model or server cannot; what was yielded before stands.
        """


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
