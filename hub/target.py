"""What computes a reward, named so that another process can find it."""

import hashlib
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from hub.errors import MissingDependency, PluginError, UnknownName
from hub.origin import Origin


@dataclass(frozen=True)
class Target:
    """A function or class that can be found again in a worker process.

    Args:
        module: its module's import name; "" when it travels by value.
        name: dotted name within the module.
        file: the module's file, for a module that a fresh interpreter could not import; else "".
        pickled: cloudpickle bytes of something defined in a notebook, `__main__` or a function.
        here: the thing itself, for one of those that stays in this process.
        origin: who offers it, for messages.
    """

    module: str
    name: str
    file: str = ""
    pickled: bytes = b""
    here: Any = None
    origin: Origin = Origin()

    def __str__(self) -> str:
        return f"{self.file or self.module or 'notebook'}:{self.name}"

    @classmethod
    def of(cls, thing: Callable[..., Any] | str, origin: Origin, *, stays: bool = False) -> "Target":
        """Describe "package.module:name", or a function or class.

        Args:
            thing: what computes.
            origin: who offers it.
            stays: it is only used in this process, so need not be able to leave it.

        Raises:
            PluginError: it cannot be sent to another process, or the text has another form.
        """
        if isinstance(thing, str):
            module, colon, name = thing.partition(":")
            if not (module and colon and name):
                raise PluginError(f"{thing!r} of {origin} is not of the form 'package.module:name'")
            return cls(module, name, origin=origin)
        module_name = getattr(thing, "__module__", None) or ""
        name = getattr(thing, "__qualname__", "") or ""
        module_now = sys.modules.get(module_name)
        if module_name != "__main__" and module_now and _attribute(module_now, name) is thing:
            file = getattr(module_now, "__file__", None) or ""
            return cls(module_name, name, "" if _importable(module_name) else file, origin=origin)
        if stays:
            return cls("", name, here=thing, origin=origin)
        return cls("", name, pickled=_by_value(thing, module_now), origin=origin)

    @property
    def identity(self) -> str:
        """What makes a cached score valid: the code's name and version."""
        if self.here is not None:
            return f"{self.name}#{id(self.here)}"
        if self.pickled:
            return hashlib.sha256(self.pickled).hexdigest()
        if self.file or not self.origin.distribution:
            source = self.file or getattr(sys.modules.get(self.module), "__file__", None) or ""
            return f"{self}@{_digest(source)}"
        return f"{self}@{self.origin}"

    def load(self) -> Any:
        """Return the function or class, importing its module if need be.

        Raises:
            MissingDependency: its module imports a library that is not installed.
            PluginError: its module raises, or has no such name.
        """
        if self.here is not None:
            return self.here
        if self.pickled:
            import cloudpickle

            return cloudpickle.loads(self.pickled)
        try:
            # Not sys.modules, which holds what another thread has only begun to import.
            module = load_file(self.file, self.module) if self.file else importlib.import_module(self.module)
        except ModuleNotFoundError as error:
            raise missing_dependency(error, str(self), self.origin) from error
        except Exception as error:
            raise PluginError(
                f"{self} of {self.origin} cannot be imported: {type(error).__name__}: {error}"
            ) from error
        found = _attribute(module, self.name)
        if found is None:
            raise UnknownName(f"function in {self.file or self.module}", self.name, _public(module))
        return found


_loading = threading.RLock()


def load_file(path: str, name: str = "") -> ModuleType:
    """Import a Python file that is not on the path; once per place and content.

    Args:
        path: the file. Its folder is added to the end of `sys.path`, so that it finds its siblings.
        name: the module name to give it; by default one made of a digest of its path and content.
    """
    file = Path(path).resolve()
    where = hashlib.sha256(f"{file}\n{_digest(str(file))}".encode()).hexdigest()
    name = name or f"hub_file_{file.stem}_{where[:12]}"
    with _loading:
        return sys.modules[name] if name in sys.modules else _load_file(file, name)


def _load_file(file: Path, name: str) -> ModuleType:
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def missing_dependency(error: ModuleNotFoundError, what: str, origin: Origin) -> MissingDependency:
    """Turn a failed import into: plugin, what it needs, the pip command."""
    from importlib.metadata import PackageNotFoundError, metadata

    package = (error.name or str(error)).partition(".")[0]
    command = f"pip install {package}"
    if origin.distribution:
        try:
            extras = metadata(origin.distribution).get_all("Provides-Extra") or []
        except PackageNotFoundError:
            extras = []
        wanted = origin.plugin.replace("_", "-")
        if wanted in extras:
            command = f"pip install '{origin.distribution}[{wanted}]'"
    return MissingDependency(f"{what} of {origin} needs {package!r}, which is not installed: {command}")


def _importable(module: str) -> bool:
    """Whether a fresh interpreter with this one's `sys.path` would find the same file."""
    path: Any = None
    spec = None
    parts = module.split(".")
    for end in range(len(parts)):
        spec = _find_spec(".".join(parts[: end + 1]), path)
        if spec is None:
            return False
        path = spec.submodule_search_locations
    here = getattr(sys.modules.get(module), "__file__", None)
    return here is None or spec is None or spec.origin is None or _same(here, spec.origin)


def _find_spec(name: str, path: Any) -> ModuleSpec | None:
    # Not importlib.util.find_spec: that answers from sys.modules, whatever put the module there.
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, path)
        except (ImportError, AttributeError, ValueError):
            continue
        if spec is not None:
            return spec
    return None


def _same(one: str, other: str) -> bool:
    return Path(one).resolve() == Path(other).resolve()


def _by_value(thing: object, module: ModuleType | None) -> bytes:
    import cloudpickle

    near = module is not None and module.__name__ != "__main__" and not _importable(module.__name__)
    if near:
        cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(thing))
    except Exception as error:
        raise PluginError(
            f"{thing!r} cannot be sent to a worker process: {type(error).__name__}: {error}. Define it "
            "at the top of a module, without what cannot be sent; or give it another lane (docs/plugins.md)"
        ) from error
    finally:
        if near:
            cloudpickle.unregister_pickle_by_value(module)


def _attribute(module: ModuleType, dotted: str) -> Any:
    found: Any = module
    for part in dotted.split("."):
        found = getattr(found, part, None)
    return found


def _public(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if callable(value) and name[0] != "_"]


def _digest(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return "unknown"
