"""`hub eval`, as a person runs it, against a real server on this machine."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.cli.main import main
from hub.target import load_file

HUB = str(Path(sys.executable).with_name("hub"))
TESTS = Path(__file__).parents[2]
SUMS = str(TESTS / "hub" / "evaluation" / "sums.py")


@pytest.fixture
def protocol() -> Any:
    """The module with a server that speaks OpenAI's protocol."""
    return load_file(str(TESTS / "plugins" / "hub_generators" / "openai_protocol.py"))


@pytest.fixture
def serve(protocol: Any) -> Iterator[Callable[..., Any]]:
    """Starts servers whose text is a function of the question and the request's number."""
    servers = []

    def start(say: Callable[[str, int], str]) -> Any:
        def answer(path: str, body: dict[str, Any], number: int) -> Any:
            return protocol.completion(say(protocol.question(body), number))

        servers.append(protocol.Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def solve(question: str, number: int) -> str:
    """A model that can add small numbers."""
    a, _, b = re.findall(r"\d+|\+", question)[:3]
    return str(int(a) + int(b) if int(a) < 4 else 0)


def environment(**changes: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("HUB_DATA", "HUB_WORKERS")}
    return {**kept, "HUB_WORKERS": "1", "COLUMNS": "120", **changes}


def run(*arguments: str, folder: Path, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [HUB, "eval", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        env=environment(**changes),
    )


def samples(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def test_a_table_for_people_and_files_for_everything(serve: Any, tmp_path: Path) -> None:
    server = serve(solve)
    done = run(server.address, "--on", f"{SUMS}:sums", "--limit", "5", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    [path] = (tmp_path / "runs").glob("*/sums-*")
    rows = [re.split(r"\s{2,}", line.strip()) for line in done.stdout.splitlines()]
    assert rows[0] == ["benchmark", "metric", "score", "95 % interval", "n", "failed", "cut"]
    assert rows[1] == ["sums", "score", "0.800", "0.376 to 0.964", "5", "0", "0%"]
    assert rows[2] == ["even", "0.667", "0.208 to 0.939", "3", "0"]
    assert rows[3] == ["odd", "1.000", "0.342 to 1.000", "2", "0"]
    assert done.stdout.splitlines()[4:] == [
        "sums: only the first 5 of 6 rows",
        f"sums: {path.relative_to(tmp_path)}",
    ]
    result = json.loads((path / "result.json").read_text())
    assert result["command"].startswith("hub eval http")
    assert result["model"]["model"] == "tiny"
    assert len(samples(path)) == 5


def test_samples_can_be_scored_again(serve: Any, tmp_path: Path) -> None:
    done = run(serve(solve).address, "--on", f"{SUMS}:sums", "--out", "out", folder=tmp_path)
    assert done.returncode == 0
    again = subprocess.run(
        [HUB, "score", "--reward", f"{SUMS}:exact", "out/sums/samples.jsonl", "--json"],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    scores = [json.loads(line)["score"] for line in again.stdout.splitlines()]
    assert scores == [line["result"]["total"]["value"] for line in samples(tmp_path / "out" / "sums")]
    assert sum(scores) == 4


def test_json_is_the_results(serve: Any, tmp_path: Path) -> None:
    server = serve(solve)
    arguments = ["--temperature", "1", "--samples-per-prompt", "2", "--top-p", "0.9", "--seed", "4"]
    arguments += [
        "--max-new-tokens",
        "7",
        "--stop",
        "\n",
        "--stop",
        "Q:",
        "--split",
        "train",
        "--out",
        "out",
        "--json",
    ]
    done = run(server.address, "--on", f"{SUMS}:sums", *arguments, folder=tmp_path)
    assert done.returncode == 0
    [result] = json.loads(done.stdout)
    assert result["folder"] == "out/sums"
    assert result["decoding"] == {
        "max_new_tokens": 7,
        "temperature": 1.0,
        "top_p": 0.9,
        "stop": ["\n", "Q:"],
        "seed": 4,
        "chat_template": True,
    }
    assert (result["samples_per_prompt"], result["benchmark"]["split"]) == (2, "train")
    assert len(server.requests) == 12
    assert {body["max_tokens"] for _, body in server.requests} == {7}
    assert len({body["seed"] for _, body in server.requests}) == 2
    assert result["scores"]["total"]["pass_at_k"] == {"1": 4 / 6, "2": 4 / 6}


def test_several_benchmarks_with_their_options_and_another_mix(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_text(f'[[reward]]\nuse = "{SUMS}:exact"\nweight = 0.5\n')
    arguments = ["--on", f"{SUMS}:sums, arithmetic", "--mix", "mix.toml", "--out", "out", "--limit", "4"]
    arguments += [
        "--benchmark-option",
        "arithmetic.operations=+",
        "--benchmark-option",
        "arithmetic.examples=0",
    ]
    done = run(
        serve(solve).address, *arguments, "--benchmark-option", f"{SUMS}:sums.count=3", folder=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(samples(tmp_path / "out" / "sums")) == 3
    assert len(samples(tmp_path / "out" / "arithmetic")) == 4
    totals = [line["result"]["total"]["value"] for line in samples(tmp_path / "out" / "sums")]
    assert totals == [0.5, 0.5, 0.5]
    assert "sums: graded with another mix: mix.toml" in done.stdout
    assert "arithmetic: benchmark options: examples=0, operations='+'" in done.stdout


def test_options_of_the_rewards_that_grade(serve: Any, tmp_path: Path) -> None:
    """They go to the benchmarks that have the reward, and are told beside the score and in the recipe."""
    (tmp_path / "short.py").write_text(
        "import hub\n\ndef rows(split):\n    yield {'id': 1, 'prompt': '1 + 1'}\n\n"
        "short = hub.Benchmark('short', 'short:rows', {'length': {'with': {'max': 1, 'unit': 'characters'}}}, 'Short.')\n"
    )
    arguments = ["--on", f"short.py:short,{SUMS}:sums", "--limit", "1", "--with", "length.max=3"]
    folders = {}
    for name, extra in {"given": ["--with", "length.unit=words"], "other": []}.items():
        done = run(
            serve(lambda *_: "one two three").address, *arguments, *extra, "--out", name, folder=tmp_path
        )
        assert (done.returncode, done.stderr) == (0, "")
        folders[name] = json.loads((tmp_path / name / "short" / "result.json").read_text())
    assert [found["scores"]["total"]["mean"] for found in folders.values()] == [1.0, 0.0]
    assert folders["given"]["mix"]["rewards"][0]["with"] == {"max": 3, "unit": "words"}
    assert folders["given"]["flags"] == ["options of length: max=3, unit='words'"]
    assert json.loads((tmp_path / "given" / "sums" / "result.json").read_text())["flags"] == [
        "only the first 1 of 6 rows"
    ]


def test_a_failure_is_shown_and_changes_the_exit_code(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_text(f'[[reward]]\nuse = "{SUMS}:moody"\n')
    server = serve(lambda question, number: "break" if question == "3 + 3" else solve(question, number))
    arguments = [server.address, "--on", f"{SUMS}:sums", "--mix", "mix.toml", "--out", "out"]
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 1
    assert "1 (exception 1)" in done.stdout
    assert "sums: score 0.500 if what failed had earned 0" in done.stdout
    again = run(*arguments, "--resume", "--allow-failures", folder=tmp_path)
    assert again.returncode == 0
    assert again.stdout == done.stdout
    assert len(server.requests) == 6


def test_a_server_that_goes_away_leaves_a_run_to_resume(serve: Any, protocol: Any, tmp_path: Path) -> None:
    gone = protocol.Server(
        lambda path, body, number: protocol.completion("0") if number < 2 else (404, {}, b"gone")
    )
    arguments = ["--on", f"{SUMS}:sums", "--out", "out", "--generator-option", "concurrency=1"]
    try:
        done = run(gone.address, *arguments, folder=tmp_path)
    finally:
        gone.close()
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "404 Not Found: 'gone'" in done.stderr
    assert (
        "out/sums: once the cause is gone, the same command with --resume goes on from there" in done.stderr
    )
    server = serve(lambda question, number: "0")
    assert run(server.address, *arguments, "--resume", folder=tmp_path).returncode == 0
    assert len(server.requests) == 4
    assert len(samples(tmp_path / "out" / "sums")) == 6


def test_a_prompt_that_the_server_refuses_is_told_and_can_be_asked_again(
    serve: Any, protocol: Any, tmp_path: Path
) -> None:
    picky = protocol.Server(
        lambda path, body, number: (
            (400, {}, b"too long")
            if protocol.question(body) == "3 + 3"
            else protocol.completion(solve(protocol.question(body), number))
        )
    )
    arguments = ["--on", f"{SUMS}:sums", "--out", "out"]
    try:
        done = run(picky.address, *arguments, folder=tmp_path)
    finally:
        picky.close()
    assert (done.returncode, done.stderr) == (1, "")
    assert re.search(r"sums +score +0\.600 .* 5 +1 \(no_completion 1\)", done.stdout)
    assert re.search("sums: 1 without a completion .--resume asks again.; the first: .*too long", done.stdout)
    server = serve(solve)
    again = run(server.address, *arguments, "--resume", folder=tmp_path)
    assert (again.returncode, len(server.requests)) == (0, 1)
    assert re.search(r"sums +score +0\.667 .* 6 +0", again.stdout)


def test_a_full_disk_shows_what_is_complete_and_loses_nothing(serve: Any, tmp_path: Path) -> None:
    """A limit on the size of each file stands in for the disk: it needs no root, and stops writes half-way.

    It is more than the megabyte that a worker shares with the engine.
    """
    server = serve(lambda question, number: "0" * 20_000)
    arguments = [HUB, "eval", server.address, "--on", f"arithmetic,{SUMS}:sums", "--json", "--out", "out"]
    arguments += ["--benchmark-option", "arithmetic.rows=2", "--benchmark-option", f"{SUMS}:sums.count=200"]

    def ended(limit: int, *more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["prlimit", f"--fsize={limit}", *arguments, *more],
            cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    done = ended(2_000_000)
    assert done.returncode == 1
    assert [one["benchmark"]["name"] for one in json.loads(done.stdout)] == ["arithmetic"]
    assert "error: out/sums: cannot be written: File too large" in done.stderr
    assert "the same command with --resume goes on from there" in done.stderr
    whole = ended(10**9, "--resume")
    assert (whole.returncode, whole.stderr) == (0, "")
    assert [one["scores"]["total"]["n"] for one in json.loads(whole.stdout)] == [2, 200]
    assert [line["id"] for line in samples(tmp_path / "out" / "sums")] == [f"test-{n}" for n in range(200)]
    assert len(server.requests) <= 202 + 16  # but for what was under way


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_ended_goes_on_and_ends_the_same(
    serve: Any, tmp_path: Path, how: signal.Signals
) -> None:
    release = threading.Event()

    def hold(question: str, number: int) -> str:
        if number >= 9 and not release.is_set():
            release.wait(timeout=100)
        return solve(question, number)

    server = serve(hold)
    arguments = [HUB, "eval", server.address, "--on", f"{SUMS}:sums", "--benchmark-option", "count=20"]
    arguments += ["--generator-option", "concurrency=3", "--out"]
    process = subprocess.Popen(
        [*arguments, "out"], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    )
    file = tmp_path / "out" / "sums" / "samples.jsonl"
    give_up = time.monotonic() + 60
    while not file.exists() or file.read_bytes().count(b"\n") < 9:
        assert process.poll() is None
        assert time.monotonic() < give_up
        time.sleep(0.02)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    release.set()
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert "the same command with --resume goes on from there\n\ninterrupted\n" in errors
    assert not (tmp_path / "out" / "sums" / "result.json").exists()
    before = len(server.requests)
    for folder, extra in (("out", ["--resume"]), ("whole", [])):
        done = subprocess.run(
            [*arguments, folder, *extra], cwd=tmp_path, env=environment(), capture_output=True, timeout=120
        )
        assert (done.returncode, done.stderr) == (0, b"")
    assert len(server.requests) == before + 11 + 20
    assert file.read_bytes() == (tmp_path / "whole" / "sums" / "samples.jsonl").read_bytes()
    assert len(samples(file.parent)) == 20


def test_ctrl_c_shows_what_is_complete(serve: Any, tmp_path: Path) -> None:
    release, asked = threading.Event(), threading.Event()

    def hold(question: str, number: int) -> str:
        if number >= 4:
            asked.set()
            release.wait(timeout=100)
        return solve(question, number) if "+ 3" in question else "0"

    server = serve(hold)
    arguments = [HUB, "eval", server.address, "--on", f"arithmetic,{SUMS}:sums", "--json", "--out", "out"]
    arguments += ["--benchmark-option", "arithmetic.rows=2", "--generator-option", "concurrency=1"]
    process = subprocess.Popen(
        arguments, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert asked.wait(timeout=60)
    process.send_signal(signal.SIGINT)
    shown, errors = process.communicate(timeout=60)
    release.set()
    assert process.returncode == 130
    assert [one["benchmark"]["name"] for one in json.loads(shown)] == ["arithmetic"]
    assert "the same command with --resume goes on from there" in errors


NOBODY = "http://127.0.0.1:9/v1"
ON = ["--on", f"{SUMS}:sums"]
BAD = [
    ("no model", ["--on", "arithmetic"], "give a MODEL, or rewards with --reward in its place"),
    ("no benchmark", ["x/y"], "Missing option '--on'"),
    ("an empty list of benchmarks", ["x/y", "--on", ","], "names no benchmark"),
    ("a benchmark twice", ["x/y", "--on", "gsm8k,gsm8k"], "each benchmark once"),
    ("an unknown benchmark", ["x/y", "--on", "arithmetic,gsm8"], "unknown benchmark 'gsm8': did you mean 'gsm8k'"),
    ("an unknown option", ["x/y", *ON, "--limt", "3"], "--limit"),
    ("a limit of none", ["x/y", *ON, "--limit", "0"], "Invalid value for '--limit'"),
    ("no samples", ["x/y", *ON, "--samples-per-prompt", "0"], "Invalid value for '--samples-per-prompt'"),
    ("a negative temperature", ["x/y", *ON, "--temperature", "-1"], "Invalid value for '--temperature'"),
    ("no probability", ["x/y", *ON, "--top-p", "0"], "Invalid value for '--top-p'"),
    ("greedy samples", ["x/y", *ON, "--samples-per-prompt", "2"], "set a temperature"),
    ("an unknown benchmark option", ["x/y", *ON, "--benchmark-option", "rows=3"], "has no option 'rows'"),
    ("an option without a value", ["x/y", *ON, "--benchmark-option", "count"], "should be NAME=VALUE"),
    ("an option of another benchmark", ["x/y", *ON, "--benchmark-option", "gsm8k.path=x"], "--on does not name a benchmark 'gsm8k'"),
    ("an option of no reward", ["x/y", *ON, "--with", "judge.model=m"], "no benchmark is graded by 'judge' (there is: exact)"),
    ("an unknown option of a reward", ["x/y", *ON, "--with", "exact.speed=9"], "takes no options, but was given 'speed'"),
    ("an option of a reward without a value", ["x/y", *ON, "--with", "exact.speed"], "should be REWARD.OPTION=VALUE"),
    ("an option of a reward without a reward", ["x/y", *ON, "--with", "speed=9"], "should be REWARD.OPTION=VALUE"),
    ("options and a mix file", ["x/y", *ON, "--with", "exact.a=1", "--mix", "mix.toml"], "a mix file has `with"),
    ("no mix file", ["x/y", *ON, "--mix", "nowhere.toml"], "nowhere.toml"),
    ("an unknown generator", ["x/y", *ON, "--generator", "transfromers"], "did you mean 'transformers'"),
    ("an unknown generator option", [NOBODY, *ON, "--generator-option", "speed=9"], "generator 'openai' of posttrain-hub"),
    ("a model of no form", ["what is this", *ON], "no generator accepts 'what is this'"),
    ("no server", [NOBODY, *ON], "Is the server running there?"),
    ("no data", ["x/y", "--on", "gsm8k"], "Set HUB_DATA to a folder with gsm8k/test.jsonl"),
    ("a folder that cannot be written", [NOBODY, *ON, "--out", "mix.toml/out"], "mix.toml/out: cannot be written"),
    ("a folder that is a file", [NOBODY, *ON, "--out", "mix.toml"], "mix.toml"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_one_message_and_exit_code_2(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUB_DATA", raising=False)
    Path("mix.toml").write_text(f'[[reward]]\nuse = "{SUMS}:exact"\n')
    with pytest.raises(SystemExit) as ended:
        main(["eval", *arguments])
    shown = capsys.readouterr()
    assert ended.value.code == 2, shown.err
    assert words in re.sub(r"\s+", " ", shown.err)
    assert shown.out == ""


def test_a_run_that_is_there_is_refused_before_the_model_is_opened(serve: Any, tmp_path: Path) -> None:
    server = serve(solve)
    arguments = ["--on", f"{SUMS}:sums", "--out", "out"]
    assert run(server.address, *arguments, folder=tmp_path).returncode == 0
    done = run(NOBODY, *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert "out/sums: holds a run that is complete: --resume shows its result" in done.stderr
    other = run(server.address, *arguments, "--seed", "1", "--resume", folder=tmp_path)
    assert other.returncode == 2
    assert "another recipe (decoding.seed: 0, now 1)" in other.stderr


def test_nothing_heavy_is_imported_for_help() -> None:
    code = (
        "import sys\nfrom hub.cli.main import main\n"
        "try: main(['eval', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'datasets', 'lm_eval', 'httpx', 'numpy', 'sympy', 'trl'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "MODEL is a folder, a model id like org/name@revision" in done.stdout
