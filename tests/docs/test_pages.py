"""The documentation's tables and headings say what the code says."""

import ast
import dataclasses
import inspect
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import hub
import hub.testing
from hub import errors, hookspecs
from hub.cli.main import BUILT_IN
from hub.engine.call import failure_of
from hub.mix import config
from hub.plugins import DISTRIBUTION, load
from hub.reward import DEFAULT_TIMEOUT_S
from hub_trl.recipe import DataTable, EvaluateTable, ModelTable

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tables(name: str) -> dict[str, list[list[str]]]:
    """The rows of all tables of a page that have the same header, by that header."""
    found: dict[str, list[list[str]]] = {}
    rows: list[list[str]] | None = None
    for line in page(name).splitlines():
        if not line.startswith("|"):
            rows = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if rows is None:
            rows = found.setdefault(" | ".join(cells).strip(), [])
        elif set("".join(cells)) - set("-: "):
            rows.append(cells)
    return found


def column(name: str, table: str, number: int = 0) -> list[str]:
    return [row[number].strip("`") for row in tables(name)[table]]


def doc_after(source: str, kind: str) -> dict[str, str]:
    """The strings that document the members of an enumeration, by member name."""
    (body,) = (
        node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == kind
    )
    found = {}
    for member, doc in itertools.pairwise(body):
        if isinstance(member, ast.Assign) and isinstance(doc, ast.Expr):
            assert isinstance(member.targets[0], ast.Name)
            found[member.targets[0].id] = ast.literal_eval(doc.value)
    return found


def test_every_hook_has_a_heading_with_its_true_signature() -> None:
    hooks = {
        name: str(inspect.signature(function)).replace('"', "").replace("'", "")
        for name, function in vars(hookspecs).items()
        if name.startswith("hub_")
    }
    headings = re.findall(r"^### `(hub_\w+)(.*)`$", page("docs/plugins.md"), re.MULTILINE)
    assert dict(headings) == hooks


def test_the_list_of_failures_is_the_closed_list() -> None:
    docs = doc_after(inspect.getsource(hub.score), "Failure")
    rows = [[f"`{failure}`", failure.fault, docs[failure.name]] for failure in hub.Failure]
    assert tables("docs/plugins.md")["reason | fault | what happened"] == rows


def test_the_list_of_errors_is_whole_and_says_what_they_become() -> None:
    rows = tables("docs/plugins.md")["error | raised where | raised by a reward on a sample"]
    mine = [kind for kind in vars(errors).values() if getattr(kind, "__module__", "") == errors.__name__]
    known = {kind.__name__: kind for kind in mine if isinstance(kind, type) and kind is not errors.HubError}
    assert [row[0].strip("`") for row in rows] == list(known)
    for name, _, reason in rows:
        error = known[name.strip("`")]("", "", ()) if name == "`UnknownName`" else known[name.strip("`")]()
        assert str(failure_of(error).reason) == reason.strip("`"), name


def test_every_attribute_of_a_reward_suite_is_listed() -> None:
    attributes = inspect.get_annotations(hub.testing.RewardSuite)
    rows = tables("docs/plugins.md")["attribute | default |"]
    assert [row[0].strip("`") for row in rows] == list(attributes)
    for name, default in ((row[0].strip("`"), row[1].strip("`")) for row in rows):
        if default:
            assert default == str(getattr(hub.testing.RewardSuite, name))


def test_every_argument_of_a_reward_is_listed() -> None:
    fields = {field.name: field.default for field in dataclasses.fields(hub.Reward)}
    listed = column("docs/plugins.md", "argument | default |")
    assert set(listed) == set(fields) - {"target", "origin"}
    defaults = dict(zip(listed, column("docs/plugins.md", "argument | default |", 1), strict=True))
    for name in ("setup_timeout_s", "memory_mb", "concurrency", "deterministic", "uses", "preload", "range"):
        default = fields[name]
        assert defaults[name] == (f"{default:g}" if isinstance(default, float) else str(default))


def test_the_lanes_and_their_limits() -> None:
    rows = tables("docs/plugins.md")["lane | default of | limit | where"]
    listed = {row[0].strip("`"): row[2] for row in rows}
    limits = {
        str(lane): "none" if limit is None else f"{limit:g} s" for lane, limit in DEFAULT_TIMEOUT_S.items()
    }
    assert listed == limits


def test_verdicts_of_a_sandbox() -> None:
    text = page("docs/plugins.md")
    assert all(f"`{verdict}`" in text for verdict in hub.Verdict)


def test_every_key_of_a_mix_is_listed() -> None:
    assert column("docs/mixes.md", "key | default |") == [*config._KEYS, *config._REWARD_KEYS]


def test_every_key_of_a_recipe_is_listed() -> None:
    kinds = (ModelTable, DataTable, EvaluateTable)
    fields = [field.name for kind in kinds for field in dataclasses.fields(kind)]
    assert column("docs/training.md", "key | default |") == fields


def headings(path: Path) -> list[str]:
    """What links to the sections of a page are called, in their order."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_section_is_there_twice(path: Path) -> None:
    assert [name for name, times in Counter(headings(path)).items() if times > 1] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        file, _, heading = target.partition("#")
        assert (path.parent / file).exists(), f"{path.name}: {target}"
        if heading and (not file or file.endswith(".md")):
            assert heading in headings(path.parent / file if file else path), f"{path.name}: {target}"


@pytest.mark.parametrize(
    "kind",
    ["reward", "benchmark", "benchmark family", "generator", "sandbox", "trainer", "engine", "command"],
)
def test_the_readme_lists_what_ships(kind: str) -> None:
    found = load()
    registries: tuple[Any, ...] = (
        found.rewards,
        found.benchmarks,
        found.families,
        found.generators,
        found.sandboxes,
        found.trainers,
        found.engines,
        found.commands,
    )
    (registry,) = (each for each in registries if each.kind == kind)
    ships = [offer for offer in registry if offer.origin.distribution == DISTRIBUTION]
    ships += BUILT_IN if kind == "command" else ()
    prefix = "hub " if kind == "command" else ""
    listed = tables("README.md").get(f"{kind} |", [])
    offered = [[f"`{prefix}{offer.name}`", offer.summary.rstrip(".")] for offer in ships]
    assert listed == sorted(offered)
