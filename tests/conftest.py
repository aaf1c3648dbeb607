"""Fixtures that every test can use."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import hub

# A shell that starts the tests in the background has them ignore Ctrl-C, and what they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def engine() -> Iterator[hub.Engine]:
    """An engine with two workers, closed at the end."""
    with hub.Engine(2) as engine:
        yield engine


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with benchmark, math and sandbox data; its benchmarks/ is what HUB_DATA names."""
    places = [Path(__file__).resolve().parents[2] / "shared" / "data"]
    if "HUB_DATA" in os.environ:
        places.insert(0, Path(os.environ["HUB_DATA"]).resolve().parent)
    for place in places:
        if (place / "benchmarks").is_dir():
            return place
    pytest.skip("needs the shared data folder: set HUB_DATA to its benchmarks/")
