"""A benchmark as a plugin offers it: rows, prompt, the mix that grades, metrics. And families of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.generator import Decoding
from hub.origin import Origin


@dataclass(frozen=True)
class Benchmark:
    """Something to evaluate on, and to train on.

    Args:
        name: what commands and recipes call it.
        rows: a callable `(split: str, **options) -> Iterable[dict]`, or its "package.module:name". Each row
            has a unique `id`, a `prompt` (text or chat messages) and the columns that the rewards
            need. It is called once per run; equal arguments give equal rows. Where a row has a column
            `continuations`, nothing is completed: a list of texts, or of [context, text]; the model tells
            how likely each is after the prompt (text) or its own context (None: by itself), and the
            rewards read the column `likelihoods`, a list of [logarithm of the probability, is greedy].
            Where a row has a column `completions`, a list of texts or messages, no model is evaluated but
            rewards: they tell what each is worth, without the column `chosen`, and the benchmark's own
            rewards read the column `values`, a list of scores as mappings (value, outcome, reason, ...).
            A row with a column `after`, the id of an earlier row, goes on with that row's conversation: its
            messages, what the model has answered, then this row's prompt. A column `decoding`, a mapping,
            changes fields of the benchmark's decoding for that row.
        rewards: the mix that grades: a mapping as in a mix file, e.g. `{"math": 1.0}` or
            `{"reward": [{"use": "math", "weight": 1.0}]}`. The score of a completion is its total.
        summary: one line, with the source of the data (paper, repository) and what it measures.
        splits: what `split` may be; the first is the one to evaluate on. One named "train" can be
            trained on and must share no row with the others.
        decoding: how completions are made unless the user says otherwise.
        category: a column to report by; "" for none.
        metrics: what is reported beside the mean of the scores: a callable, or its "package.module:name",
            from the lines of samples.jsonl (without those of prompts that were refused, which have no
            completion) to numbers by name; "" for none. A list of numbers, or of lists, one for each prompt,
            stands for their mean, which gets an interval and their count. Not called where a run is graded
            with another mix.
        headline: rewards of the mix whose means are the benchmark's numbers, by category too, where the mean
            of the totals is none: two rates that must not be averaged. Empty: the mean of the totals. Another
            mix that a run is graded with has them too, or there is no headline.
        lower_is_better: rewards of the mix, and numbers of `metrics`, of which less is better, for whoever
            reads the results; a reward with a negative weight is so anyway.
        note: a sentence that every result is shown with, e.g. how far its grader agrees with people; "" for
            none. Not shown where a run is graded with another mix.
        origin: set when it is discovered.
    """

    name: str
    rows: str | Callable[..., Iterable[dict[str, Any]]]
    rewards: Mapping[str, Any]
    summary: str
    splits: tuple[str, ...] = ("test",)
    decoding: Decoding = Decoding()
    category: str = ""
    metrics: str | Callable[[Sequence[Mapping[str, Any]]], Mapping[str, float | Sequence[float]]] = ""
    headline: tuple[str, ...] = ()
    lower_is_better: tuple[str, ...] = ()
    note: str = ""
    origin: Origin = field(default=Origin(), compare=False)


@dataclass(frozen=True)
class BenchmarkFamily:
    """Many benchmarks of one kind, each made when it is asked for as "name/rest".

    Args:
        name: what stands before the slash, e.g. "lm-eval".
        target: "package.module:name" of a function `(rest: str) -> Benchmark`. The benchmark's name begins
            with the family's and a slash. It raises `UnknownName` for a rest that there is not.
        names: "package.module:name" of a function `() -> Iterable[str]` that lists every rest, for listings.
        summary: one line, in which "NAME" stands for the rest.
        origin: set when it is discovered.
    """

    name: str
    target: str
    names: str
    summary: str
    origin: Origin = field(default=Origin(), compare=False)
