"""`hub export`: writes what a trainer plugin says, and nothing else."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, HubError, OptionError, PluginError, UnknownName
from hub.origin import Origin
from hub.plugins import load
from hub.training.export import export
from hub.training.from_file import digest, gatherer_of, mix_of

MIX = '[[reward]]\nuse = "think-format"\n'


def plain(
    mix: hub.Mix, *, path: Path, sha256: str, out: Path, group_size: int = 4, names: str = ""
) -> hub.Exported:
    text = f"{mix.names} {path.name} {sha256[:4]} {group_size}"
    return hub.Exported(dict.fromkeys(names.split() or ["a/reward.py"], text), f"--flag {out.name}")


def wrong(mix: hub.Mix, *, path: Path, sha256: str, out: Path) -> str:
    return "files"


@pytest.fixture
def mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("plain", "wrong"):
        offer = hub.TrainerPlugin(
            name, f"test_export_targets:{name}", "A test's.", Origin("test", "test", "1")
        )
        monkeypatch.setitem(load().trainers.items, name, offer)
    monkeypatch.setitem(sys.modules, "test_export_targets", sys.modules[__name__])
    (tmp_path / "mix.toml").write_text(MIX)
    return tmp_path / "mix.toml"


def test_writes_the_files_and_tells_the_flags(mix: Path, tmp_path: Path) -> None:
    exported = export("plain", mix, tmp_path / "out", group_size=8)
    assert exported.instructions == "--flag out"
    text = (tmp_path / "out" / "a" / "reward.py").read_text()
    assert text == f"('think-format',) mix.toml {digest(mix)[:4]} 8"


def test_the_columns_that_a_mix_needs_are_told(mix: Path, tmp_path: Path) -> None:
    routed = '[[reward]]\nuse = "math"\nwhen = { task = "math" }\n\n[[reward]]\nuse = "numeric"\nmap = { answer = "gold" }\n'
    mix.write_text(routed)
    told = "# columns that the mix needs: task (math), gold (numeric)\n"
    assert export("plain", mix, tmp_path / "out").instructions == f"{told}--flag out"


def test_writes_over_nothing_that_differs(mix: Path, tmp_path: Path) -> None:
    export("plain", mix, tmp_path)
    export("plain", mix, tmp_path)  # the same again is no harm
    with pytest.raises(ConfigError, match="--overwrite"):
        export("plain", mix, tmp_path, group_size=2)
    assert (tmp_path / "a" / "reward.py").read_text().endswith(" 4")
    export("plain", mix, tmp_path, group_size=2, overwrite=True)
    assert (tmp_path / "a" / "reward.py").read_text().endswith(" 2")


def test_what_is_in_the_way_is_told(mix: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "a" / "reward.py").mkdir(parents=True)
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match=r"reward.py is a folder, where a file is to be written"):
            export("plain", mix, tmp_path / "out", overwrite=overwrite)
    for where in (mix, mix / "below", Path("/proc/hub")):
        with pytest.raises(ConfigError, match=rf"{where}.*: cannot be written: .*; give another --out"):
            export("plain", mix, where)
    assert mix.read_text() == MIX


@pytest.mark.parametrize(
    ("trainer", "options", "error", "message"),
    [
        ("verll", {}, UnknownName, "unknown trainer 'verll'"),
        ("plain", {"group": 3}, OptionError, "no option 'group'"),
        ("plain", {"grup": 3}, OptionError, r"no option 'grup' \(known: group_size, names\)"),
        ("plain", {"group_size": "many"}, OptionError, "should be int"),
        ("plain", {"group_size": 0}, OptionError, "'group_size' is 0, but should be at least 1"),
        *[
            ("plain", {name: "else"}, OptionError, f"no option '{name}'")
            for name in ("path", "sha256", "mix", "trainer", "mix_path", "out")
        ],
        ("plain", {"names": "fine.py ../out.py"}, PluginError, "outside the folder"),
        ("plain", {"names": "/etc/reward.py"}, PluginError, "outside the folder"),
        ("wrong", {"group": 3}, OptionError, "no option 'group', and no other$"),
        ("wrong", {}, PluginError, "not a hub.Exported"),
    ],
)
def test_what_is_wrong_writes_nothing(
    mix: Path, tmp_path: Path, trainer: str, options: dict[str, Any], error: type[HubError], message: str
) -> None:
    with pytest.raises(error, match=message):
        export(trainer, mix, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read: No such file"),
        ("[[reward]]\nuse = 'think-formt'\n", "did you mean 'think-format'"),
        ("reward = 3", "mix.toml"),
    ],
)
def test_a_wrong_mix_is_found_before_training(
    mix: Path, tmp_path: Path, text: str | None, message: str
) -> None:
    mix.unlink() if text is None else mix.write_text(text)
    with pytest.raises(HubError, match=message):
        export("plain", mix, tmp_path / "out")


def test_a_mix_that_changed_since_is_refused(mix: Path) -> None:
    exported = digest(mix)
    assert mix_of(mix, exported).names == ("think-format",)
    gatherer = gatherer_of(mix, exported, 4)
    assert gatherer_of(mix, exported, 4) is gatherer
    assert gatherer_of(mix, exported, 8) is not gatherer
    mix.write_text(MIX + "weight = 2.0\n")
    assert gatherer_of(mix, exported, 4) is gatherer, "what runs goes on with what it began with"
    with pytest.raises(ConfigError, match="has changed since it was exported"):
        gatherer_of(mix, exported, 16)
    assert mix_of(mix).weights() == {"think-format": 2.0}


def test_a_reward_file_that_changed_since_is_refused(tmp_path: Path) -> None:
    code = "import hub\n\n@hub.reward(needs=[])\ndef mine(sample: hub.Sample) -> float:\n    return {}\n"
    (tmp_path / "mine.py").write_text(code.format("1.0"))
    (tmp_path / "mix.toml").write_text('[[reward]]\nuse = "mine.py:mine"\n')
    exported = digest(tmp_path / "mix.toml")
    assert mix_of(tmp_path / "mix.toml", exported).names == ("mine",)
    (tmp_path / "mine.py").write_text(code.format("7.0"))
    with pytest.raises(ConfigError, match="or a reward that it names, has changed"):
        mix_of(tmp_path / "mix.toml", exported)


def test_the_command_names_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_text(MIX)
    command = [str(Path(sys.executable).with_name("hub")), "export", "nothing", "mix.toml", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown trainer 'nothing'" in done.stderr
    command[2:4] = ["trl", "mix.toml"]
    done = subprocess.run(
        [*command, "--with", "group_size"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "should be OPTION=VALUE" in done.stderr
    done = subprocess.run(
        [*command, "--with", "overwrite=true"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "give --overwrite" in done.stderr
