"""Modules that several threads ask for at once: each gets them whole."""

import threading
from pathlib import Path

import pytest

from hub.origin import Origin
from hub.target import Target, load_file

SLOW = "import time\n\nfirst = 1\ntime.sleep(0.2)\n\ndef late():\n    return 1\n"


@pytest.mark.parametrize("kind", ["a file", "a module"])
def test_nobody_sees_half_a_module(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / f"slow_{kind[2:]}.py"
    file.write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    found: list[object] = []

    def load() -> None:
        late = (
            load_file(str(file)).late if kind == "a file" else Target.of(f"{file.stem}:late", Origin()).load()
        )
        found.append(late())

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8
