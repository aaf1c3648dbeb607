"""Discovery: what is broken is named and hides nothing."""

import json
import subprocess
import sys
import textwrap
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import hub
from hub.errors import PluginError, UnknownName
from hub.origin import Origin
from hub.plugins import Hub, find_entry_points, open_target

GOOD = """
import hub

@hub.reward
def {name}(sample):
    "Says yes."
    return 1.0

@hub.hookimpl
def hub_rewards():
    yield {name}
"""

BROKEN = {
    "import-error": ("import a_module_that_nobody_has", "No module named 'a_module_that_nobody_has'"),
    "raises": ("raise RuntimeError('on import')", "RuntimeError: on import"),
    "syntax": ("def (", "SyntaxError"),
    "unknown-hook": ("import hub\n@hub.hookimpl\ndef hub_reward(): yield 1", "unknown hook 'hub_reward'"),
    "wrong-argument": ("import hub\n@hub.hookimpl\ndef hub_scored(batches): pass", "batches"),
    "hook-raises": ("import hub\n@hub.hookimpl\ndef hub_rewards(): raise ValueError('no')", "ValueError: no"),
    "exits": ("raise SystemExit('no licence')", "SystemExit: no licence"),
    "no-mark": ("def hub_rewards(): yield 1", "its hub_rewards is not marked with @hub.hookimpl"),
    "bad-argument": (
        "import hub\n@hub.reward(timeout=3)\ndef f(sample): return 1",
        "no argument 'timeout': did you mean 'timeout_s'",
    ),
    "not-a-reward": ("import hub\n@hub.hookimpl\ndef hub_rewards(): yield 5", "5 is not a reward"),
    "not-a-benchmark": ("import hub\n@hub.hookimpl\ndef hub_benchmarks(): yield 5", "not a hub.Benchmark"),
    "bad-lane": (
        "import hub\n@hub.hookimpl\ndef hub_rewards(): yield hub.Reward('x', 'm:f', lane='gpu')",
        "lane is one of process, inline, async, batch, not 'gpu'",
    ),
}


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("HUB_PLUGINS", raising=False)
    monkeypatch.delenv("HUB_DISABLE", raising=False)
    return tmp_path


def add(found: Hub, folder: Path, name: str, source: str, distribution: str = "hub-test") -> None:
    module = f"module_{name.replace('-', '_')}_{distribution.replace('-', '_')}"
    (folder / f"{module}.py").write_text(source)
    origin = Origin(name, distribution, "1.2")
    found.add_entry_point(EntryPoint(name, module, "hub"), origin)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_and_hides_no_other(modules: Path, name: str) -> None:
    source, words = BROKEN[name]
    found = Hub()
    add(found, modules, "before", GOOD.format(name="first"))
    add(found, modules, name, source)
    add(found, modules, "after", GOOD.format(name="last"))
    assert set(found.rewards.items) == {"first", "last"}
    (problem,) = found.plugins[1].problems
    assert words in problem
    assert str(found.plugins[1].origin) == "hub-test 1.2"
    with pytest.raises(UnknownName, match=rf"see `hub plugins`: {name}|{name} of hub-test 1.2"):
        found.rewards["zzz"]
    with pytest.raises(UnknownName, match=r"did you mean 'first'\?$"):
        found.rewards["frist"]


def test_a_taken_name_is_refused_and_names_both_owners(modules: Path) -> None:
    found = Hub()
    add(found, modules, "one", GOOD.format(name="same"), "hub-one")
    both = GOOD.format(name="same") + "    yield hub.Reward('other', 'm:f')\n"
    add(found, modules, "two", both, "hub-two")
    add(found, modules, "one", GOOD.format(name="third"), "hub-three")
    assert found.rewards["same"].origin == Origin("one", "hub-one", "1.2")
    assert found.rewards["other"].origin == Origin("two", "hub-two", "1.2")
    assert "'same' is taken by hub-one 1.2" in found.plugins[1].problems[0]
    assert "'one' is taken by hub-one 1.2" in found.plugins[2].problems[0]
    assert "third" not in found.rewards


FAMILY = """
import hub
from hub.errors import UnknownName

@hub.hookimpl
def hub_benchmarks():
    yield hub.BenchmarkFamily("times", "module_times_hub_test:make", "module_times_hub_test:names", "NAME times.")
    yield hub.Benchmark("times/one", "m:rows", {}, "Listed by name.")
    yield hub.BenchmarkFamily("times", "m:f", "m:f", "Taken.")

def names():
    return ["two", "three"]

def make(rest):
    if rest == "strange":
        return hub.Benchmark("other/strange", "m:rows", {}, "Not its own.")
    if rest not in names():
        raise UnknownName("benchmark", f"times/{rest}", [f"times/{name}" for name in names()])
    return hub.Benchmark(f"times/{rest}", lambda split: [{"id": rest, "prompt": rest}], {}, "Made.")
"""


def test_a_family_makes_a_benchmark_when_it_is_asked_for(modules: Path) -> None:
    found = Hub()
    add(found, modules, "times", FAMILY)
    made = found.benchmarks["times/two"]
    assert (made.name, made.summary, made.origin) == (
        "times/two",
        "Made.",
        Origin("times", "hub-test", "1.2"),
    )
    assert open_target(made.rows, made.origin)("test") == [{"id": "two", "prompt": "two"}]
    assert found.benchmarks["times/one"].summary == "Listed by name."
    assert ("times/two" in found.benchmarks, "times/four" in found.benchmarks) == (True, False)
    assert [one.name for one in found.benchmarks] == ["times/one"]
    (plugin,) = found.plugins
    assert plugin.offers == {"benchmark family": ["times"], "benchmark": ["times/one"]}
    (problem,) = plugin.problems
    assert problem == "the benchmark family name 'times' is taken by hub-test 1.2; this one is left out"


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("times/twoo", UnknownName, "did you mean 'times/two'"),
        ("times", UnknownName, "a family: times/NAME"),
        ("times/", UnknownName, "a family: times/NAME"),
        ("time/two", UnknownName, "did you mean 'times/one'|hub plugins"),
        ("times/strange", PluginError, "not a benchmark of its own"),
    ],
)
def test_what_a_family_has_not(modules: Path, name: str, error: type[Exception], words: str) -> None:
    found = Hub()
    add(found, modules, "times", FAMILY)
    with pytest.raises(error, match=words):
        found.benchmarks[name]


def test_plugins_can_be_chosen_and_left_out(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value, kept in (("HUB_PLUGINS", "a, b", "ab"), ("HUB_DISABLE", "b", "ac")):
        monkeypatch.setenv(variable, value)
        found = Hub()
        for name in "abc":
            add(found, modules, name, GOOD.format(name=name))
        assert "".join(found.rewards.items) == kept
        (left_out,) = {"a", "b", "c"} - set(kept)
        with pytest.raises(UnknownName, match=f"'{left_out}' is disabled by"):
            found.rewards[left_out]
        monkeypatch.delenv(variable)


def test_an_unknown_name_says_what_to_install() -> None:
    with pytest.raises(UnknownName, match="pip install hub-rhyme"):
        Hub().rewards["rhyme"]


def test_a_listener_that_raises_changes_nothing(
    modules: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found = Hub()
    add(found, modules, "bad", "import hub\n@hub.hookimpl\ndef hub_scored(batch): raise ValueError('no')")
    heard = "import hub\nheard = []\n@hub.hookimpl\ndef hub_scored(batch): heard.append(batch)"
    add(found, modules, "good", heard)
    monkeypatch.setattr("hub.mix.mix.load", lambda: found)
    (result,) = hub.Mix({_yes: 2.0}).score([hub.Sample("", "x")], step=7)
    assert result.value == 2.0
    (batch,) = sys.modules["module_good_hub_test"].heard
    assert (batch.step, batch.results[0].value) == (7, 2.0)
    assert "plugin bad failed in hub_scored" in caplog.text


@hub.reward(lane="inline")
def _yes(sample: hub.Sample) -> float:
    return 1.0


def test_ours_come_first_and_no_other_can_take_their_names() -> None:
    names = [origin.distribution for _, origin in find_entry_points()]
    ours = [name == "posttrain-hub" for name in names]
    assert ours == sorted(ours, reverse=True)
    assert any(ours)


HEAVY = ("torch", "transformers", "sympy", "datasets", "lm_eval", "numpy", "trl", "pandas", "math_verify")


@pytest.mark.parametrize("arguments", [["--help"], ["plugins"], ["plugins", "--json"]])
def test_listing_imports_nothing_heavy(arguments: list[str]) -> None:
    script = f"""
        import sys
        from hub.cli.main import main
        try:
            main({arguments!r})
        except SystemExit as end:
            status = end.code
        heavy = [name for name in {HEAVY!r} if name in sys.modules]
        assert not heavy, heavy
        sys.exit(status)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if "--json" in arguments:
        listed = {plugin["name"]: plugin for plugin in json.loads(done.stdout)}
        assert "think-format" in listed["format"]["offers"]["reward"]
        assert listed["format"]["distribution"] == "posttrain-hub"
        assert listed["format"]["import_ms"] > 0


def test_everything_exported_is_there() -> None:
    assert sorted(hub.__all__) == hub.__all__
    for name in hub.__all__:
        assert getattr(hub, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        hub.nonsense  # noqa: B018
