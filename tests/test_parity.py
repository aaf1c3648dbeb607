"""One number everywhere: the same rows and completions through every way that a mix is used.

Bit-identical values, and the same ones left out: in Python, by `hub score`, `hub eval`, the service (its own
protocol, OpenRLHF's, slime's and Miles'), Ray actors, lm-eval's `simple_evaluate`, Inspect's `eval`, and each
trainer:

| trainer | what runs here |
|---|---|
| verl | its own reward manager loader, with the exported manager, and its `naive` one with `compute_score` |
| OpenRLHF | its own single-turn executor, and that with `reward_func` |
| Miles | its own `async_rm` and `batched_async_rm`, with the stop token that it keeps; slime is given the same file |
| SkyRL | its own gym |
| Tinker's cookbook | its own group rollout |
| verifiers | its own scoring of a task; what it imports to run agents is stood in for |
| AReaL | its own workflows, taken from its source without what that imports; float32 there |
| TRL | the functions, called as it does; tests/plugins/hub_trl/test_trainers.py runs its trainers |
| NeMo RL | the environment alone, as float32; tests/plugins/hub_nemo_rl runs its code, from a checkout |
| torchforge | the printed actor alone; tests/plugins/hub_torchforge runs its own actor, from a checkout |
"""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest

import hub
import hub_trl
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.target import load_file
from hub.training.export import export
from hub_serve.client import Client

FILES = Path(__file__).with_name("parity")
Values = dict[str, list[str | None]]
"""By reward, and "total": the value on each row, written so that equal text is an equal bit pattern."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the mix, its rewards, and five hundred rows (see tests/parity/rows.py)."""
    folder = tmp_path_factory.mktemp("parity")
    for file in FILES.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    subprocess.run([sys.executable, "rows.py", "."], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def engine() -> Iterator[hub.Engine]:
    with hub.Engine(2) as engine:
        yield engine


@pytest.fixture(scope="module")
def mix(folder: Path) -> hub.Mix:
    return hub.Mix.load(folder / "mix.toml")


@pytest.fixture(scope="module")
def samples(rows: list[dict[str, Any]]) -> list[hub.Sample]:
    return [hub.Sample(row["prompt"], row["completion"], row) for row in rows]


@pytest.fixture(scope="module")
def results(mix: hub.Mix, samples: list[hub.Sample], engine: hub.Engine) -> list[hub.MixScore]:
    return mix.score(samples, engine=engine)


@pytest.fixture(scope="module")
def lowered(results: list[hub.MixScore], rows: list[dict[str, Any]]) -> "Lowered":
    """What trainers that know no missing value are given: the value of each row, and whether it is missing."""
    return plain(hub.lower(results, [row["prompt"] for row in rows]))


Lowered = list[tuple[str | None, bool]]


def plain(found: Sequence[hub.Lowered]) -> Lowered:
    return [(exact(one.value), one.missing) for one in found]


@pytest.fixture(scope="module")
def in_python(mix: hub.Mix, results: list[hub.MixScore]) -> Values:
    values = {name: [exact(result.scores[name].value) for result in results] for name in mix.names}
    return values | {"total": [exact(result.value) for result in results]}


def exact(value: float | None) -> str | None:
    return None if value is None else float(value).hex()


def by_name(results: Sequence[tuple[Any, Mapping[str, Any]]]) -> Values:
    """The values of results as JSON: (total, scores by reward)."""
    values = {name: [exact(scores[name]["value"]) for _, scores in results] for name in results[0][1]}
    return values | {"total": [exact(total) for total, _ in results]}


def test_the_rows_tell_the_ways_apart(in_python: Values) -> None:
    assert len(in_python["total"]) == 500
    for name, values in in_python.items():
        assert len(set(values)) > 1, f"{name} has one value only"
    missing = {name: values.count(None) for name, values in in_python.items()}
    assert missing == {
        "math": 260,
        "code": 420,
        "judge": 409,
        "think-format": 0,
        "touchy": 140,
        "patient": 0,
        "total": 101,
    }


def test_hub_score(in_python: Values, folder: Path) -> None:
    hub_command = str(Path(sys.executable).with_name("hub"))
    command = [
        hub_command,
        "score",
        "--mix",
        "mix.toml",
        "rows.jsonl",
        "-o",
        "scores.jsonl",
        "--workers",
        "2",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr  # a reward failed
    lines = [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()]
    assert by_name([(line["score"], line["scores"]) for line in lines]) == in_python


def test_the_functions_for_trl(
    in_python: Values, mix: hub.Mix, rows: list[dict[str, Any]], engine: hub.Engine
) -> None:
    columns: dict[str, list[Any]] = {
        name: [row.get(name) for row in rows] for name in ("task", "answer", "reference", "name")
    }
    arguments = {
        "prompts": [row["prompt"] for row in rows],
        "completions": [row["completion"] for row in rows],
        "completion_ids": [[1, 2]] * len(rows),
        "trainer_state": SimpleNamespace(global_step=3),
        "log_extra": lambda column, values: None,
        "log_metric": lambda name, value: None,
        **columns,
    }
    masked = [value is None for value in in_python["total"]]
    for function in hub_trl.reward_funcs(mix, engine=engine):
        given = [exact(value) for value in function(**arguments)]
        wanted = in_python[function.__name__]  # without a total, every function gives None
        assert given == [None if out else value for out, value in zip(masked, wanted, strict=True)]
    (total,) = hub_trl.reward_funcs(mix, engine=engine, combined=True)
    assert [exact(value) for value in total(**arguments)] == in_python["total"]


def test_what_trainers_without_a_missing_value_are_given(lowered: Lowered, in_python: Values) -> None:
    assert [missing for _, missing in lowered] == [total is None for total in in_python["total"]]
    assert all(value is not None for value, _ in lowered)
    given = [value for value, missing in lowered if not missing]
    assert given == [total for total in in_python["total"] if total is not None]


def test_samples_that_come_one_by_one(
    lowered: Lowered, mix: hub.Mix, samples: list[hub.Sample], engine: hub.Engine
) -> None:
    gatherer = hub.Gatherer(mix, group_size=4, engine=engine)
    waiting = [gatherer.submit(sample) for sample in samples]
    assert plain([one.result(timeout=60) for one in waiting]) == lowered
    gatherer.close()


@pytest.mark.parametrize(
    ("trainer", "options"), [("verl", {"group_size": 4}), ("openrlhf", {"group_size": 4}), ("miles", {})]
)
def test_trainers_with_their_own_code(
    lowered: Lowered, folder: Path, in_trainers: Callable[..., Any], trainer: str, options: dict[str, Any]
) -> None:
    export(trainer, folder / "mix.toml", folder / trainer, **options)
    found = in_trainers(folder / f"in_{trainer}.py", folder)
    # Each in two ways: manager and compute_score; executor and reward_func; sample by sample and in groups.
    for way in found:
        assert [(value, missing) for value, missing in way] == lowered


def test_slime_is_given_what_miles_is(folder: Path) -> None:
    given = [export(trainer, folder / "mix.toml", folder / "miles") for trainer in ("miles", "slime")]
    assert given[0] == given[1]


@pytest.fixture(scope="module")
def in_small_trainers(folder: Path, in_trainers: Callable[..., Any]) -> Any:
    options: dict[str, dict[str, Any]] = {"skyrl": {"group_size": 4}, "verifiers": {}, "torchforge": {}}
    for trainer, given in options.items():
        exported = export(trainer, folder / "mix.toml", folder / trainer, **given)
        (folder / f"{trainer}.txt").write_text(exported.instructions)
    return in_trainers(FILES / "in_small_trainers.py", folder)


@pytest.mark.parametrize("trainer", ["skyrl", "tinker", "torchforge"])
def test_other_trainers(lowered: Lowered, in_small_trainers: Any, trainer: str) -> None:
    assert [(value, missing) for value, missing in in_small_trainers[trainer]] == lowered


@pytest.mark.parametrize("trainer", ["areal", "nemo-rl", "nemo-rl, one by one"])
def test_trainers_that_keep_float32(lowered: Lowered, in_small_trainers: Any, trainer: str) -> None:
    rounded = [(exact(float(np.float32(float.fromhex(value or "")))), missing) for value, missing in lowered]
    assert [(value, missing) for value, missing in in_small_trainers[trainer]] == rounded


def test_verifiers_leaves_exactly_those_out(in_python: Values, in_small_trainers: Any) -> None:
    """The script asserts that the traces without a total are those with an error."""
    assert [value for value, _ in in_small_trainers["verifiers"]] == in_python["total"]


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[str]:
    """A reward service of the mix: a process that listens; its address."""
    hub_command = str(Path(sys.executable).with_name("hub"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [hub_command, "serve", "mix.toml", "--port", str(port), "--no-access-log"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def test_the_service(
    in_python: Values, samples: list[hub.Sample], service: str, lowered: Lowered, rows: list[dict[str, Any]]
) -> None:
    with Client(service) as client:
        results = client.score(samples)
    values = {name: [exact(result.scores[name].value) for result in results] for name in results[0].scores}
    assert values | {"total": [exact(result.value) for result in results]} == in_python
    # OpenRLHF's protocol: whole groups are asked for at once; a label holds the columns.
    labels = [json.dumps({k: v for k, v in row.items() if k not in ("prompt", "completion")}) for row in rows]
    body = {
        "query": [row["prompt"] + row["completion"] for row in rows],
        "prompts": [row["prompt"] for row in rows],
        "labels": labels,
    }
    answer = (
        httpx.post(f"{service}/get_reward?group_size=4", json=body, timeout=120).raise_for_status().json()
    )
    missing = [bool(flag) for flag in answer["extra_logs"]["hub/missing"]]
    assert [(exact(value), flag) for value, flag in zip(answer["rewards"], missing, strict=True)] == lowered
    # That of slime and Miles: one sample at a time, with the token at which the model stopped.
    url = f"{service}/remote_rm?group_size=4&missing=mean"
    with httpx.Client(timeout=120) as trainer, ThreadPoolExecutor(16) as threads:

        def ask(row: dict[str, Any], label: str) -> tuple[str | None, bool]:
            body = {"prompt": row["prompt"], "response": f"{row['completion']}<|im_end|>", "label": label}
            found = trainer.post(url, json=body).raise_for_status().json()
            return exact(found["hub/total"]), bool(found["hub/missing"])

        assert list(threads.map(ask, rows, labels)) == lowered


def test_ray(in_python: Values, mix: hub.Mix, samples: list[hub.Sample]) -> None:
    with closing(hub.open_engine("ray", actors=2, address="local")) as engine:
        results = mix.score(samples, engine=engine)
    values = {name: [exact(result.scores[name].value) for result in results] for name in mix.names}
    assert values | {"total": [exact(result.value) for result in results]} == in_python


@pytest.mark.parametrize("runner", ["lm_eval", "inspect"])
def test_benchmark_runners(
    in_python: Values, folder: Path, rows: list[dict[str, Any]], tmp_path: Path, runner: str
) -> None:
    """lm-eval's simple_evaluate and Inspect's eval, with recorded completions."""
    file = FILES.parent / "plugins" / f"hub_{runner}" / "parity.py"
    module = load_file(str(file), f"parity_{runner}")
    completions = {row["id"]: row["completion"] for row in rows}
    more = (tmp_path,) if runner == "inspect" else ()
    through = getattr(module, f"through_{runner}")
    found = through(f"{folder}/benchmark.py:benchmark", folder / "mix.toml", completions, *more)
    assert {name: [exact(value) for value in values] for name, values in found.items()} == in_python


class Recorded:
    """A generator that gives the completions of the rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.texts = {row["id"]: row["completion"] for row in rows}

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index, prompt in enumerate(prompts):
            yield hub.Completion(index, self.texts[prompt])

    def describe(self) -> Mapping[str, Any]:
        return {"name": "recorded"}

    def close(self) -> None:
        pass


def test_hub_eval(in_python: Values, folder: Path, rows: list[dict[str, Any]], engine: hub.Engine) -> None:
    plan = make_plan(f"{folder}/benchmark.py:benchmark", mix=folder / "mix.toml")
    evaluate(plan, Recorded(rows), folder / "results", engine=engine)
    lines = [json.loads(line) for line in (folder / "results" / "samples.jsonl").read_text().splitlines()]
    results = [line["result"] for line in sorted(lines, key=lambda line: line["result"]["row"])]
    assert by_name([(result["total"]["value"], result["scores"]) for result in results]) == in_python
