"""What is judged and how, by a reward's options and by the row's column `judge`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from hub.errors import OptionError, nearest
from hub.sample import Sample
from hub.score import Failure
from hub_judge.server import NoAnswer
from hub_judge.template import RUBRIC, RULE, cut, fields_of, fill
from hub_judge.verdict import check_patterns

Messages = list[dict[str, str]]
Rows = Literal["data", "all"]
DATA = ("rubric", "fields")
"""What any row may change: texts that the judge is shown. The rest says what is asked, and at what cost."""


@dataclass(frozen=True)
class Task:
    """What a judge is asked.

    Args:
        template: the user message; see `hub_judge.template` for its fields.
        system: the system message; "" for none.
        rubric: by what is judged; the field {rubric}.
        patterns: regular expressions that find the verdict; empty: the last line.
        frames: put the judged texts between marks that they cannot write themselves.
        model: the judge's name; "" where the reward's options give it.
        low: lowest rating.
        high: highest rating.
        normalize: turn ratings into 0 to 1.
        words: what each word stands for, where a rating is one of these words and no number.
        tokens: the two tokens between which the judge chooses; empty: it writes a verdict.
        swap: for a comparison, which order: False the completion first, True the reference first, None both.
        controls: judge null, constant and injected completions as well.
        fields: more fields of the template.
        temperature: of the judge.
        max_tokens: longest answer of the judge.
        longest: characters of a judged text; of a longer one the middle is left out.
        rows: what a row's column `judge` may change: "data", `DATA`; "all", everything but this.

    Raises:
        OptionError: one is out of range, or a pattern is no regular expression with a group.
    """

    template: str
    system: str = RULE
    rubric: str = RUBRIC
    patterns: tuple[str, ...] = ()
    frames: bool = True
    model: str = ""
    low: float = 1.0
    high: float = 10.0
    normalize: bool = True
    words: Mapping[str, float] = field(default_factory=dict)
    tokens: tuple[str, ...] = ()
    swap: bool | None = None
    controls: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    temperature: float = 0.0
    max_tokens: int = 1024
    longest: int = 20_000
    rows: Rows = "data"

    def __post_init__(self) -> None:
        for name in ("patterns", "tokens"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_patterns(self.patterns)
        if self.low >= self.high:
            raise OptionError(f"a judge's scale: low ({self.low:g}) is less than high ({self.high:g})")
        odd = [
            word
            for word, value in self.words.items()
            if not isinstance(value, int | float) or not self.low <= value <= self.high
        ]
        if odd:
            scale = f"from {self.low:g} to {self.high:g}"
            raise OptionError(f"a judge's words: {odd[0]!r} stands for {self.words[odd[0]]!r}, not {scale}")
        if self.max_tokens < 1 or self.temperature < 0 or self.longest < 1:
            raise OptionError("a judge: max_tokens and longest are at least 1, temperature at least 0")
        if len(self.tokens) not in (0, 2):
            raise OptionError(f"a judge's tokens are two, not {self.tokens!r}")

    def for_row(self, sample: Sample) -> "Task":
        """Return the task as the row's column `judge`, a mapping of these names, changes it.

        Raises:
            NoAnswer: the column is something else, or changes what rows may not.
        """
        changes = sample.get("judge")
        if changes is None:
            return self
        known = [one.name for one in fields(Task) if one.name != "rows"]
        try:
            given = {key: value for key, value in dict(changes).items() if value is not None}
            unknown = next((key for key in given if key not in known), None)
            if unknown is not None:
                raise OptionError(f"there is no {unknown!r}{nearest(str(unknown), known)}")
            barred = next((key for key in given if self.rows != "all" and key not in DATA), None)
            if barred is not None:
                raise OptionError(
                    f"rows may change {' and '.join(DATA)}, not {barred!r}; if you trust them, set the "
                    'reward\'s option rows = "all"'
                )
            return replace(self, **given)
        except (OptionError, TypeError, ValueError) as error:
            raise NoAnswer(Failure.BAD_REFERENCE, f"the column 'judge': {error}") from None

    def messages(self, sample: Sample, **texts: str) -> Messages:
        """Return what the judge is asked about a sample.

        Args:
            sample: what is judged.
            texts: judged texts in place of the sample's own, e.g. `completion_a`.

        Raises:
            BadInput: the prompt or completion is no text; or the template names a field that there is not.
        """
        judged = {name: cut(text, self.longest) for name, text in (fields_of(sample) | texts).items()}
        plain = {**self.fields, "rubric": self.rubric, "low": f"{self.low:g}", "high": f"{self.high:g}"}
        asked = fill(self.template, judged, plain, frames=self.frames)
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": asked}]
