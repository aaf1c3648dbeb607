"""Tasks of lm-eval as benchmarks: the same prompts, the same numbers as lm-eval's simple_evaluate."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest

import hub
from hub.errors import ConfigError, DataError, OptionError, UnknownName
from hub.evaluation.plan import Plan, find_benchmark, make_plan
from hub.evaluation.run import evaluate
from hub_lm_eval.find_task import find_task, names
from hub_lm_eval.grade import TaskReward
from hub_lm_eval.tasks import read_decoding
from tests.plugins.hub_lm_eval.parity import Recorded, run

DOCS = [
    {"q": "1 + 1", "a": "2", "choices": ["2", "11", "two"], "gold": 0, "right": 1},
    {"q": "2 + 3", "a": "5", "choices": ["6", "5", "fivefold"], "gold": 1, "right": 0},
    {"q": "4 + 4", "a": "8", "choices": ["8", "44", "4"], "gold": 2, "right": 1},
    {"q": "9 - 2", "a": "7", "choices": ["a", "bcd", "7"], "gold": 2, "right": 0},
]
HEAD = """
dataset_path: json
dataset_kwargs: {data_files: {test: DOCS, train: DOCS}}
test_split: test
"""
TASKS = {
    "written": """
output_type: generate_until
training_split: train
fewshot_split: train
num_fewshot: 2
description: "Sums.\\n"
doc_to_text: "Q: {{q}}\\nA:"
doc_to_target: "{{a}}"
generation_kwargs: {until: ["Q:", "."], max_gen_toks: 9, do_sample: false}
filter_list:
  - name: first
    filter: [{function: regex, regex_pattern: "([0-9]+)"}, {function: take_first}]
  - name: last
    filter: [{function: regex, regex_pattern: "([0-9]+)", group_select: -1}, {function: take_first}]
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
  - {metric: !function own.near, aggregation: mean, higher_is_better: true}
""",
    "chosen": """
output_type: multiple_choice
doc_to_text: "{{q}} ="
doc_to_target: gold
doc_to_choice: choices
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
  - {metric: acc_mutual_info, aggregation: mean, higher_is_better: true}
""",
    "counted": """
output_type: multiple_choice
process_docs: !function own.only_odd
doc_to_text: "{{q}} ="
doc_to_target: right
doc_to_choice: ["no", "yes"]
metric_list:
  - {metric: f1, aggregation: f1, higher_is_better: true}
  - {metric: brier_score, aggregation: brier_score, higher_is_better: false}
""",
    "rolled": """
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{q}} is {{a}}"
metric_list:
  - {metric: word_perplexity, aggregation: weighted_perplexity, higher_is_better: false}
  - {metric: bits_per_byte, aggregation: bits_per_byte, higher_is_better: false}
""",
    "several": """
output_type: generate_until
doc_to_text: "{{q}}"
doc_to_target: choices
generation_kwargs: {until: []}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
""",
    "own_results": """
output_type: generate_until
doc_to_text: !function own.prompt
doc_to_target: a
process_results: !function own.results
generation_kwargs: {until: ["\\n"]}
metric_list:
  - {metric: length, aggregation: !function own.longest, higher_is_better: true}
""",
}
OWN = """
import numpy, random

def near(references, predictions, **kwargs):
    return {"near": numpy.float64(abs(float(predictions[0]) - float(references[0])) < 3 if predictions[0].isdigit() else 0)}

def only_odd(dataset):
    return dataset.filter(lambda doc: True).map(lambda doc: {**doc, "q": doc["q"] + "?"})

def prompt(doc):
    return doc["q"] + " " + str(random.random()) + "?"

def results(doc, results):
    if results[0] == "raise":
        raise ValueError("as it was told")
    return {"length": len(results[0])}

def longest(items):
    return max(items)
"""
TEXTS = {"1 + 1": "2 or 3", "2 + 3": "It is 5", "4 + 4": "12, no: 8", "9 - 2": "4"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "docs.jsonl").write_text("".join(json.dumps(doc) + "\n" for doc in DOCS))
    (folder / "own.py").write_text(OWN)
    for name, text in TASKS.items():
        head = HEAD.replace("DOCS", str(folder / "docs.jsonl"))
        (folder / f"{name}.yaml").write_text(f"task: {name}\n{head}{text}")
    return folder


class Told:
    """The model of `Recorded`, as a generator of the hub."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.lm = plan, Recorded(lambda doc, number: "")

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index, row in enumerate(self.plan.rows):
            yield hub.Completion(index, TEXTS[row["doc"]["q"]])

    def loglikelihood(
        self, asked: Sequence[tuple[str | None, str]]
    ) -> Iterator[tuple[int, tuple[float, bool]]]:
        for number, (context, text) in enumerate(asked):
            yield (
                number,
                ((-2.0 * len(text), False) if context is None else (-float(len(text)), number % 3 == 0)),
            )

    def describe(self) -> Mapping[str, Any]:
        return {"name": "told"}

    def close(self) -> None:
        pass


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("limit", [None, 3])
def test_prompts_and_numbers_are_lm_evals_own(
    name: str, limit: int | None, folder: Path, tmp_path: Path
) -> None:
    plan = make_plan(f"lm-eval/{folder / name}.yaml", limit=limit)
    result = evaluate(plan, Told(plan), tmp_path / "run")
    lm = Recorded(lambda doc, number: TEXTS[doc["q"].rstrip("?")])
    seeds = {"random_seed": 0, "numpy_random_seed": 1234}
    states = random.getstate(), numpy.random.get_state()
    try:
        theirs = run(lm, [str(folder / f"{name}.yaml")], limit=limit, **seeds)
    finally:
        random.setstate(states[0])
        numpy.random.set_state(states[1])
    expected = {
        key: value for key, value in theirs["results"][name].items() if "," in key and "_stderr" not in key
    }
    assert result["scores"]["metrics"] == {key: float(value) for key, value in expected.items()}
    samples = sorted(theirs["samples"][name], key=lambda sample: (sample["filter"], sample["doc_id"]))
    samples = samples[: len(plan.rows)]
    if name == "rolled":
        assert [row["continuations"] for row in plan.rows] == [
            [[None, s["arguments"][0][0]]] for s in samples
        ]
    elif "continuations" in plan.rows[0]:
        asked = [[list(pair) for pair in sample["arguments"]] for sample in samples]
        assert [row["continuations"] for row in plan.rows] == asked
    else:
        assert [row["prompt"] for row in plan.rows] == [sample["arguments"][0][0] for sample in samples]
        assert list(plan.decoding.stop) == samples[0]["arguments"][0][1]["until"]
    total = result["scores"]["total"]
    first = next(iter(expected))
    if name in ("counted",):
        assert (total["abstained"], total["mean"]) == (len(plan.rows), None)
    elif name in ("written", "chosen", "several"):
        assert total["mean"] == pytest.approx(float(expected[first]))
    assert total["failed"] == 0


def test_the_numbers_tell_the_ways_apart(folder: Path, tmp_path: Path) -> None:
    plan = make_plan(f"lm-eval/{folder / 'written'}.yaml")
    metrics = evaluate(plan, Told(plan), tmp_path / "run")["scores"]["metrics"]
    assert (
        metrics
        == {
            "exact_match,first": 0.5,
            "near,first": 0.5,
            "exact_match,last": 0.5,
            "near,last": 0.75,
        }
        or len(set(metrics.values())) > 1
    )
    assert plan.rows[0]["prompt"].startswith("Sums.\nQ: ")
    assert plan.rows[0]["prompt"].count("Q:") == 3
    assert plan.decoding == hub.Decoding(9, stop=("Q:", "."), chat_template=False)
    fewer = make_plan(f"lm-eval/{folder / 'written'}.yaml", options={"num_fewshot": 0})
    assert fewer.rows[0]["prompt"] == "Sums.\nQ: 1 + 1\nA:"
    more = make_plan(
        f"lm-eval/{folder / 'written'}.yaml", options={"num_fewshot": 1, "chat": True, "system": "Be brief."}
    )
    roles = [message["role"] for message in more.rows[0]["prompt"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert more.rows[0]["prompt"][-1]["content"] == "Q: 1 + 1\nA:"


def test_a_document_whose_results_fail_is_counted_and_no_other_is_lost(folder: Path, tmp_path: Path) -> None:
    plan = make_plan(f"lm-eval/{folder / 'own_results'}.yaml")

    class Raises(Told):
        def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
            for index, text in enumerate(["four", "raise", "eighteen", "7"]):
                yield hub.Completion(index, text)

    result = evaluate(plan, Raises(plan), tmp_path / "run")
    assert result["scores"]["metrics"] == {"length,none": 8.0}
    assert result["scores"]["total"]["failed_by_reason"] == {"exception": 1}
    assert result["scores"]["total"]["n"] == 3


def test_what_was_written_is_graded_again_without_the_tasks_data(folder: Path) -> None:
    reward = TaskReward(str(folder / "written.yaml"), metric="near,last")
    score = reward(hub.Sample("", "It is 6", {"doc": DOCS[1]}))
    assert (score.value, score.info["answer"]) == (1.0, "6")
    assert score.info["metrics"]["exact_match,first"] == 0.0
    assert TaskReward(str(folder / "written.yaml"), metric="f1,none")(
        hub.Sample("", "5", {"doc": DOCS[1]})
    ).fault


def test_built_in_tasks_are_found_without_parsing_all() -> None:
    for name, file in {
        "gsm8k": "gsm8k/gsm8k.yaml",
        "hellaswag": "hellaswag/hellaswag.yaml",
        "mmlu_anatomy": "mmlu/default/mmlu_anatomy.yaml",
        "squadv2": "squadv2/squadv2.yaml",
    }.items():
        assert str(find_task(name)).endswith(f"lm_eval/tasks/{file}")
    listed = list(names())
    assert len(listed) > 10_000
    assert listed == sorted(set(listed))
    assert {"gsm8k", "arc_easy", "wikitext"} <= set(listed)
    benchmark = find_benchmark("lm-eval/gsm8k")
    assert (benchmark.name, benchmark.origin.plugin) == ("lm-eval/gsm8k", "lm-eval")
    assert benchmark.decoding.stop == ("Question:", "</s>", "<|im_end|>")
    assert (benchmark.decoding.max_new_tokens, benchmark.decoding.chat_template) == (256, False)


BAD: list[tuple[str, str, type[Exception], str]] = [
    ("an unknown task", "lm-eval/gsm8kk", UnknownName, "did you mean 'gsm8k"),
    ("a group", "lm-eval/mmlu", ConfigError, "is a group of tasks"),
    ("no such file", "lm-eval/nowhere/x.yaml", ConfigError, "there is no file"),
    ("code without walls", "lm-eval/humaneval", ConfigError, "without walls"),
    ("no name", "lm-eval", UnknownName, "a family: lm-eval/NAME"),
]


@pytest.mark.parametrize(("use", "error", "words"), [c[1:] for c in BAD], ids=[c[0] for c in BAD])
def test_bad_names(use: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        find_benchmark(use)


CHANGED: list[tuple[str, str, str, dict[str, Any], type[Exception], str]] = [
    ("not YAML", "written", "task: [", {}, ConfigError, "cannot be read"),
    ("a list", "written", "- a\n", {}, ConfigError, "cannot be read"),
    ("no task", "written", "group: all\ntask: [a, b]\n", {}, ConfigError, "is no task"),
    ("beams", "several", "generation_kwargs: {num_beams: 4}\n", {}, ConfigError, "num_beams"),
    ("top_k", "several", "generation_kwargs: {do_sample: true, top_k: 4}\n", {}, ConfigError, "top_k"),
    ("repeats", "several", "repeats: 4\n", {}, ConfigError, "4 completions of each prompt"),
    (
        "an unknown metric",
        "several",
        "metric_list: [{metric: exact_matsch, aggregation: mean, higher_is_better: true}]\n",
        {},
        ConfigError,
        "does not know its metric 'exact_matsch', .* did you mean 'exact_match'",
    ),
    ("images", "several", "doc_to_image: q\n", {}, ConfigError, "images or sound"),
    (
        "no data",
        "several",
        "dataset_kwargs: {data_files: {test: nowhere.jsonl}}\n",
        {},
        DataError,
        "cannot be read",
    ),
    ("negative", "several", "", {"num_fewshot": -1}, OptionError, "at least 0"),
    (
        "examples where there are none",
        "chosen",
        "num_fewshot: 0\n",
        {"num_fewshot": 2},
        OptionError,
        "says num_fewshot: 0",
    ),
    ("chat of choices", "chosen", "", {"chat": True}, OptionError, "compares likelihoods"),
    ("a prefix", "several", "gen_prefix: 'It is'\n", {"chat": True}, OptionError, "works without chat only"),
    ("an unknown option", "several", "", {"fewshot": 3}, OptionError, "did you mean 'num_fewshot'"),
]


@pytest.mark.parametrize(
    ("base", "text", "options", "error", "words"), [c[1:] for c in CHANGED], ids=[c[0] for c in CHANGED]
)
def test_bad_tasks(
    base: str,
    text: str,
    options: dict[str, Any],
    error: type[Exception],
    words: str,
    folder: Path,
    tmp_path: Path,
) -> None:
    whole = "[" in text.partition("\n")[0][-1:] or text.startswith(("- ", "group"))
    head = "" if whole else f"include: {folder / base}.yaml\ntask: changed\n"
    (tmp_path / "changed.yaml").write_text(head + text)
    with pytest.raises(error, match=words):
        make_plan(f"lm-eval/{tmp_path / 'changed.yaml'}", options=options)


@pytest.mark.parametrize(
    ("given", "decoding"),
    [
        (None, hub.Decoding(256, stop=("\n\n",), chat_template=False)),
        ({"until": "x"}, hub.Decoding(256, stop=("x",), chat_template=False)),
        ({"until": [], "max_tokens": 5}, hub.Decoding(5, chat_template=False)),
        ({"until": [], "temperature": 0.7}, hub.Decoding(256, 0.7, chat_template=False)),
        ({"until": [], "do_sample": False, "temperature": 0.7}, hub.Decoding(256, chat_template=False)),
        ({"until": [], "do_sample": True, "top_p": 0.9}, hub.Decoding(256, 1.0, 0.9, chat_template=False)),
    ],
)
def test_decoding(given: Any, decoding: hub.Decoding) -> None:
    assert read_decoding("x", given, {}) == decoding
