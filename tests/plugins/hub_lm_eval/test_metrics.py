"""Rewards as metrics in anybody's task of lm-eval."""

import json
from math import isnan, nan
from pathlib import Path
from typing import Any

import pytest

from hub.errors import ConfigError, OptionError
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
    with pytest.raises(OptionError, match="has no option"):
        metrics.numeric(references=["3"], predictions=["3"], tolerancy=1)
    with pytest.raises(ConfigError, match="scores text, not list"):
        metrics.math(references=["3"], predictions=[["3"]])
    assert not hasattr(metrics, "__wrapped__")


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
