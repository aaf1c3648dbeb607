"""Where a benchmark's data is found."""

from types import SimpleNamespace
from typing import Any

import pytest

from hub_benchmarks.find_data import revision_of

COMMIT = "e53f048856ff4f594e959d75785d2c2d37b678ee"


@pytest.mark.parametrize(
    ("checksums", "revision"),
    [
        ({f"hf://datasets/openai/gsm8k@{COMMIT}/main/test.parquet": {}}, COMMIT),
        ({"/home/me/test.parquet": {}}, ""),
        (None, ""),
    ],
)
def test_the_revision_of_a_dataset(checksums: Any, revision: str) -> None:
    assert revision_of(SimpleNamespace(info=SimpleNamespace(download_checksums=checksums))) == revision
    assert revision_of([]) == ""
