"""The command, as a process: starts, reads its mixes again, drains, ends; and refuses what is unsafe."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import hub
from hub.plugins import open_target
from hub.testing.imports import foreign_imports
from tests.plugins.hub_serve.conftest import MIXES, Running, running, wait_for

HUB = str(Path(sys.executable).parent / "hub")


@contextmanager
def command(
    folder: Path, *arguments: str, **environment: str
) -> Iterator[tuple[Any, str, list[dict[str, Any]]]]:
    """Run `hub serve`; gives the process, its address, and what it logged."""
    process = subprocess.Popen(
        [HUB, "serve", "--port", "0", "--workers", "1", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[dict[str, Any]] = []
    stream = process.stderr
    assert stream is not None
    reader = threading.Thread(target=lambda: lines.extend(map(json.loads, stream)))
    reader.start()
    try:
        wait_for(lambda: process.poll() is not None or any(line["event"] == "listening" for line in lines))
        yield process, next(line["address"] for line in lines if "address" in line), lines
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        stream.close()


def score(url: str, mix: str, **columns: str) -> httpx.Response:
    samples = [{"completion": "four", "columns": columns}]
    return httpx.post(f"{url}/v1/mixes/{mix}/score", json={"samples": samples}, timeout=30)


def test_it_ends_when_what_is_under_way_is_answered(tmp_path: Path) -> None:
    (tmp_path / "waits.toml").write_text(MIXES["waits"])
    answers: list[httpx.Response] = []
    with command(tmp_path, "waits.toml") as (process, url, lines):
        asking = threading.Thread(target=lambda: answers.append(score(url, "waits", folder=str(tmp_path))))
        asking.start()
        wait_for((tmp_path / "began").exists)
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: httpx.get(f"{url}/readyz").status_code == 503)
        refused = score(url, "waits", folder=str(tmp_path))
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
        assert refused.headers["Retry-After"] == "5"
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert process.poll() is None
        (tmp_path / "go").touch()
        asking.join()
        assert answers[0].json()["results"][0]["score"] == 1.0
        assert process.wait(20) == 0
    statuses = [line["status"] for line in lines if line["event"] == "request" and line["method"] == "POST"]
    assert sorted(statuses) == [200, 503]


def test_a_reward_that_interrupts_does_not_end_the_service(tmp_path: Path) -> None:
    (tmp_path / "interrupts.toml").write_text(MIXES["interrupts"])
    with command(tmp_path, "interrupts.toml") as (process, url, _):
        for headers in ({}, {"Idempotency-Key": "k"}):
            value = {"samples": [{"completion": "stop"}]}
            response = httpx.post(f"{url}/v1/mixes/interrupts/score", json=value, headers=headers)
            error, named = response.json()["error"], response.json()["request_id"]
            assert (response.status_code, error["message"]) == (500, "a reward raised KeyboardInterrupt")
            assert response.headers["X-Request-Id"] == named
        assert score(url, "interrupts").json()["results"][0]["score"] == 1.0
        assert process.poll() is None


def test_it_does_not_wait_for_ever(tmp_path: Path) -> None:
    (tmp_path / "waits.toml").write_text(MIXES["waits"])
    with command(tmp_path, "waits.toml", "--drain-s", "0.1") as (process, url, _):
        errors: list[Exception] = []

        def ask() -> None:
            try:
                score(url, "waits", folder=str(tmp_path)).raise_for_status()
            except httpx.HTTPError as error:
                errors.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        wait_for((tmp_path / "began").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        asking.join()
        assert len(errors) == 1


def test_a_mix_is_read_again_and_a_wrong_one_is_not_taken(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(MIXES["length"])
    with command(tmp_path, "one.toml", "second=two.toml") as (process, url, lines):
        assert score(url, "one").json()["results"][0]["score"] == 4 / 3
        before = {mix["name"]: mix["sha256"] for mix in httpx.get(f"{url}/v1/mixes").json()["mixes"]}
        (tmp_path / "one.toml").write_text(MIXES["length"] + "weight = 3.0\n")
        (tmp_path / "two.toml").write_text(MIXES["length"] + "wieght = 3.0\n")
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: sum("read again" in line["event"] for line in lines) == 2)
        assert score(url, "one").json()["results"][0]["score"] == 4.0
        assert score(url, "second").json()["results"][0]["score"] == 4 / 3
        after = {mix["name"]: mix["sha256"] for mix in httpx.get(f"{url}/v1/mixes").json()["mixes"]}
        assert after["one"] != before["one"]
        assert after["second"] == before["second"]
        (refused,) = [line for line in lines if line["level"] == "error"]
        assert (refused["mix"], "two.toml:3: reward[0].wieght" in refused["detail"]) == ("second", True)
        metrics = httpx.get(f"{url}/metrics").text
        assert 'hub_serve_reloads_total{mix="one",result="done"} 1.0' in metrics
        assert 'hub_serve_reloads_total{mix="second",result="refused"} 1.0' in metrics


def test_a_token_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "length.toml").write_text(MIXES["length"])
    with command(tmp_path, "length.toml", HUB_TOKEN="s3cret") as (_, url, _lines):
        assert httpx.get(f"{url}/v1/mixes").status_code == 401
        assert httpx.get(f"{url}/v1/mixes", auth=("any", "s3cret")).status_code == 200


REFUSED: dict[str, tuple[list[str], str]] = {
    "other machines without a token": (["length.toml", "--host", "0.0.0.0"], "set a token"),
    "any web page": (["length.toml", "--allow-origin", "*"], "give one origin"),
    "a page in place of its origin": (["length.toml", "--allow-origin", "https://a.b/c"], "give one origin"),
    "an origin without a protocol": (["length.toml", "--allow-origin", "a.b"], "give one origin"),
    "an empty token": (["length.toml", "--token-file", "empty"], "holds no token"),
    "no token file": (["length.toml", "--token-file", "none"], "cannot be read"),
    "no mix": ([], "Missing argument"),
    "a missing file": (["none.toml"], "none.toml: cannot be read"),
    "a name twice": (["length.toml", "length=other.toml"], "two mixes are called 'length'"),
    "a name that is none": (["a b=length.toml"], "is no name for a mix"),
    "a batch that can never wait": (
        ["length.toml", "--max-batch", "9", "--max-waiting", "8"],
        "is more than",
    ),
    "an engine that is none": (["length.toml", "--engine", "nowhere"], "unknown engine 'nowhere'"),
    "a factory that is none": (
        ["length.toml", "--engine", "os:nothing"],
        "--engine os:nothing: AttributeError",
    ),
    "an option without an engine": (["length.toml", "--engine-option", "a=1"], "goes with --engine"),
    "a port that is not ours": (["length.toml", "--host", "192.0.2.1", "--no-token"], "cannot listen there"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_served_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    from hub.cli.main import main

    (tmp_path / "length.toml").write_text(MIXES["length"])
    (tmp_path / "empty").write_text("\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUB_TOKEN", raising=False)
    arguments, message = REFUSED[name]
    with pytest.raises(SystemExit) as end:
        main(["serve", "--port", "0", *arguments])
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_an_engine_of_the_operators(serve_engine: hub.Engine) -> None:
    from hub_serve.engines import open_engine

    engine = open_engine("hub.engine.engine:Engine", {"workers": 1}, None)
    assert isinstance(engine, hub.Engine)
    engine.close()


def test_an_engine_that_is_closed_is_not_there(files: dict[str, Path]) -> None:
    from hub_serve.mixes import Mixes

    with hub.Engine(1) as engine, running(Mixes({"plain": files["plain"]}, engine)) as service:
        assert_ready(service, 200)
        engine.close()
        assert_ready(service, 503)
        code, _ = service.error("/v1/mixes/plain/score", 503, json={"samples": [{"completion": "a"}]})
        assert code == "engine"


def assert_ready(service: Running, status: int) -> None:
    assert service.http.get("/readyz").status_code == status


def test_it_is_offered_and_costs_nothing_to_list() -> None:
    offer = hub.load().commands["serve"]
    assert open_target(offer.target, offer.origin).name == "serve"
    assert foreign_imports("hub_serve.plugin") == []
