"""Makes models without torch's compiler, whose import takes longer than loading a small model.

transformers makes a model without storage (on the device `meta`) and then reads its weights. There torch
2.13 computes through Python: functions that are never to be compiled import the compiler to say so, and
checks and types of numbers are made ready for symbols, with SymPy.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any

from hub.deferred import deferred, is_ours

_COMPILER, _SYMBOLS = "torch._dynamo", "torch.fx.experimental.symbolic_shapes"
_OF_PLAIN_NUMBERS: dict[str, Callable[..., Any]] = {
    "expect_true": bool,
    "guard_or_false": bool,
    "guard_or_true": bool,
    "guard_size_oblivious": bool,
    "guarding_hint_or_throw": lambda size: size,
    "has_guarding_hint": lambda size: True,
    "is_nested_int": lambda size: False,
    "statically_known_true": bool,
    "sym_and": lambda *conditions: all(conditions),
    "sym_eq": lambda one, other: one == other if isinstance(one, int) else tuple(one) == tuple(other),
    "sym_or": lambda *conditions: any(conditions),
}
"""What torch's functions for symbols say of what is none."""


@contextmanager
def without_compiler() -> Iterator[None]:
    """Within, a function that is not to be compiled is that function, and numbers are no symbols.

    Only where the process is a command's own and they are not imported yet. They are imported as ever where
    anything else of them is asked for, and afterwards.
    """
    if not is_ours() or _COMPILER in sys.modules or _SYMBOLS in sys.modules:
        yield
        return
    functions: list[Any] = []

    def disable(fn: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
        functions.append(fn)
        return fn

    def plain(name: str, answer: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*values: Any) -> Any:
            return answer(*values) if _are_plain(values) else getattr(symbols.real(), name)(*values)

        return ask

    compiler = _StandIn(_COMPILER, {"disable": disable})
    symbols = _StandIn(_SYMBOLS, {name: plain(name, answer) for name, answer in _OF_PLAIN_NUMBERS.items()})
    try:
        with deferred("sympy", "torch.distributed.tensor", calls=False):
            yield
    finally:
        symbols.leave()
        compiler.leave()
        for function in functions:
            with suppress(AttributeError):
                del function.__dynamo_disable  # where torch keeps what `disable` returned


def _are_plain(values: Iterable[Any]) -> bool:
    """Whether they are truth values, numbers, and tuples or lists of these."""
    return all(
        _are_plain(value) if isinstance(value, tuple | list) else type(value) in (bool, int, float)
        for value in values
    )


class _StandIn(ModuleType):
    """Is in a module's place until something is asked that it has not.

    Args:
        name: the module's.
        known: what it has.
    """

    def __init__(self, name: str, known: dict[str, Any]) -> None:
        super().__init__(name)
        self._known = known
        sys.modules[name] = self

    def leave(self) -> None:
        """Make room for the module itself."""
        parent, _, leaf = self.__name__.rpartition(".")
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        holder = vars(sys.modules[parent]) if parent in sys.modules else {}
        if holder.get(leaf) is self:
            del holder[leaf]

    def real(self) -> ModuleType:
        """Import the module itself."""
        self.leave()
        return import_module(self.__name__)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self and name in self._known:
            return self._known[name]
        return getattr(self.real(), name)
