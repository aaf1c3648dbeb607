"""The reward in Miles' own code, and what `hub export miles` writes."""

from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from hub.errors import ConfigError
from hub.training.export import export

HERE = Path(__file__).parent
MIX = """
[[reward]]
use = "rewards.py:same"

[[reward]]
use = "rewards.py:short"
weight = 0.0

[[reward]]
use = "rewards.py:asks"
weight = 0.0
"""
COMPARING = '[[reward]]\nuse = "rewards.py:rank"\n'
TOKENS = '[[reward]]\nuse = "length"\nwith = { max = 3, unit = "tokens" }\n'
WAITING = '[[reward]]\nuse = "rewards.py:waits"\ntimeout_s = 60\n'
MISSING = {"hub/missing": 1.0, "hub/failed/same": 1.0, "hub/failed/short": 0.0, "hub/failed/asks": 0.0}


def mix_file(folder: Path, text: str, name: str = "mix.toml") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "rewards.py").write_text((HERE / "rewards.py").read_text())
    (folder / name).write_text(text)
    return folder / name


def exported(folder: Path, text: str, trainer: str = "miles", **options: Any) -> Path:
    path = mix_file(folder, text, f"{folder.name}.toml")
    flags = export(trainer, path, folder, **options).instructions
    (folder / "flags.txt").write_text(flags)
    return folder


@pytest.fixture(scope="module")
def found(in_trainers: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("miles")
    folders = [
        exported(root / name, text)
        for name, text in (("training", MIX), ("comparing", COMPARING), ("waiting", WAITING))
    ]
    return in_trainers(HERE / "in_miles.py", *folders)


def test_without_a_missing_value_the_rewards_are_the_trainers_own(found: Any) -> None:
    assert len(found["bare"]) == 5 * 2 * 4
    assert all(found["bare"])


def test_a_missing_value_changes_nobody_elses_advantage(found: Any) -> None:
    got = found["normalised"]
    *others, failed = (advantage[0] for advantage in got["advantages"][:4])
    assert others == got["of the others alone"]
    assert failed == 0.0
    assert got["raw"] == [1.0, 0.0, 1.0, pytest.approx(2 / 3), 0.0, 0.0, 0.0, 0.0]
    assert got["masks"] == [1, 1, 2, 0, 0, 0, 0, 0]
    assert got["advantages"][4:] == [[0.0, 0.0]] * 4
    assert got["ppo"]["rewards"] == [1.0, 1.0]
    assert [sum(mask) for mask in got["ppo"]["loss_masks"]] == [1, 0]


def test_without_the_hook_the_others_grow_as_the_documentation_says(found: Any) -> None:
    got = found["normalised"]
    grown = [advantage * sqrt((4 - 1) / (3 - 1)) for advantage in got["of the others alone"]]
    assert got["without the hook"] == pytest.approx([*grown, 0.0], abs=1e-5)


def test_one_sample_at_a_time_a_list_and_a_group_get_the_same(found: Any) -> None:
    totals = [reward["hub/total"] for reward in found["one by one"]]
    assert totals == [1.0, pytest.approx(2 / 3), 0.0, 1.0]
    assert found["as a group"] == found["one by one"]
    assert found["as a list"] == found["one by one"]
    assert found["one by one"][1].items() >= MISSING.items()
    assert all(list(reward) == list(found["one by one"][0]) for reward in found["one by one"])
    assert found["set in place"] == [1.0, 0.0]


def test_filters_see_what_stands_for_a_missing_value(found: Any) -> None:
    assert found["filter"] == [False, True, False]


def test_a_group_that_is_broken_off_waits_for_nothing(found: Any) -> None:
    assert found["broken off"] == [0.5, 1.0, 0.0, None]


def test_whole_groups_are_compared(found: Any) -> None:
    assert found["compared"] == [0.0, 1.0, 3.0, 1.0]
    *whole, aborted = found["compared, one aborted"]
    assert [reward["rank"] for reward in whole] == [0.0, 1.0, 2.0]
    assert aborted == {"hub/total": 1.0, "rank": 1.0, "hub/missing": 1.0, "hub/failed/rank": 0.0}


def test_what_rewards_see(found: Any) -> None:
    assert found["truncated"] == 0.0
    assert [(reward["short"], reward["asks"]) for reward in found["columns"]] == [
        (-0.1, 18),
        (-2.1, 11),
        (0.0, 11),
    ]


def test_the_loop_goes_on_while_a_reward_runs(found: Any) -> None:
    """The reward waits for a file that the same loop makes."""
    assert not found["done before"]
    assert found["waited for"] == 1.0


def test_refusals_say_what_to_do(found: Any) -> None:
    alone, evaluated, nested = found["refused"]
    assert alone == evaluated
    assert alone.startswith("ConfigError: rank: needs all completions of a prompt")
    assert "give it --group-rm" in alone
    assert nested.startswith("BadInput: a list of lists")


def test_a_running_process_goes_on_with_the_mix_it_has_read(found: Any) -> None:
    assert found["after a change"] == 1.0


def test_the_trainer_logs_every_reward_and_what_is_missing(found: Any) -> None:
    assert found["logged"] == {
        "rollout/own": 1.0,
        "rollout/hub/groups_without_total": 1.0,
        "rollout/hub/same": pytest.approx(1 / 3),
        "rollout/hub/short": pytest.approx(-0.4 / 3),
        "rollout/hub/asks": 11.0,
        "rollout/hub/missing": 0.4,
        "rollout/hub/failed/same": 0.4,
        "rollout/hub/failed/short": 0.0,
        "rollout/hub/failed/asks": 0.0,
    }


def test_an_evaluation_is_the_mean_of_what_has_a_total(found: Any) -> None:
    assert found["evaluated"] == pytest.approx(2 / 3)


def test_what_is_written_and_printed(tmp_path: Path) -> None:
    path = mix_file(tmp_path, MIX, "my mix.toml")
    got = export("slime", path, tmp_path / "out", label="solution")
    assert (tmp_path / "out" / "hub_miles_my_mix.py").read_text() == got.files["hub_miles_my_mix.py"]
    assert repr(str(path)) in got.files["hub_miles_my_mix.py"]
    assert "label='solution'" in got.files["hub_miles_my_mix.py"]
    assert "--custom-rm-path hub_miles_my_mix.reward \\\n--reward-key hub/total \\\n" in got.instructions
    assert f"PYTHONPATH={tmp_path / 'out'}" in got.instructions
    assert "--group-rm" not in got.instructions
    assert "--group-rm" in export("miles", mix_file(tmp_path, COMPARING), tmp_path / "2").instructions


def test_flags_for_a_service(tmp_path: Path) -> None:
    path = mix_file(tmp_path, '[[reward]]\nuse = "rewards.py:same"')
    got = export("miles", path, tmp_path / "out", url="http://host:8000/remote_rm")
    assert got.files == {}
    named = export(
        "miles",
        mix_file(tmp_path, COMPARING.replace("rank", "asks")),
        tmp_path,
        url="http://h:1/?group_size=8",
        label="a b",
    )
    assert "--rm-url 'http://h:1/remote_rm?group_size=8&missing=mean&label=a%20b'" in named.instructions
    assert (
        "--rm-type remote_rm --rm-url 'http://host:8000/remote_rm?missing=mean&label=answer' \\\n--reward-key hub/total"
        in got.instructions
    )


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ('[[reward]]\nuse = "rewards.py:same"\nweight = [[0, 0.0], [9, 1.0]]', {}, "tell a reward no step"),
        (COMPARING, {"url": "http://host"}, "rank: needs whole groups, which remote_rm does not send"),
        (
            WAITING,
            {"url": "http://host"},
            "the reward 'waits' needs the column 'file', but remote_rm sends only",
        ),
        (TOKENS, {"url": "http://host"}, "'length' needs the column 'completion_ids'"),
        ('[[reward]]\nuse = "rewards.py:same"\n', {"url": "host:8000"}, "give the address of a service"),
        (MIX, {"url": "http://host", "label": "solution"}, "'same' needs the column 'answer'"),
    ],
)
def test_what_these_trainers_cannot_do_is_refused(
    tmp_path: Path, text: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        export("miles", mix_file(tmp_path, text), tmp_path / "out", **options)
