"""Rewards as metrics in anybody's task of lm-eval."""

import json
from math import isnan, nan
from pathlib import Path
from typing import Any

import pytest

from hub_lm_eval import metrics
from hub_lm_eval.aggregate import mean
from tests.plugins.hub_lm_eval.parity import Recorded, run

DOCS = [{"q": f"{n}+{n}", "a": str(2 * n), "both": [str(2 * n), "x"]} for n in range(4)]
TASK = """
task: anybodys
dataset_path: json
dataset_kwargs: {data_files: {test: DOCS}}
test_split: test
output_type: generate_until
doc_to_text: "{{q}}"
doc_to_target: TARGET
generation_kwargs: {until: []}
metric_list:
  - metric: !function hub_lm_eval.metrics.math
    aggregation: !function hub_lm_eval.aggregate.mean
    higher_is_better: true
  - metric: !function hub_lm_eval.metrics.think_format
    aggregation: !function hub_lm_eval.aggregate.mean
    higher_is_better: true
  - metric: !function hub_lm_eval.metrics.numeric
    aggregation: !function hub_lm_eval.aggregate.mean
    higher_is_better: true
    relative: 0.6
"""


@pytest.mark.parametrize(("target", "expected"), [('"{{a}}"', 0.5), ("both", 0.5)])
def test_a_task_of_somebody_elses(target: str, expected: float, tmp_path: Path) -> None:
    (tmp_path / "docs.jsonl").write_text("".join(json.dumps(doc) + "\n" for doc in DOCS))
    text = TASK.replace("DOCS", str(tmp_path / "docs.jsonl")).replace("TARGET", target)
    (tmp_path / "anybodys.yaml").write_text(text)
    answers = ["\\boxed{0}", "<think>a</think>\\boxed{2.0}", "\\boxed{5}", "no"]
    found = run(Recorded(lambda doc, number: answers[number]), [str(tmp_path / "anybodys.yaml")])
    result = found["results"]["anybodys"]
    assert result["math,none"] == expected
    assert result["think_format,none"] == 0.25
    assert result["numeric,none"] == 0.75
    if target != "both":
        assert result["math_failed,none"] == 0.0


def test_a_failure_is_nan_and_counted() -> None:
    found = metrics.math(references=["\\frac{"], predictions=["1"])
    assert isnan(found["math"])
    assert found["math_failed"] == 1.0
    assert not found["math"]  # lm-eval's `any` over several references
    assert metrics.math(references=["1"], predictions=["1"]) == {"math": 1.0, "math_failed": 0.0}
    assert mean([1.0, found["math"], 0.0]) == 0.5


def test_names_options_and_columns() -> None:
    assert metrics.math is metrics.math
    assert metrics.math.__name__ == "math"
    assert (
        getattr(metrics, "think-format")(references=[""], predictions=["<think>a</think>b"])["think-format"]
        == 1.0
    )
    text = "The cat sat."
    assert metrics.regex(references=[""], predictions=[text], pattern="cat")["regex"] == 1.0
    assert metrics.numeric(references=["3"], predictions=["3.4"], absolute=0.5)["numeric"] == 1.0
    with pytest.raises(AttributeError, match="did you mean 'math'"):
        _ = metrics.maths
    assert not hasattr(metrics, "__wrapped__")


MISTAKES = [
    ("an unknown option", "metrics.math\n    max: 3\n", "math", "no option 'max'"),
    ("a column too few", "metrics.ifeval\n", "ifeval", "needs the columns instruction_id_list, kwargs"),
]


@pytest.mark.parametrize(
    ("entry", "name", "words"), [one[1:] for one in MISTAKES], ids=[one[0] for one in MISTAKES]
)
def test_a_mistake_loses_no_completion(
    entry: str, name: str, words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """lm-eval calls metrics when all is generated, and keeps nothing of a run that one of them ends."""
    (tmp_path / "docs.jsonl").write_text("".join(json.dumps(doc) + "\n" for doc in DOCS))
    text = TASK.replace("DOCS", str(tmp_path / "docs.jsonl")).replace("TARGET", '"{{a}}"')
    (tmp_path / "anybodys.yaml").write_text(text.replace("metrics.math\n", entry))
    found = run(Recorded(lambda doc, number: "\\boxed{0}"), [str(tmp_path / "anybodys.yaml")])
    result = found["results"]["anybodys"]
    assert isnan(result[f"{name},none"])
    assert (result[f"{name}_failed,none"], result["numeric,none"]) == (1.0, 0.25)
    assert [sample["resps"] for sample in found["samples"]["anybodys"]] == [[["\\boxed{0}"]]] * 4
    assert words in mistake_told(caplog)


@pytest.mark.parametrize("given", [{"text": "1"}, [["1"]], []])
def test_what_is_no_text_is_told_once_and_fails(given: Any, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        found = metrics.numeric(references=["1"], predictions=[given])
        assert isnan(found["numeric"])
        assert found["numeric_failed"] == 1.0
    assert "scores text, not" in mistake_told(caplog)


def mistake_told(caplog: pytest.LogCaptureFixture) -> str:
    (told,) = (record.getMessage() for record in caplog.records if record.name == "hub_lm_eval.metrics")
    return told


def test_several_completions_of_a_document_are_their_mean() -> None:
    found = metrics.math(references=["2"], predictions=[["\\boxed{2}", "3", "2", "x"]])
    assert found == {"math": 0.5, "math_failed": 0.0}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([1.0, 0.0], 0.5),
        ([1, nan], 1.0),
        ([[1.0, nan], [0.0, 0.0]], 1 / 3),
        ([nan], None),
        ([], None),
        ([[]], None),
    ],
)
def test_means_leave_out_what_is_missing(items: Any, expected: float | None) -> None:
    found = mean(items)
    assert isnan(found) if expected is None else found == expected
