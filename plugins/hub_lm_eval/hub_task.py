"""Any benchmark of the hub as a task of lm-eval: the same prompts, rewards and numbers as in `hub eval`.

In YAML, which `hub lm-eval gsm8k --out tasks` writes:

    task: hub_gsm8k
    class: !function hub_lm_eval.hub_task.HubTask
    benchmark: gsm8k

or in Python: `lm_eval.simple_evaluate(model, tasks=[HubTask({"benchmark": "gsm8k"})])`.

All completions are scored in one call, by a filter, through the engine. A score that failed is NaN: it is in
no mean, is counted in `error_rate`, and ends nothing. Not here: benchmarks of likelihoods, or in turns; a
benchmark's own metrics, and scores by category.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isnan
from typing import Any

from lm_eval.api.filter import FilterEnsemble  # noqa: TID253 - lm-eval imports this module
from lm_eval.api.instance import Instance  # noqa: TID253
from lm_eval.api.metrics import mean as plain_mean  # noqa: TID253
from lm_eval.api.task import Task  # noqa: TID253
from lm_eval.config.task import TaskConfig  # noqa: TID253

import hub
from hub.errors import ConfigError, OptionError
from hub.evaluation.plan import Plan
from hub.sample import Sample, Text
from hub_lm_eval.aggregate import mean
from hub_lm_eval.fits import make_fitting_plan
from hub_lm_eval.grade_filter import Grade, numbers, parts_of
from hub_lm_eval.task_file import name_of

KEYS = ("benchmark", "split", "options", "mix", "repeats")
FILTER = "hub"


class HubTask(Task):  # type: ignore[misc]
    """A benchmark of the hub.

    Args:
        config: `benchmark` (a name, or path/to/file.py:name) and, where wanted, `split`, `options` (of the
            benchmark), `mix` (a file to grade with instead), `repeats` (completions of each prompt) and
            lm-eval's own `task` (its name there, "hub_" and the benchmark's), `generation_kwargs` (what to
            change of the benchmark's decoding) and `metadata`.

    Raises:
        ConfigError: a key is unknown, the mix ends the run where a reward fails, or the benchmark is one of
            likelihoods.
        HubError: what `hub.evaluation.plan.make_plan` raises.
    """

    VERSION = hub.__version__
    OUTPUT_TYPE = "generate_until"

    def __init__(self, config: Mapping[str, Any]) -> None:
        given = {key: value for key, value in config.items() if key != "class"}
        unknown = given.keys() - {*KEYS, "task", "generation_kwargs", "metadata", "task_alias"}
        if unknown or "benchmark" not in given:
            raise ConfigError(
                f"a task of the hub has the keys {', '.join(KEYS)}, task, task_alias, generation_kwargs and "
                f"metadata; here are {', '.join(sorted(given))}"
            )
        self.plan = make_fitting_plan(given)
        repeats = given.get("repeats", 1)
        asked = {**_generation(self.plan), **given.get("generation_kwargs", {})}
        if repeats > 1 and not asked["do_sample"]:
            raise OptionError(f"{repeats} greedy completions are all the same: set generation_kwargs")
        self._rows = _Rows(self.plan.rows)
        self._is_whole = True
        self._parts: dict[str, None] = {}
        # In place of Task.__init__, which makes a configuration first that it warns about.
        self._training_docs = self._fewshot_docs = self._instances = self.fewshot_rnd = None
        self._config = TaskConfig(
            task=given.get("task", name_of(self.plan.benchmark.name)),
            task_alias=given.get("task_alias"),
            output_type="generate_until",
            generation_kwargs=asked,
            num_fewshot=0,
            repeats=repeats,
            metadata={**given.get("metadata", {}), **_provenance(self.plan)},
        )
        self._filters = [FilterEnsemble(FILTER, [partial(Grade, self.plan.mix)])]

    def download(self, *arguments: Any, **options: Any) -> None:
        """Do nothing: the rows are read with the plan."""

    def has_training_docs(self) -> bool:
        """No examples are drawn: prompts are the benchmark's."""
        return False

    def has_validation_docs(self) -> bool:
        """The rows are the test documents."""
        return False

    def has_test_docs(self) -> bool:
        """The rows are the test documents."""
        return True

    def test_docs(self) -> "_Rows":
        """Return the rows."""
        return self._rows

    def doc_to_text(self, doc: Mapping[str, Any]) -> str:
        """Return the prompt as text."""
        return _as_text(doc["prompt"])

    def doc_to_target(self, doc: Mapping[str, Any]) -> str:
        """Return the reference answer, for lm-eval's log of samples; "" where there is none."""
        return str(doc.get("answer", ""))

    def fewshot_context(
        self,
        doc: Mapping[str, Any],
        num_fewshot: int = 0,
        system_instruction: str | None = None,
        apply_chat_template: bool = False,
        fewshot_as_multiturn: bool = False,
        chat_template: Callable[..., Any] | None = None,
        **others: Any,
    ) -> Any:
        """Return the prompt as `hub eval` gives it, in the model's chat template if that is asked for."""
        prompt: Text = doc["prompt"]
        system = [{"role": "system", "content": system_instruction}] if system_instruction else []
        if apply_chat_template and chat_template is not None:
            own = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
            return chat_template([*system, *map(dict, own)])
        return "\n\n".join([*([system_instruction] if system_instruction else []), _as_text(prompt)])

    def construct_requests(self, doc: Mapping[str, Any], ctx: Any, **more: Any) -> Instance:
        """Return the one request of a document."""
        wanted = {"metadata": more["metadata"]} if "metadata" in more else {}
        return Instance("generate_until", doc, (ctx, dict(self.config.generation_kwargs)), 0, **wanted)

    def build_all_requests(self, **options: Any) -> None:
        """Make the requests; remembers whether other processes have rows too."""
        self._is_whole = options.get("world_size", 1) == 1
        super().build_all_requests(**options)

    def process_results(
        self, doc: Mapping[str, Any], results: Sequence[Sequence[Mapping[str, Any]]]
    ) -> dict[str, Any]:
        """Return the document's metrics; of several completions, lists."""
        (graded,) = results
        found = numbers(graded)
        self._is_whole &= len(graded) == 1 and not any(isnan(one[0]) for one in found.values())
        given = {name: values[0] if len(values) == 1 else values for name, values in found.items()}
        parts = parts_of(graded)
        self._parts |= dict.fromkeys(parts)
        return {name: value for name, value in given.items() if name != "score" or self._has_score} | parts

    def aggregation(self) -> dict[str, Callable[[Any], float]]:
        """Return a mean for each metric; lm-eval's, which has a standard error, where nothing is missing."""
        one = dict.fromkeys(self._metrics(), plain_mean if self._is_whole else mean)
        return one | dict.fromkeys((f"{name}_parts" for name in self.plan.mix.names), mean)

    def higher_is_better(self) -> dict[str, bool | None]:
        """Return True; False for what is better lower or the mix takes off, None for what does not count."""
        found: dict[str, bool | None] = dict.fromkeys(self._metrics(), True)
        lower = () if self.plan.mix_name else self.plan.benchmark.lower_is_better
        for reward in self.plan.mix.rewards:
            weight = reward.config.weight.points[-1][1]
            told = None if weight == 0 else weight > 0
            if reward.name in lower:
                told = False
            found |= {
                name: told for name in (reward.name, f"{reward.name}_parts") if name in {*found, *self._parts}
            }
        return found | {"error_rate": False, "abstain_rate": False}

    @property
    def _has_score(self) -> bool:
        """Whether the mean of the totals says anything: not of a benchmark of two rates."""
        headline = self.plan.benchmark.headline
        return not headline or not set(headline) <= set(self.plan.mix.names)

    def _metrics(self) -> list[str]:
        names = list(self.plan.mix.names)
        score = ["score"] if self._has_score else []
        return [*score, "error_rate", "abstain_rate", *(names if len(names) > 1 else [])]


class _Rows(list[dict[str, Any]]):
    """The rows, as much of a dataset as lm-eval looks at."""

    @property
    def features(self) -> dict[str, Any]:
        return dict(self[0])


def _generation(plan: Plan) -> dict[str, Any]:
    decoding = plan.decoding
    top_p = {"top_p": decoding.top_p} if decoding.temperature > 0 and decoding.top_p < 1 else {}
    return {
        "until": list(decoding.stop),
        "max_gen_toks": decoding.max_new_tokens,
        "do_sample": decoding.temperature > 0,
        "temperature": decoding.temperature,
        **top_p,
    }


def _provenance(plan: Plan) -> dict[str, Any]:
    benchmark = plan.benchmark
    return {
        "version": hub.__version__,
        "hub_benchmark": benchmark.name,
        "hub_offered_by": str(benchmark.origin),
        "hub_split": plan.split,
        "hub_options": dict(plan.options),
        "hub_data_hash": plan.data_hash,
        "hub_mix": plan.mix_name or "the benchmark's own",
    }


def _as_text(prompt: Text) -> str:
    if isinstance(prompt, str):
        return prompt
    return "\n\n".join(Sample([{**message, "role": "user"}]).prompt_text for message in prompt)
