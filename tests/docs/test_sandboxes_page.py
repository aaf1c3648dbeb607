"""What docs/sandboxes.md lists is what the code has."""

import dataclasses
import inspect

import hub
from hub.testing import SandboxSuite
from hub_local.languages import ALIASES, LANGUAGES
from tests.docs.test_pages import column, tables

PAGE = tables("docs/sandboxes.md")


def test_every_verdict_is_listed() -> None:
    assert column("docs/sandboxes.md", "verdict | the program") == [str(verdict) for verdict in hub.Verdict]


def test_every_limit_is_listed_with_its_default() -> None:
    rows = PAGE["limit | default | what happens there"]
    listed = [(row[0].strip("`"), row[1]) for row in rows]
    assert listed == [(field.name, str(field.default)) for field in dataclasses.fields(hub.Limits)]


def test_every_language_is_listed_with_its_command() -> None:
    rows = [
        [cell.replace("`", "") for cell in row] for row in PAGE["language | also called | needs | command"]
    ]
    found = {name: [also for also, is_ in ALIASES.items() if is_ == name] for name in ["python", *LANGUAGES]}
    assert {row[0]: [also for also in row[1].split(", ") if also] for row in rows} == found
    for name, _, needs, command in rows[1:]:
        language = LANGUAGES[name]
        assert (needs, command) == (language.needs, " ".join(language.compile or language.run))


def test_every_attribute_of_the_suite_is_listed_with_its_default() -> None:
    rows = PAGE["attribute | default |"]
    assert [row[0].strip("`") for row in rows] == list(inspect.get_annotations(SandboxSuite))
    for name, default in ((row[0].strip("`"), row[1].strip("`")) for row in rows):
        if default and default != "every verdict":
            assert default == str(getattr(SandboxSuite, name))
    assert set(SandboxSuite.tells) == set(hub.Verdict)
