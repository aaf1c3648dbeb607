"""Results that lm-eval's own code has written become runs, with its numbers; and every mistake is said."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager

from hub.errors import ConfigError, DataError
from hub.evaluation.compare import compare
from hub.evaluation.stored import StoredRun, find_runs, read_run
from hub_leaderboard.qualify import setting_of
from hub_results.command import command
from hub_results.every_eval_ever import aggregate
from hub_results.import_lm_eval import Imported, _aggregates, import_file
from hub_results.listing import rows
from hub_results.lm_eval_files import find_results
from hub_results.tables import as_csv

SUMS = """
task: sums
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}} ="
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["\\n"], do_sample: false, max_gen_toks: 12}}
filter_list:
  - name: strict
    filter: [{{function: take_first}}]
  - name: flexible
    filter: [{{function: regex, regex_pattern: "(\\\\d+)"}}, {{function: take_first}}]
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
metadata: {{version: 2.0}}
"""
CHOICES = """
task: choices
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}} ="
doc_to_choice: ["1", "two", "3"]
doc_to_target: "{{{{gold}}}}"
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
  - {{metric: acc_norm, aggregation: mean, higher_is_better: true}}
metadata: {{version: 1.0}}
"""
PERPLEXITY = """
task: perplexity
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{question}}}}"
metric_list: [{{metric: word_perplexity, aggregation: weighted_perplexity, higher_is_better: false}}]
metadata: {{version: 1.0}}
"""


class Told(LM):  # type: ignore[misc]
    """A model that answers as it is told."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        super().__init__()
        self.answer = answer

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        return [self.answer(request.args[0]) for request in requests]

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        return [(-float(len(request.args[1])), request.args[1] == " 1") for request in requests]

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[float]:
        return [-10.0 for _ in requests]


def write(
    folder: Path,
    answer: Callable[[str], str],
    name: str,
    sums: str = SUMS,
    path: str = "data.jsonl",
    **more: Any,
) -> Path:
    """What `lm_eval run --output_path FOLDER --log_samples` does, without its command line."""
    data = folder / path
    folder.mkdir(exist_ok=True)
    lines = [{"question": f"{n}+{n}", "answer": str(2 * n), "gold": n % 3} for n in range(8)]
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    tasks = []
    for task, text in (("sums", sums), ("choices", CHOICES), ("perplexity", PERPLEXITY)):
        (folder / f"{task}.yaml").write_text(text.format(data=data))
        tasks.append(str(folder / f"{task}.yaml"))
    tracker = EvaluationTracker(output_path=str(folder / "out"))
    results = simple_evaluate(
        Told(answer),
        model_args=f"pretrained={name}",
        tasks=tasks,
        task_manager=TaskManager(include_defaults=False),
        evaluation_tracker=tracker,
        log_samples=True,
        bootstrap_iters=0,
        **more,
    )
    samples = results.pop("samples")
    tracker.general_config_tracker.model_name = name
    tracker.general_config_tracker.model_name_sanitized = name.replace("/", "__")
    tracker.save_results_aggregated(results=results, samples=samples)
    for task in results["configs"]:
        tracker.save_results_samples(task_name=task, samples=samples[task])
    (file,) = (folder / "out").rglob("results_*.json")
    return Path(file)


def double(prompt: str) -> str:
    number = int(prompt.split("+")[0])
    return str(2 * number) if number % 2 else f"It is {2 * number}."


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Right and bare for odd numbers, right with words around it for even ones."""
    return write(tmp_path_factory.mktemp("lm-eval"), double, "org/double")


@pytest.fixture(scope="module")
def runs(written: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, StoredRun]:
    out = tmp_path_factory.mktemp("runs")
    for one in import_file(written, out):
        assert isinstance(one, Imported | DataError)
    found, problems = find_runs(out)
    assert problems == []
    return {run.benchmark: run for run in found}


def test_the_numbers_are_lm_evals(written: Path, runs: dict[str, StoredRun]) -> None:
    said = json.loads(written.read_text())["results"]
    assert sorted(runs) == ["lm-eval/choices", "lm-eval/sums"]
    for task, names in (
        ("sums", ("exact_match,strict", "exact_match,flexible")),
        ("choices", ("acc,none", "acc_norm,none")),
    ):
        run = runs[f"lm-eval/{task}"]
        assert run.metrics == ("score", *names)
        for name in names:
            assert run.result["scores"]["rewards"][name]["mean"] == said[task][name]
        assert run.result["scores"]["total"]["mean"] == said[task][names[0]]
        assert run.result["scores"]["metrics"] == {}
    assert said["sums"]["exact_match,strict"] == 0.5
    assert said["sums"]["exact_match,flexible"] == 1.0


def test_a_sample_says_what_was_asked_and_answered(runs: dict[str, StoredRun]) -> None:
    line = runs["lm-eval/sums"].samples[3, 0]
    assert (line["id"], line["prompt"], line["completion"], line["target"]) == (3, "3+3 =", "6", "6")
    assert line["doc"] == {"question": "3+3", "answer": "6", "gold": 0}
    line = runs["lm-eval/sums"].samples[2, 0]
    assert line["completion"] == "It is 4."
    assert line["result"]["scores"]["exact_match,flexible"]["info"] == {"answer": "4"}
    line = runs["lm-eval/choices"].samples[0, 0]
    assert (line["prompt"], line["completion"]) == ("0+0 =", " 1")
    assert line["continuations"] == [" 1", " two", " 3"]
    assert line["likelihoods"] == [[-2.0, True], [-4.0, False], [-2.0, False]]


def test_a_run_is_marked_as_imported(runs: dict[str, StoredRun]) -> None:
    run = runs["lm-eval/sums"]
    assert run.imported.startswith("lm-eval 0.4.")
    assert run.result["flags"] == [f"imported from {run.imported}: not made or graded by the hub"]
    assert run.model == "org/double"
    decoding = {key: run.recipe["decoding"][key] for key in ("max_new_tokens", "temperature", "stop")}
    assert decoding == {"max_new_tokens": 12, "temperature": 0.0, "stop": ["\n"]}
    assert aggregate(run, "x", "y", retrieved=0.0, organization="z")["eval_library"]["name"] == "lm-eval"
    assert "lm-eval/sums" in as_csv(list(rows(run)))


def test_imported_runs_are_compared_with_each_other_and_never_with_the_hubs(
    runs: dict[str, StoredRun], tmp_path: Path
) -> None:
    file = write(tmp_path / "other", lambda prompt: "4", "org/four")
    list(import_file(file, tmp_path / "runs"))
    (other,) = (run for run in find_runs(tmp_path / "runs")[0] if run.benchmark == "lm-eval/sums")
    ours = runs["lm-eval/sums"]
    assert compare(ours, other).prompts == 8
    own = json.loads((other.path / "recipe.json").read_text())
    own["recipe"]["mix"]["rewards"][0]["code"] = "hub_lm_eval.grade:Grade@posttrain-hub 0.1.0"
    (other.path / "recipe.json").write_text(json.dumps(own))
    with pytest.raises(ConfigError, match=r"cannot be compared: they differ in mix.rewards"):
        compare(ours, read_run(other.path))


ASKED = [
    ("other data folder", SUMS, {"path": "moved.jsonl"}, True),
    ("other prompt", SUMS.replace("}}}} =", "}}}} is"), {}, False),
    ("other examples", SUMS + "fewshot_split: test\nfewshot_config: {{sampler: first_n}}\n", {}, False),
    ("other filter", SUMS.replace("(\\\\d+)", "(\\\\d)"), {}, False),
]


@pytest.mark.parametrize(("sums", "more", "same"), [one[1:] for one in ASKED], ids=[one[0] for one in ASKED])
def test_a_task_of_one_name_that_asks_or_grades_otherwise_is_another_recipe(
    sums: str, more: dict[str, Any], same: bool, runs: dict[str, StoredRun], tmp_path: Path
) -> None:
    list(
        import_file(
            write(tmp_path / "other", lambda prompt: "4", "org/four", sums, **more), tmp_path / "runs"
        )
    )
    (other,) = (run for run in find_runs(tmp_path / "runs")[0] if run.benchmark == "lm-eval/sums")
    ours = runs["lm-eval/sums"]
    assert (setting_of(other) == setting_of(ours)) is same
    if not same:
        with pytest.raises(ConfigError, match=r"they differ in benchmark.options.configuration"):
            compare(ours, other)


def test_no_examples_is_a_number_of_examples(runs: dict[str, StoredRun]) -> None:
    assert runs["lm-eval/sums"].recipe["benchmark"]["options"]["num_fewshot"] == 0


def test_a_limited_run_says_so(tmp_path: Path) -> None:
    file = write(tmp_path / "few", double, "/home/me/models/tiny", limit=3)
    found = [one for one in import_file(file, tmp_path / "runs") if isinstance(one, Imported)]
    run = read_run(found[0].folder)
    assert run.result["flags"][1] == "only the first 3 of 8 rows"
    assert (len(run.samples), run.result["benchmark"]["total_rows"]) == (3, 8)
    assert found[0].folder.parent.name == "tiny"
    assert run.model == "/home/me/models/tiny"
    assert "/home/me" not in (run.path / "recipe.json").read_text()


def test_a_second_import_changes_nothing_and_a_torn_one_is_made_whole(written: Path, tmp_path: Path) -> None:
    first = [one for one in import_file(written, tmp_path) if isinstance(one, Imported)]
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    again = [one for one in import_file(written, tmp_path) if isinstance(one, Imported)]
    assert [one.is_new for one in (*first, *again)] == [True, True, False, False]
    torn = first[0].folder
    (torn / "result.json").unlink()
    (torn / "samples.jsonl").write_bytes((torn / "samples.jsonl").read_bytes()[:700])
    assert next(iter(import_file(written, tmp_path))) == Imported(first[0].task, torn, is_new=True)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def changed(results: Any, **more: Any) -> str:
    return json.dumps({**results, **more})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda r: changed(r, lm_eval_version="0.5.0"),
            "written by lm-eval 0.5.0; what is known is 0.4.9 to 0.4.13",
        ),
        (lambda r: changed(r, lm_eval_version="0.4.8"), "written by lm-eval 0.4.8"),
        (lambda r: changed(r, lm_eval_version=None), "of an unknown version"),
        (lambda r: "{", "cannot be read"),
        (lambda r: "[]", "is no file of results of lm-eval"),
        (lambda r: json.dumps({"results": {}}), "is no file of results of lm-eval"),
    ],
    ids=["newer", "older", "unknown", "torn", "list", "other"],
)
def test_a_file_that_is_not_known_is_refused(
    written: Path, tmp_path: Path, change: Callable[[Any], str], message: str
) -> None:
    (tmp_path / written.name).write_text(change(json.loads(written.read_text())))
    with pytest.raises(DataError, match=message):
        list(import_file(tmp_path / written.name, tmp_path / "runs"))


def test_what_is_wrong_with_one_task_costs_no_other(written: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lm"
    shutil.copytree(written.parent, folder)
    (sums,) = folder.glob("samples_sums_*.jsonl")
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(lines).replace('"exact_match": 1.0', '"exact_match": 0.0', 1))
    told = CliRunner().invoke(
        command, ["import", "lm-eval", str(folder), "--out", str(tmp_path / "runs"), "--json"]
    )
    about = json.loads(told.stdout)
    assert [run["task"] for run in about["runs"]] == ["choices"]
    assert "says exact_match,strict 0.5, but its samples make 0.375" in about["problems"][1]
    assert "no metric has a number for each document" in about["problems"][0]
    sums.write_text("".join(lines)[:-9])
    *_, problem = import_file(folder / written.name, tmp_path / "runs")
    assert "samples_sums" in str(problem)
    assert ":16: is no sample of lm-eval" in str(problem)
    sums.write_text("".join(line for line in lines if '"doc_id": 7' not in line))
    *_, problem = import_file(folder / written.name, tmp_path / "runs")
    assert "its samples are 7 of 8 documents" in str(problem)
    sums.write_text("".join([*lines, lines[2]]))
    *_, problem = import_file(folder / written.name, tmp_path / "runs")
    assert "samples_sums" in str(problem)
    assert ":17: is of the same document as line 3" in str(problem)
    sums.unlink()
    *_, problem = import_file(folder / written.name, tmp_path / "runs")
    assert "run lm_eval with --log_samples" in str(problem)


def test_a_document_without_a_number_is_a_failure_and_no_zero(written: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lm"
    shutil.copytree(written.parent, folder)
    (sums,) = folder.glob("samples_sums_*.jsonl")
    sums.write_text(sums.read_text().replace('"exact_match": 1.0', '"exact_match": NaN', 1))
    *_, found = import_file(folder / written.name, tmp_path / "runs")
    assert isinstance(found, Imported)
    total = read_run(found.folder).result["scores"]["total"]
    assert (total["failed"], total["n"], total["mean"]) == (1, 7, 3 / 7)


def test_a_folder_without_results_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no results of lm-eval"):
        find_results(tmp_path)


def test_what_lm_eval_aggregates_without_a_number_for_each_document_is_kept() -> None:
    said = {
        "alias": "x", "acc,none": 0.5, "acc_stderr,none": 0.1, "sample_len": 8, "bleu,none": 12, "bleu_stderr,none": 1.5,
        "ter,none": float("nan"), "f1,none": 0.25, "f1_stderr,none": "N/A",
    }  # fmt: skip
    assert _aggregates(said, ["acc,none"]) == {
        "metrics": {"bleu,none": 12.0, "f1,none": 0.25},
        "metric_estimates": {"bleu,none": {"standard_error": 1.5}},
    }
