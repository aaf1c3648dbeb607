"""What docs/scale.md lists is what the code has."""

import importlib
import inspect

import pytest

import hub
import hub_ray
from hub_ray.engine import STAY
from hub_ray.place import read_places
from tests.docs.test_pages import ROOT, tables

PAGE = tables("docs/scale.md")


def test_every_option_is_listed_with_its_default() -> None:
    rows = PAGE["option | default |"]
    parameters = inspect.signature(hub_ray.RayEngine).parameters
    assert [(row[0].strip("`"), row[1]) for row in rows] == [
        (name, str(parameter.default)) for name, parameter in parameters.items()
    ]


def test_every_lane_is_listed_with_where_it_runs() -> None:
    rows = PAGE["lane | runs"]
    assert {row[0].strip("`") for row in rows} == set(hub.Lane)
    assert {row[0].strip("`") for row in rows if row[1].startswith("with the caller")} == set(STAY)


@pytest.mark.parametrize("row", PAGE["limit | value | constant"], ids=lambda row: row[0])
def test_limits(row: list[str]) -> None:
    module, name = row[2].strip("`").split(".")
    value = getattr(importlib.import_module(f"hub_ray.{module}"), name)
    assert float(row[1]) == (value / 1e6 if name.endswith("_NS") else value)


def test_the_places_of_the_example_are_places() -> None:
    text = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    source = text.partition("```python file=places.py\n")[2].partition("```")[0]
    found: dict[str, dict[str, dict[str, float]]] = {}
    exec(source, {}, found)
    assert {place.actors for place in read_places(found["RESOURCES"]).values()} == {4, 8}
