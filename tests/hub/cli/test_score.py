"""`hub score`: the right lines in the right order, whatever the rewards and the file do."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hub.cli import completions
from hub.cli.main import main

REWARDS = '''
import time

import hub


@hub.reward(needs=["answer"])
def same(sample):
    """1.0 where the completion is the answer."""
    return sample.text == sample["answer"]


@hub.reward(timeout_s=1)
def hangs(sample):
    while sample.text == "hang":
        pass
    return 1.0


def breaks(sample):
    if sample.text == "raise":
        raise ValueError("no such luck")
    if sample.text == "nan":
        return float("nan")
    return None if sample.text == "abstain" else 0.5


class Starts:
    def __init__(self, start: str = "<think>", points: float = 1.0):
        self.start, self.points = start, points

    def __call__(self, sample):
        return self.points * sample.text.startswith(self.start)


@hub.reward(group=True)
def best(samples):
    longest = max(len(sample.text) for sample in samples)
    return [hub.Score(float(len(s.text) == longest), info={"group": len(samples)}) for s in samples]


def slow(sample):
    time.sleep(0.01)
    return len(sample.text)


def odd(sample):
    return hub.Score(1.0, detail="\\ud800", info={"nan": float("nan"), (1, 2): {3}})


class Broken:
    def __init__(self):
        raise RuntimeError("no weights here")

    def __call__(self, sample):
        return 0.0
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with rewards.py."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_WORKERS", "2")
    Path("rewards.py").write_text(REWARDS)
    return tmp_path


def write(rows: list[dict[str, Any]], name: str = "data.jsonl") -> None:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def lines(name: str = "out.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def hub(*arguments: str) -> int | str | None:
    """Run the command in this process; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["score", *arguments])
    return ended.value.code


def test_each_line_says_what_became_of_its_row(folder: Path) -> None:
    texts = ["4", "hang", "raise", "nan", "abstain", "4"]
    write([{"completion": text, "answer": "4"} for text in texts])
    rewards = [f"--reward=rewards.py:{name}" for name in ("same", "hangs", "breaks")]
    assert hub(*rewards, "data.jsonl", "-o", "out.jsonl") == 1
    out = lines()
    assert [line["id"] for line in out] == [1, 2, 3, 4, 5, 6]
    assert [line["score"] for line in out] == [2.5, None, None, None, 1.0, 2.5]
    assert all(list(line["scores"]) == ["same", "hangs", "breaks"] for line in out)
    assert out[0]["scores"]["same"] == {"value": 1.0, "outcome": "scored", "reason": ""}
    hung, raised, nan, abstained = (out[i]["scores"] for i in (1, 2, 3, 4))
    assert hung["hangs"] == {
        "value": None,
        "outcome": "failed",
        "reason": "timeout",
        "detail": "killed at its limit of 1 s",
    }
    assert (raised["breaks"]["reason"], nan["breaks"]["reason"]) == ("exception", "bad_value")
    assert "ValueError: no such luck (rewards.py:" in raised["breaks"]["detail"]
    assert abstained["breaks"] == {"value": None, "outcome": "abstained", "reason": ""}


def test_the_table_counts_outcomes_and_says_where_each_kind_of_failure_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write([{"completion": text} for text in ("ok", "raise", "raise!", "raise", "nan", "abstain")])
    assert hub("-r", "rewards.py:breaks", "data.jsonl") == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[1].split()[:6] == ["breaks", "6", "0.5", "0", "1", "3"]
    assert "breaks: exception 2, first at data.jsonl:2: ValueError: no such luck" in printed.out
    assert "breaks: bad_value 1, first at data.jsonl:5: returned nan" in printed.out
    assert printed.err == ""


def test_allowed_failures_and_none_exit_with_zero(folder: Path) -> None:
    write([{"completion": "nan"}])
    assert hub("-r", "rewards.py:breaks", "data.jsonl") == 1
    assert hub("-r", "rewards.py:breaks", "data.jsonl", "--allow-failures") == 0
    write([{"completion": "fine"}])
    assert hub("-r", "rewards.py:breaks", "data.jsonl") == 0


def test_ids_are_the_rows_own_or_their_lines(folder: Path) -> None:
    ids: list[Any] = ["a", 7, None, True, [1]]
    rows = [json.dumps({"id": name, "completion": "x"}) for name in ids] + ["", '{"completion": "y"}']
    Path("data.jsonl").write_text("\n".join(rows))
    assert hub("-r", "rewards.py:breaks", "data.jsonl", "-o", "out.jsonl") == 0
    assert [line["id"] for line in lines()] == ["a", 7, 3, 4, 5, 7]


def test_messages_weights_renames_and_options(folder: Path) -> None:
    conversation = [{"role": "user", "content": "2+2?"}]
    answer = [{"role": "assistant", "content": "4"}]
    write(
        [
            {"question": conversation, "reply": answer, "gold": "4"},
            {"question": "", "reply": "5", "gold": "4"},
        ]
    )
    code = hub(
        "--reward=rewards.py:same=2",
        "--reward=rewards.py:Starts=0.5",
        *("--with", "Starts.start=4", "--with", "rewards.py:Starts.points=3"),
        *("--map", "prompt=question", "--map", "completion=reply", "--map", "answer=gold"),
        *("data.jsonl", "--output", "out.jsonl"),
    )
    assert code == 0
    assert [line["score"] for line in lines()] == [2 * 1.0 + 0.5 * 3, 0.0]


def test_installed_rewards_with_weights_and_options(folder: Path) -> None:
    write(
        [
            {"completion": "<t>two and two</t>\\boxed{4}", "solution": "4"},
            {"completion": "<think>two and two</think>\\boxed{2+2}", "solution": "4"},
            {"completion": "<t>hm</t>\\boxed{9^{9^{9^{9}}}}", "solution": "4"},
        ]
    )
    rewards = ("--reward", "math", "--reward", "think-format=0.5")
    options = (
        "--with",
        "think-format.open=<t>",
        "--with",
        "think-format.close=</t>",
        "--map",
        "answer=solution",
    )
    assert hub(*rewards, *options, "data.jsonl", "-o", "out.jsonl") == 0
    assert [line["scores"]["think-format"]["value"] for line in lines()] == [1.0, 0.0, 1.0]
    assert lines()[0]["score"] == 1.5
    assert lines()[2]["scores"]["math"]["value"] == 0.0


def test_a_mix_file_routes_and_its_own_limits_hold(folder: Path) -> None:
    Path("mix.toml").write_text(
        """
        [[reward]]
        use = "rewards.py:same"
        when = { task = "sum" }

        [[reward]]
        use = "rewards.py:hangs"
        weight = 0.5
        on_timeout = -1.0
        """
    )
    write([{"completion": "hang", "task": "talk"}, {"completion": "4", "task": "sum", "answer": "4"}])
    assert hub("--mix", "mix.toml", "data.jsonl", "-o", "out.jsonl", "--stats", "stats.json") == 0
    first, second = lines()
    assert (first["score"], second["score"]) == (-0.5, 1.5)
    assert first["scores"]["same"]["reason"] == "not routed here"
    assert first["scores"]["hangs"] == {
        "value": -1.0,
        "outcome": "scored",
        "reason": "timeout",
        "detail": "killed at its limit of 1 s",
    }
    stats = json.loads(Path("stats.json").read_text())
    assert (stats["rows"], stats["done"], stats["resumed"]) == (2, 2, 0)
    assert stats["rewards"]["same"] | {"count": 2, "scored": 1, "abstained": 1} == stats["rewards"]["same"]
    assert stats["rewards"]["hangs"]["run_ms"]["p99"] >= 1000
    assert stats["total"]["mean"] == 0.5


def test_a_mix_that_says_raise_stops_there_and_keeps_what_came_before(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mix.toml").write_text('on_failure = "raise"\n[[reward]]\nuse = "rewards.py:breaks"\n')
    write([{"completion": text} for text in ("a", "b", "nan", "c")])
    assert hub("--mix", "mix.toml", "data.jsonl", "-o", "out.jsonl", "--allow-failures") == 1
    assert "error: data.jsonl:3: reward 'breaks' failed" not in capsys.readouterr().out
    assert [line["id"] for line in lines()] == [1, 2]
    write([{"completion": text} for text in ("a", "b", "mended", "c")])
    assert hub("--mix", "mix.toml", "data.jsonl", "-o", "out.jsonl", "--resume") == 0
    assert [line["id"] for line in lines()] == [1, 2, 3, 4]


def test_standard_input_and_output_carry_lines_and_the_table_goes_to_stderr(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = io.BytesIO(b'{"completion": "4", "answer": "4"}\n{"completion": "5", "answer": "4"}\n')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    assert hub("-r", "rewards.py:same", "-", "--json") == 0
    printed = capsysbinary.readouterr()
    assert [json.loads(line)["score"] for line in printed.out.splitlines()] == [1.0, 0.0]
    assert b"same" in printed.err


def test_json_with_an_output_prints_the_statistics(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write([{"completion": "4", "answer": "4"}] * 3)
    assert hub("-r", "rewards.py:same", "data.jsonl", "-o", "out.jsonl", "--json") == 0
    stats = json.loads(capsys.readouterr().out)
    assert stats["rewards"]["same"]["mean"] == 1.0
    assert (stats["rewards"]["same"]["count"], stats["rewards"]["same"]["cached"]) == (3, 2)


def test_what_json_cannot_hold_is_written_as_text(folder: Path) -> None:
    write([{"completion": "a", "id": "\ud800"}, {"completion": "b"}])
    assert hub("-r", "rewards.py:odd", "data.jsonl", "-o", "out.jsonl") == 0
    first, second = lines()
    assert first["id"] == first["scores"]["odd"]["detail"] == "\ud800"
    assert "nan" in second["scores"]["odd"]["info"]["repr"]


@pytest.mark.parametrize(
    ("rows", "arguments", "message"),
    [
        pytest.param('{"completion": "a", "answer": ""}\n{', [], "data.jsonl:2: not JSON", id="bad line"),
        pytest.param("", [], "data.jsonl has no rows", id="no rows"),
        pytest.param(
            '{"text": "a"}', [], "data.jsonl:1: has no column 'completion' (it has: text)", id="no text"
        ),
        pytest.param(
            '\n{"completion": 3}', [], "data.jsonl:2: the completion is int, not text", id="a number"
        ),
        pytest.param('{"completion": null}', [], "data.jsonl:1: the completion is NoneType", id="null"),
        pytest.param(
            '{"completion": "", "prompt": 3}', [], "data.jsonl:1: the prompt is int", id="bad prompt"
        ),
        pytest.param(
            '{"completion": "a", "answer": ""}\n\n{"completion": "a"}',
            [],
            "data.jsonl:3: row 2 has no column 'answer', which the reward 'same' needs",
            id="missing column",
        ),
        pytest.param(
            '{"completion": "a"}',
            ["--map", "answer=gold"],
            "data.jsonl:1: has no column 'gold'",
            id="renamed",
        ),
        pytest.param(
            '{"completion": "a", "answer": ""}',
            ["--group", "q"],
            "data.jsonl:1: has no column 'q'",
            id="group",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_before_anything_runs(
    folder: Path, capsys: pytest.CaptureFixture[str], rows: str, arguments: list[str], message: str
) -> None:
    Path("data.jsonl").write_text(rows)
    assert hub("-r", "rewards.py:same", *arguments, "data.jsonl", "-o", "out.jsonl") == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert not Path("out.jsonl").exists()


def test_an_unrouted_row_is_an_error_before_anything_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mix.toml").write_text('[[reward]]\nuse = "rewards.py:breaks"\nwhen = { task = "math" }\n')
    write([{"completion": "", "task": "math"}, {"completion": "", "task": "code"}])
    assert hub("--mix", "mix.toml", "data.jsonl", "-o", "out.jsonl") == 2
    assert "data.jsonl:2: no reward takes row 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either --reward (once or more), or --mix"),
        (["-r", "rewards.py:same", "--mix", "mix.toml"], "give either --reward"),
        (["-r", "rewards.py:same=much"], "the weight 'much' is not a number"),
        (["-r", "rewards.py:sane"], "unknown reward in rewards.py: 'sane': did you mean 'same'?"),
        (["-r", "rewards.py"], "names a file but no reward in it"),
        (["-r", "absent.py:same"], "there is no file 'absent.py'"),
        (["-r", "no-such-reward"], "unknown reward 'no-such-reward'"),
        (["-r", "rewards.py:Starts", "--with", "Starts.end=x"], "has no option 'end'"),
        (
            ["-r", "rewards.py:Starts", "--with", "Starts.points=x"],
            "option 'points' is 'x', but should be float",
        ),
        (["-r", "rewards.py:Starts", "--with", "Stars.points=1"], "no --reward is called 'Stars'"),
        (
            ["-r", "rewards.py:Starts", "--with", "points=1"],
            "should be REWARD.OPTION=VALUE, where REWARD is Starts",
        ),
        (["-r", "rewards.py:Starts", "--with", "points"], "should be REWARD.OPTION=VALUE"),
        (["-r", "rewards.py:same", "-r", "rewards.py:same"], "is taken by an earlier reward"),
        (["-r", "rewards.py:same", "--map", "answer"], "should be NAME=COLUMN"),
        (["-r", "rewards.py:same", "--resume"], "--resume needs an --output FILE"),
        (["-r", "rewards.py:same", "-o", "x", "--resume", "--overwrite"], "exclude each other"),
        (["-r", "rewards.py:same", "-o", "data.jsonl", "--overwrite"], "data.jsonl is the data itself"),
        (["-r", "rewards.py:same", "-o", "no/folder/x"], "there is no folder 'no/folder'"),
        (["-r", "rewards.py:Broken"], "cannot be set up: RuntimeError: no weights here"),
    ],
)
def test_wrong_usage_is_one_message(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    write([{"completion": "4", "answer": "4"}])
    assert hub(*arguments, "data.jsonl") == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_an_existing_output_is_refused_begun_anew_or_continued(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write([{"completion": "4", "answer": "4"}, {"completion": "5", "answer": "4"}])
    arguments = ("-r", "rewards.py:same", "data.jsonl", "-o", "out.jsonl")
    assert hub(*arguments) == 0
    before = Path("out.jsonl").read_bytes()
    assert hub(*arguments) == 2
    assert "out.jsonl exists: --resume goes on with it, --overwrite begins it anew" in capsys.readouterr().err
    assert hub(*arguments, "--resume") == 0
    assert Path("out.jsonl").read_bytes() == before
    assert hub(*arguments, "--overwrite") == 0
    assert Path("out.jsonl").read_bytes() == before


@pytest.mark.parametrize("kept", [0, 1, 40, 90, 95, 96, 150, 288, 289, 10_000])
def test_an_output_cut_anywhere_is_continued_to_the_same_bytes(folder: Path, kept: int) -> None:
    write([{"completion": text, "answer": "4"} for text in ("4", "nan", "raise", "", "4")])
    arguments = ("-r", "rewards.py:same", "-r", "rewards.py:breaks", "data.jsonl", "-o", "out.jsonl")
    assert hub(*arguments) == 1
    whole = Path("out.jsonl").read_bytes()
    Path("out.jsonl").write_bytes(whole[:kept])
    assert hub(*arguments, "--resume", "--stats", "stats.json") == 1
    assert Path("out.jsonl").read_bytes() == whole
    stats = json.loads(Path("stats.json").read_text())
    assert stats["resumed"] == whole[:kept].count(b"\n")
    assert stats["rewards"]["breaks"]["reasons"] == {"bad_value": 1, "exception": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda out: b"{}\n" + out, "out.jsonl:1: not a line that `hub score` wrote"),
        (lambda out: out[:5] + b"\n" + out, "out.jsonl:1: not a line that `hub score` wrote"),
        (lambda out: out * 2, "out.jsonl:3: more results than data.jsonl has rows"),
        (lambda out: out.replace(b'"id": "b"', b'"id": "c"'), "is the result of id 'c', but row 2 has 'b'"),
        (lambda out: out.replace(b'"same"', b'"other"'), "out.jsonl:1: has the rewards other, not same"),
    ],
    ids=["another file", "torn in the middle", "too long", "other data", "other rewards"],
)
def test_an_output_of_something_else_is_not_continued(
    folder: Path, capsys: pytest.CaptureFixture[str], change: Any, message: str
) -> None:
    write([{"completion": "4", "answer": "4", "id": name} for name in "ab"])
    arguments = ("-r", "rewards.py:same", "data.jsonl", "-o", "out.jsonl")
    assert hub(*arguments) == 0
    changed = change(Path("out.jsonl").read_bytes())
    Path("out.jsonl").write_bytes(changed)
    assert hub(*arguments, "--resume") == 2
    assert message in capsys.readouterr().err
    assert Path("out.jsonl").read_bytes() == changed


@pytest.mark.parametrize("kept", [0, 1, 5, 11])
@pytest.mark.parametrize("order", ["together", "interleaved"])
def test_groups_are_never_cut_by_a_window_or_a_stop(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kept: int, order: str
) -> None:
    for name in ("FIRST_ROWS", "FEWEST_ROWS", "MOST_ROWS"):
        monkeypatch.setattr(completions, name, 2)
    rows = [{"prompt": f"p{group}", "completion": "x" * size} for group in range(4) for size in (1, 3, 2)]
    if order == "interleaved":
        rows.sort(key=lambda row: len(row["completion"]))
    write(rows)
    arguments = ("-r", "rewards.py:best", "data.jsonl", "-o", "out.jsonl")
    assert hub(*arguments) == 0
    whole = Path("out.jsonl").read_bytes()
    assert [line["score"] for line in lines()] == [float(row["completion"] == "xxx") for row in rows]
    assert {line["scores"]["best"]["info"]["group"] for line in lines()} == {3}
    Path("out.jsonl").write_bytes(b"".join(whole.splitlines(keepends=True)[:kept]))
    assert hub(*arguments, "--resume") == 0
    assert Path("out.jsonl").read_bytes() == whole


def test_a_column_can_say_what_a_group_is(folder: Path) -> None:
    write([{"prompt": str(i), "completion": "x" * i, "problem": [i % 2]} for i in range(6)])
    assert hub("-r", "rewards.py:best", "data.jsonl", "--group", "problem", "-o", "out.jsonl") == 0
    assert [line["score"] for line in lines()] == [0, 0, 0, 0, 1, 1]


def test_windows_keep_order_and_length(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_ROWS", "FEWEST_ROWS", "MOST_ROWS"):
        monkeypatch.setattr(completions, name, 7)
    write([{"completion": str(i), "answer": str(i - i % 2)} for i in range(100)])
    assert hub("-r", "rewards.py:same", "data.jsonl", "-o", "out.jsonl") == 0
    assert [line["id"] for line in lines()] == list(range(1, 101))
    assert [line["score"] for line in lines()] == [1.0, 0.0] * 50


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_message(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write([{"completion": "4", "answer": "4"}])
    assert hub("-r", "rewards.py:same", "data.jsonl", "-o", "/dev/full") == 2
    assert capsys.readouterr().err == "error: /dev/full cannot be written: No space left on device\n"


def test_statistics_that_cannot_be_written_are_one_message(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write([{"completion": "4", "answer": "4"}])
    assert hub("-r", "rewards.py:same", "data.jsonl", "--stats", ".") == 2
    assert "error: . cannot be written: Is a directory" in capsys.readouterr().err


def test_an_interrupt_loses_no_line_and_tears_none(folder: Path) -> None:
    write([{"completion": "x" * (i % 977), "n": i} for i in range(3000)])
    program = [sys.executable, "-c", "from hub.cli.main import main; main()"]
    command = [*program, "score", "--reward", "rewards.py:slow", "data.jsonl", "--output", "out.jsonl"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (Path("out.jsonl").exists() and os.path.getsize("out.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    done = lines()
    assert "what was scored is in out.jsonl: go on with --resume" in error
    assert 0 < len(done) < 3000
    assert [line["score"] for line in done] == [float(i % 977) for i in range(len(done))]


def test_a_reader_who_leaves_ends_the_command_quietly(folder: Path) -> None:
    write([{"completion": "x", "answer": str(i)} for i in range(20_000)])
    command = "from hub.cli.main import main; main()"
    shell = f"{sys.executable} -c '{command}' score -r rewards.py:same data.jsonl --json | head -1"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, timeout=120, check=False)
    assert json.loads(done.stdout)["id"] == 1
    assert done.stderr == ""
