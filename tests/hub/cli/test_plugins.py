"""`hub` itself and `hub plugins`, as a person runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HUB = str(Path(sys.executable).with_name("hub"))


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [HUB, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


def test_help_lists_commands_of_plugins_too() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in ("eval", "plugins", "score", "train"):
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scoer"], "did you mean 'score'"),
        (["plugins", "--jsn"], "--json"),
        (["plugins", "think-fromat"], "did you mean 'think-format'"),
    ],
)
def test_wrong_usage_is_one_message_without_a_traceback(arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback() -> None:
    done = run("--debug", "plugins", "think-fromat")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_plugins_shows_a_broken_distribution(tmp_path: Path) -> None:
    info = tmp_path / "hub_broken-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hub-broken\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text("[hub]\nbroken = a_module_that_nobody_has\n")
    done = run("plugins", PYTHONPATH=str(tmp_path), COLUMNS="120")
    assert done.returncode == 1
    assert "broken of hub-broken 2.5: cannot be imported: ModuleNotFoundError" in done.stdout
    assert "think-format" in done.stdout
    listed = json.loads(run("plugins", "--json", PYTHONPATH=str(tmp_path)).stdout)
    assert [plugin["name"] for plugin in listed if plugin["problems"]] == ["broken"]
    assert run("plugins", PYTHONPATH=str(tmp_path), HUB_DISABLE="broken").returncode == 0


def test_all_that_is_known_of_one_reward() -> None:
    done = run("plugins", "think-format", "--json")
    (facts,) = json.loads(done.stdout)
    assert facts["kind"] == "reward"
    assert facts["name"] == "think-format"
    assert facts["options"]
    assert "posttrain-hub" in facts["origin"]
    assert facts["lane"] == "inline"


@pytest.mark.parametrize(
    ("name", "option", "known", "left_out"),
    [
        ("length", "max", {"type": "int | None", "default": "None"}, "sample"),
        (
            "arithmetic",
            "rows",
            {"type": "int", "default": "500", "about": "how many, all different."},
            "split",
        ),
        ("openai", "concurrency", {"type": "int", "default": "16", "about": "requests at once."}, "model"),
        ("here", "room", {"type": "str", "default": "", "about": "where. Over two lines."}, "self"),
    ],
)
def test_options_of_every_kind_are_shown(
    name: str, option: str, known: dict[str, str], left_out: str, tmp_path: Path
) -> None:
    install(tmp_path, "place", SANDBOX)
    done = run("plugins", name, "--json", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    (facts,) = json.loads(done.stdout)
    assert known.items() <= facts["options"][option].items()
    assert left_out not in facts["options"]
    assert f"    {option}: " in run("plugins", name, PYTHONPATH=str(tmp_path)).stdout


SANDBOX = '''
import hub

@hub.hookimpl
def hub_sandboxes():
    yield hub.SandboxPlugin("here", "place:Here", "Nowhere.")

@hub.hookimpl
def hub_generators():
    yield hub.GeneratorPlugin("lost", "a_module_that_nobody_has:Lost", "Nothing.")

class Here:
    """A place.

    Args:
        room: where.
            Over two lines.

    Raises:
        OSError: never.
    """

    def __init__(self, room: str):
        pass
'''


def install(folder: Path, name: str, source: str) -> None:
    (folder / f"{name}.py").write_text(source)
    info = folder / f"hub_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: hub-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[hub]\n{name} = {name}\n")


def test_an_offer_that_cannot_be_imported_says_why(tmp_path: Path) -> None:
    install(tmp_path, "place", SANDBOX)
    done = run("plugins", "lost", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "pip install a_module_that_nobody_has" in done.stdout


def test_lane_and_time_limit_are_those_that_hold() -> None:
    facts = next(
        one for one in json.loads(run("plugins", "math", "--json").stdout) if one["kind"] == "reward"
    )
    assert (facts["lane"], facts["timeout_s"]) == ("process", 10.0)
    assert "timeout_s        no limit" in run("plugins", "think-format").stdout
