"""What rows come from is told, and is part of a result."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.generator import Completion
from hub.sources import collect_sources, tell_file, tell_source


def test_what_is_told_is_told_once_and_to_the_innermost() -> None:
    tell_source(file="nobody listens")
    with collect_sources() as outer:
        tell_source(file="a", sha256="")
        with collect_sources() as inner:
            tell_source(file="b")
            tell_source(file="b")
        tell_source(file="a")
    assert (outer, inner) == ([{"file": "a"}], [{"file": "b"}])


def test_a_file_that_is_not_there_is_for_its_reader(tmp_path: Path) -> None:
    with collect_sources() as sources:
        tell_file(tmp_path / "none.jsonl")
    assert sources == []


class Says:
    """A generator that says nothing."""

    def generate(self, prompts: Any, decoding: Any) -> Iterator[Completion]:
        for index, _ in enumerate(prompts):
            yield Completion(index, "")

    def describe(self) -> dict[str, Any]:
        return {"generator": "says"}

    def close(self) -> None:
        pass


def test_a_result_names_its_sources(tmp_path: Path) -> None:
    file = tmp_path / "test.jsonl"
    file.write_text(json.dumps({"question": "2 + 2?", "answer": "#### 4"}))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    result = evaluate(make_plan("gsm8k", options={"path": str(file)}), Says(), tmp_path / "run")
    assert result["benchmark"]["sources"] == [{"file": str(file), "sha256": digest}]
