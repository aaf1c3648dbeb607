"""A request that is sent again is answered once."""

import threading
from pathlib import Path
from typing import Any

from hub_serve import once
from tests.plugins.hub_serve.conftest import Running, wait_for


def body(folder: Path, text: str = "x") -> dict[str, Any]:
    return {"samples": [{"completion": text, "columns": {"folder": str(folder)}}]}


def test_a_repetition_gets_the_same_answer_without_scoring(service: Running, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    for _ in range(3):
        answer = service.post("/v1/mixes/waits/score", body(tmp_path), headers={"Idempotency-Key": "again"})
        assert answer["results"][0]["score"] == 1.0
    assert (tmp_path / "began").read_text() == "x"
    service.post("/v1/mixes/waits/score", body(tmp_path), headers={"Idempotency-Key": "another"})
    assert (tmp_path / "began").read_text() == "xx"
    service.post("/v1/mixes/waits/score", body(tmp_path))
    assert (tmp_path / "began").read_text() == "xxx"


def test_a_repetition_joins_what_is_under_way(service: Running, tmp_path: Path) -> None:
    answers: list[Any] = []

    def ask() -> None:
        headers = {"Idempotency-Key": "join"}
        answers.append(service.post("/v1/mixes/waits/score", body(tmp_path), headers=headers))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: service.service.under_way == 4)
    (tmp_path / "go").touch()
    for thread in threads:
        thread.join()
    assert [answer["results"][0]["score"] for answer in answers] == [1.0] * 4
    assert (tmp_path / "began").read_text() == "x"


def test_a_key_stands_for_one_body(service: Running, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    headers = {"Idempotency-Key": "one body"}
    service.post("/v1/mixes/waits/score", body(tmp_path), headers=headers)
    code, _ = service.error("/v1/mixes/waits/score", 422, json=body(tmp_path, "y"), headers=headers)
    assert code == "key_reused"
    assert service.post("/v1/mixes/length/score", body(tmp_path, "y"), headers=headers)  # of another path


def test_errors_are_not_remembered(service: Running) -> None:
    headers = {"Idempotency-Key": "an error"}
    for text in ("{", "["):
        assert service.error("/v1/mixes/length/score", 400, content=text, headers=headers)[0] == "not_json"


def test_a_key_has_a_length(service: Running) -> None:
    headers = {"Idempotency-Key": "x" * 201}
    assert service.error("/v1/mixes/length/score", 400, content=b"{}", headers=headers)[0] == "bad_key"


def test_what_is_remembered_is_bounded(service: Running, monkeypatch: Any) -> None:
    remembered = service.service._remembered
    monkeypatch.setattr(once, "KEPT_ANSWERS", 5)
    for number in range(20):
        value = {"samples": [{"completion": str(number)}]}
        service.post("/v1/mixes/length/score", value, headers={"Idempotency-Key": f"bound {number}"})
    assert len(remembered._done) <= 6
    monkeypatch.setattr(once, "KEPT_BYTES", 0)
    service.post("/v1/mixes/length/score", {"samples": []}, headers={"Idempotency-Key": "last"})
    assert len(remembered._done) == 1
    assert remembered._size == len(b'{"results": []}')
    monkeypatch.setattr(once, "KEPT_S", 0.0)
    service.post("/v1/mixes/length/score", {"samples": []}, headers={"Idempotency-Key": "later"})
    assert [key for _, key in remembered._done] == [b"later"]
    # Others' may be under way still, whose clients are gone.
    assert not [path for path, _ in remembered._under_way if path.startswith("/v1/mixes/length")]
