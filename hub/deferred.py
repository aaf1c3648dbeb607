"""Imports that wait until what they bring is used, in a process that is a command's own.

A library imports at its beginning what only some of its users need. Within `deferred`, chosen packages are
not imported: names taken from them are stand-ins, which import the package, and become what they stand for,
when they are called or looked into. Afterwards the packages are imported as ever.

A stand-in can be called, asked for attributes, be a decorator or method, and be in `isinstance`, unions and
the bases of a class.

Not here: Python's own lazy imports (PEP 810), which come with Python 3.15.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import get_ident
from types import MethodType, ModuleType
from typing import Any

_ours = False
_finder: "_Finder | None" = None
"""What defers at this moment."""


def this_process_is_ours() -> None:
    """Let `deferred` do something: no program of somebody else will look at what libraries hold.

    Not where HUB_DEFER=0 is in the environment: the way to tell whether a failure has to do with it.
    """
    global _ours
    _ours = os.environ.get("HUB_DEFER") != "0"


def is_ours() -> bool:
    """Whether the process is a command's own."""
    return _ours


@contextmanager
def deferred(*packages: str, calls: bool = True) -> Iterator[None]:
    """Import without these packages, where the process is a command's own, and this thread.

    Where something in the block cannot wait, the packages are imported after all.

    Args:
        packages: dotted names; with each go those below it. One that is imported already, or is not
            installed, is left alone.
        calls: whether a call of a stand-in waits too, as it should while modules are made.
    """
    global _finder
    wanted = [name for name in packages if name not in sys.modules and _is_installed(name)]
    if not _ours or not wanted or _finder is not None:
        yield
        return
    _finder = _Finder(wanted, calls)
    sys.meta_path.insert(0, _finder)
    try:
        yield
    finally:
        _end()


def _end() -> None:
    """Let packages be imported as ever."""
    global _finder
    if _finder is None:
        return
    sys.meta_path.remove(_finder)
    for name in _finder.made:
        module, (parent, _, leaf) = sys.modules.pop(name), name.rpartition(".")
        holder = vars(sys.modules[parent]) if parent in sys.modules else {}
        if holder.get(leaf) is module:
            del holder[leaf]
    _finder = None


def _is_deferring() -> bool:
    return _finder is not None and _finder.thread == get_ident()


def _waits() -> bool:
    return _is_deferring() and _finder is not None and _finder.calls


def _is_installed(name: str) -> bool:
    top = name.partition(".")[0]
    return top in sys.modules or PathFinder.find_spec(top) is not None


class _Later:
    """Stands for what `make` returns.

    Args:
        module: where it comes from.
        label: what to call it.
        make: gets it.
    """

    def __init__(self, module: str, label: str, make: Callable[[], Any]) -> None:
        vars(self).update(_module=module, _label=label, _make=make)

    def _real(self) -> Any:
        _end()
        own = vars(self)
        if "_made" not in own:
            own["_made"] = self._make()
        return own["_made"]

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        def call() -> Any:
            return self._real()(*arguments, **options)

        return _Later(self._module, f"{self._label}()", call) if _waits() else call()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python asks of any object
            raise AttributeError(name)

        def look() -> Any:
            return getattr(self._real(), name)

        return _Later(self._module, f"{self._label}.{name}", look) if _waits() else look()

    def __get__(self, thing: object, kind: type | None = None) -> Any:
        return self if thing is None else MethodType(self, thing)

    def __instancecheck__(self, thing: object) -> bool:
        there = sys.modules.get(self._module)  # where it is not, nothing is an instance
        return there is not None and not isinstance(there, _Module) and isinstance(thing, self._real())

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._real(),)

    def __or__(self, other: Any) -> Any:
        return object

    __ror__ = __or__

    def __bool__(self) -> bool:
        """Classes and functions are true, and so is an instance of a class; of others nobody knows yet."""
        leaf = self._label.rpartition(".")[2]
        return True if leaf[:1].isupper() or not leaf.endswith("()") else bool(self._real())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._real())

    def __len__(self) -> int:
        return len(self._real())

    def __getitem__(self, key: Any) -> Any:
        return self._real()[key]


class _Module(ModuleType):
    """A package of which only names are taken."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = self.__name__
        if not _is_deferring():
            _end()
            return getattr(import_module(module), name)
        return _Later(module, f"{module}.{name}", lambda: getattr(import_module(module), name))


class _Finder(MetaPathFinder, Loader):
    """Gives stand-ins for packages, and keeps the names of those that it gave."""

    def __init__(self, packages: Sequence[str], calls: bool) -> None:
        self._packages, self.calls, self.thread = packages, calls, get_ident()
        self.made: list[str] = []

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        is_one = any(name == package or name.startswith(f"{package}.") for package in self._packages)
        found = is_one and self.thread == get_ident()
        return ModuleSpec(name, self, is_package=True) if found else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        self.made.append(spec.name)
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to be run."""
