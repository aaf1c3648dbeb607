"""Deferred packages: what is taken from them stands in for it, and becomes it when it is needed."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hub import deferred as module
from hub.deferred import deferred, this_process_is_ours

HEAVY = """\
loaded = True
class Base:
    size = 3
    def __len__(self): return 0
def double(x): return 2 * x
def mark(function): return lambda *a: ("marked", function(*a))
LIST = [1, 2]
"""
USER = """\
import heavy_package.part
from heavy_package.part import LIST, Base, double, mark
default = Base()
def is_one(x): return isinstance(x, Base)
class Holder:
    @mark
    def own(self): return "own"
    of: "Base"
def either(x: int | Base): return x
chosen = None or Base()
"""
EAGER = "from heavy_package.part import Base\nclass Mine(Base): pass\n"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A heavy package, and modules that import it."""
    (tmp_path / "heavy_package").mkdir()
    (tmp_path / "heavy_package/__init__.py").write_text("")
    (tmp_path / "heavy_package/part.py").write_text(HEAVY)
    (tmp_path / "user_of_heavy.py").write_text(USER)
    (tmp_path / "eager_user.py").write_text(EAGER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "_ours", False)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(("heavy_package", "user_of_heavy", "eager_user")):
            del sys.modules[name]


def is_loaded() -> bool:
    return "heavy_package.part" in sys.modules


def test_a_process_that_is_somebody_elses_imports_all(packages: Path) -> None:
    with deferred("heavy_package"):
        import user_of_heavy  # type: ignore[import-not-found]  # noqa: F401
    assert is_loaded()


def test_it_can_be_turned_off(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DEFER", "0")
    this_process_is_ours()
    with deferred("heavy_package"):
        import user_of_heavy  # noqa: F401
    assert is_loaded()


def test_what_is_taken_waits_until_it_is_needed(packages: Path) -> None:
    this_process_is_ours()
    with deferred("heavy_package", "no_such_package"):
        import user_of_heavy as user
    assert not is_loaded()
    assert user.is_one(3) is False
    assert not is_loaded(), "nothing is an instance of a class that is not there"
    assert user.double(4) == 8
    assert is_loaded()
    assert user.Base.size == 3
    assert user.Holder().own() == ("marked", "own")
    assert user.is_one(user.Base())
    assert user.default.size == 3
    assert [*user.LIST, len(user.LIST), user.LIST[1]] == [1, 2, 2, 2]
    assert user.heavy_package.part.loaded
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = user.double.nothing


def test_what_cannot_wait_imports_it(packages: Path) -> None:
    this_process_is_ours()
    with deferred("heavy_package"):
        import eager_user  # type: ignore[import-not-found]

        assert is_loaded()
        import heavy_package.part as part  # type: ignore[import-not-found]
    assert eager_user.Mine.__mro__[1] is part.Base
    assert not any(isinstance(one, module._Finder) for one in sys.meta_path)


def test_a_call_need_not_wait(packages: Path) -> None:
    this_process_is_ours()
    with deferred("heavy_package", calls=False):
        from heavy_package.part import Base, double

        assert not isinstance(3, Base)
        assert not is_loaded() or isinstance(sys.modules["heavy_package.part"], module._Module)
        assert double(2) == 4
    assert is_loaded()


def test_what_raises_leaves_nothing_behind(packages: Path) -> None:
    this_process_is_ours()
    with suppress(ZeroDivisionError), deferred("heavy_package"):
        import heavy_package.part  # noqa: F401

        raise ZeroDivisionError
    assert not any(name.startswith("heavy_package") for name in sys.modules)
    import heavy_package.part as part

    assert part.double(1) == 2
