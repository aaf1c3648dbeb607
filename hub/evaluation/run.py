"""Runs one evaluation: completions are made, scored meanwhile, and written as they are scored."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from hub.engine.engine import default_engine
from hub.engine.interface import AnyEngine
from hub.errors import GeneratorError
from hub.evaluation.folder import REFUSED, Key, RunFolder, open_folder
from hub.evaluation.grading import Grader, Unit
from hub.evaluation.likelihood import answer
from hub.evaluation.plan import Plan
from hub.evaluation.provenance import describe_hardware, describe_versions
from hub.evaluation.stored import read_run
from hub.evaluation.summary import make_result
from hub.evaluation.turns import go_on, places_before, waves
from hub.generator import Completion, Decoding, Generator
from hub.mix.combine import MixScore
from hub.sample import Sample, Text
from hub.score import INFRASTRUCTURE, Failure, Outcome, Score

Progress = Callable[[int, int], None]
"""Told how many completions are scored by now, and how many of them could not be."""


def evaluate(
    plan: Plan,
    generator: Generator,
    folder: str | Path,
    *,
    resume: bool = False,
    about: Mapping[str, Any] | None = None,
    progress: Progress = lambda done, failed: None,
    engine: AnyEngine | None = None,
) -> dict[str, Any]:
    """Evaluate a model on one benchmark; return what is in the folder's result.json.

    Whatever stops it, what was made and scored is in the folder, and `resume=True` goes on from there: no
    sample is lost and none is made twice. A complete run is not run again. What a model or server refuses to
    complete is a failure of that sample; `resume=True` asks for it again, in a complete run too, and scores
    again what failed by a fault of the infrastructure, such as a judge that did not answer.

    Args:
        plan: from `hub.evaluation.plan.make_plan`.
        generator: makes the completions; stays open.
        folder: where the run is written; made where it is missing.
        resume: go on with this run if it is there.
        about: more to record in the result, e.g. the command.
        progress: called as samples are scored.
        engine: where rewards run; by default this process's own.

    Raises:
        GeneratorError: the model or server cannot go on, or refuses every prompt.
        DataError: the folder cannot be written, or holds something else, such as a result of another format.
        ConfigError: a reward cannot be constructed.
        RewardFailed: a reward failed, and the mix asks for that to stop the run.
    """
    model = dict(generator.describe())
    recipe = plan.recipe(model)
    engine = engine or default_engine()
    if not (Path(folder) / "result.json").exists():
        plan.mix.warm(engine)  # a reward that cannot be constructed leaves no run behind that is in the way
    with open_folder(Path(folder), recipe, resume=resume) as run:
        if run.is_complete:
            if not (run.refused or any(map(_unreached, run.samples.values()))):
                return dict(read_run(folder).result)
            plan.mix.warm(engine)
            run.reopen()
        job = _Job(plan, generator, run, progress, engine)
        started, clock = datetime.now(UTC), time.monotonic()
        resumed = job.pick_up()
        job.run()
        facts = {
            "model": model,
            "versions": describe_versions(plan, model),
            "hardware": describe_hardware(),
            "time": {
                "started": started.isoformat(timespec="seconds"),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - clock, 3),
                "resumed_at": resumed,
            },
        }
        result = make_result(plan, recipe, run.samples, {**facts, **(about or {})})
        run.finish(result)
        return dict(read_run(folder).result)


class _Job:
    """One run, from its first to its last completion."""

    def __init__(
        self, plan: Plan, generator: Generator, folder: RunFolder, progress: Progress, engine: AnyEngine
    ) -> None:
        self.plan, self.generator, self.folder, self.progress = plan, generator, folder, progress
        self.engine = engine
        mix = plan.mix
        compares = bool(mix.groupwise) or mix.config.aggregate == "normalize_then_sum"
        self.whole_groups = compares and plan.samples_per_prompt > 1
        self.before = places_before(plan.rows)
        self.failed = 0
        self.answered = False
        """Whether there is any completion."""

    def pick_up(self) -> int:
        """Count what is there already; take out what is to be made or scored again.

        To be made: what was refused, or valued by a reward under test that failed by a fault of the
        infrastructure. To be scored: what a reward failed on by such a fault, and where whole groups are
        compared every group of which a part is missing.
        """
        samples, count = self.folder.samples, self.plan.samples_per_prompt
        again = {key for key, line in samples.items() if _unreached(line)}
        valued = {key for key in again if _is_unreached(self.completion(key).values or ())}
        self.folder.forget(self.folder.refused | valued)
        again -= valued
        self.answered = bool(samples or self.folder.completions)
        if self.whole_groups:
            whole = samples.keys() - again
            again = {key for key in samples if any((key[0], k) not in whole for k in range(count))}
        self.folder.take_back({key: self.completion(key) for key in again})
        self.failed = sum(line["result"]["total"]["outcome"] == "failed" for line in samples.values())
        self.progress(len(samples), self.failed)
        return len(samples)

    def completion(self, key: Key) -> Completion:
        """The completion of a sample that was scored, as the sample's line tells it."""
        line, row = self.folder.samples[key], self.plan.rows[key[0]]
        made = {name: line.get(name) for name in ("likelihoods", "values")}
        likelihoods, values = (None if made[name] == row.get(name) else made[name] for name in made)
        return Completion(
            key[0],
            line["completion"],
            line["result"]["finish"],
            line["result"]["tokens"],
            likelihoods and tuple((float(logprob), bool(greedy)) for logprob, greedy in likelihoods),
            values and tuple(values),
        )

    def run(self) -> None:
        """Make and score what is missing."""
        grader = Grader(self.plan.mix, self.engine, self.deliver)
        try:
            made = self.folder.completions
            self.settle(grader, [key for key in sorted(made) if key not in self.folder.samples])
            batches = self.batches()
            for sample in range(self.plan.samples_per_prompt):
                for decoding, rows in batches:
                    missing = [
                        r for r in rows if (r, sample) not in made and (r, sample) not in self.folder.samples
                    ]
                    for key in self.complete(missing, sample, decoding):
                        self.settle(grader, [key])
                self.check_answered()
            grader.finish()
        finally:
            grader.abandon()

    def settle(self, grader: Grader, keys: Sequence[Key]) -> None:
        """Have completions scored, and write down what there is none of."""
        made = self.folder.completions
        refused = [key for key in keys if made[key].refused]
        grader.pass_on([(key, self.sample(key), self.unscored(key)) for key in refused])
        grader.add(self.units(keys))

    def check_answered(self) -> None:
        """Raise where there is no completion at all: that is no result."""
        if not self.answered:
            refused = self.folder.refused
            why = self.folder.completions[min(refused)].refused
            raise GeneratorError(f"none of {len(refused)} prompts could be completed; the first: {why}")

    def batches(self) -> list[tuple[Decoding, list[int]]]:
        """Rows that are completed together: of one turn, and with one decoding."""
        found: list[tuple[Decoding, list[int]]] = []
        for wave in waves(self.plan.rows):
            alike: dict[Decoding, list[int]] = {}
            for row in wave:
                alike.setdefault(self.plan.decoding_of(self.plan.rows[row]), []).append(row)
            found += alike.items()
        return found

    def complete(self, rows: Sequence[int], sample: int, decoding: Decoding) -> Iterator[Key]:
        """Make one completion of each row and write it down; yield the key of each."""
        silent = {row for row in rows if self.is_silent((row, sample))}
        for row in sorted(silent):
            why = f"the turn before it, {self.plan.rows[row]['after']!r}, has no answer"
            self.folder.add_completion((row, sample), Completion.refusal(row, why))
            yield (row, sample)
        rows = [row for row in rows if row not in silent]
        if not rows:
            return
        asked = [{**self.plan.rows[row], "prompt": self.prompt((row, sample))} for row in rows]
        completions = answer(self.generator, asked, _decoding_of(decoding, sample))
        left = set(range(len(rows)))
        try:
            for completion in completions:
                if completion.index not in left:
                    raise GeneratorError(
                        f"the generator answered prompt {completion.index} of {len(rows)}, which it was not "
                        "asked, or has answered before"
                    )
                left.remove(completion.index)
                key = (rows[completion.index], sample)
                self.answered |= not completion.refused
                self.folder.add_completion(key, completion)
                yield key
        finally:
            getattr(completions, "close", lambda: None)()
        if left:
            raise GeneratorError(f"the generator left {len(left)} of {len(rows)} prompts without an answer")

    def units(self, keys: Iterable[Key]) -> list[Unit]:
        """What can be scored now that these completions are there."""
        made = self.folder.completions
        if not self.whole_groups:
            return [[(key, self.sample(key))] for key in keys if not made[key].refused]
        count = self.plan.samples_per_prompt
        groups = ([(row, k) for k in range(count)] for row in sorted({row for row, _ in keys}))
        whole = (group for group in groups if all(key in made for key in group))
        units = [[(key, self.sample(key)) for key in group if not made[key].refused] for group in whole]
        return [unit for unit in units if unit]

    def prompt(self, key: Key) -> Text:
        """What the model is asked: the row's prompt, behind what its conversation was so far."""
        prompt: Text = self.plan.rows[key[0]]["prompt"]
        before = self.before[key[0]]
        if before is None:
            return prompt
        earlier = (before, key[1])
        made = self.folder.completions.get(earlier)
        # A crash of the machine can lose the end of one file and not of the other.
        answer = self.folder.samples[earlier]["completion"] if made is None else made.text
        return go_on(self.prompt(earlier), answer, prompt)

    def is_silent(self, key: Key) -> bool:
        """Whether the model has not answered what this row goes on after."""
        before = self.before[key[0]]
        return before is not None and (before, key[1]) in self.folder.refused

    def sample(self, key: Key) -> Sample:
        row, completion = self.plan.rows[key[0]], self.folder.completions[key]
        columns = {name: value for name, value in row.items() if name not in ("id", "prompt")}
        if completion.likelihoods is not None:
            columns["likelihoods"] = [list(likelihood) for likelihood in completion.likelihoods]
        if completion.values is not None:
            columns["values"] = list(completion.values)
        prompt = row["prompt"] if self.is_silent(key) else self.prompt(key)
        return Sample(prompt, completion.text, columns, group=key[0], id=row["id"])

    def unscored(self, key: Key) -> MixScore:
        """The failure that stands where there is no completion to score."""
        sample, why = self.sample(key), self.folder.completions[key].refused
        failed = Score.failed(Failure.NO_COMPLETION, why)
        scores = {
            reward.name: failed if reward.applies(sample.columns) else Score.abstained("not routed here")
            for reward in self.plan.mix.rewards
        }
        return MixScore(failed, scores, dict.fromkeys(scores))

    def deliver(self, scored: list[tuple[Key, Sample, MixScore]]) -> None:
        """Write scored completions."""
        lines = []
        for key, sample, score in scored:
            lines.append((key, _line(key, sample, self.folder.completions[key], score)))
            self.failed += score.total.fault is not None
        self.folder.add_samples(lines)
        self.progress(len(self.folder.samples), self.failed)


def _unreached(line: Mapping[str, Any]) -> bool:
    """Whether a sample has a completion, but a reward failed by a fault of the infrastructure."""
    result = line["result"]
    return result["finish"] != REFUSED and _is_unreached(result["scores"].values())


def _is_unreached(scores: Iterable[Mapping[str, Any]]) -> bool:
    return any(one["outcome"] == Outcome.FAILED and one["reason"] in INFRASTRUCTURE for one in scores)


def _line(key: Key, sample: Sample, completion: Completion, score: MixScore) -> dict[str, Any]:
    """A line of samples.jsonl: the row, the completion and what was made of it; `hub score` reads it too."""
    return {
        "id": sample.id,
        **sample.columns,
        "prompt": sample.prompt,
        "completion": None if completion.refused else completion.text,
        "result": {
            "row": key[0],
            "sample": key[1],
            "finish": completion.finish,
            "tokens": completion.tokens,
            "total": score.total.as_dict(),
            "scores": {name: one.as_dict() for name, one in score.scores.items()},
        },
    }


def _decoding_of(decoding: Decoding, sample: int) -> Decoding:
    """The decoding of the n-th completion of every prompt: each has a seed of its own."""
    if not sample:
        return decoding
    drawn = blake2b(f"{decoding.seed}/{sample}".encode(), digest_size=4).digest()
    return replace(decoding, seed=int.from_bytes(drawn) >> 1)
