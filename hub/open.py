"""Opens what plugins offer by name: rewards, sandboxes, generators and engines."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.errors import GeneratorError, OptionError
from hub.find import find_reward
from hub.generator import Generator, GeneratorPlugin
from hub.options import check_options
from hub.plugins import load, open_target
from hub.sandbox import Sandbox

if TYPE_CHECKING:
    from hub.engine.interface import AnyEngine


def open_reward(use: str, /, **options: Any) -> Callable[[Any], Any]:
    """Open a reward for another one that asks it, in its constructor: plugins never import each other.

    There is no engine around it: no time limit but the asking reward's, no cache, and what it raises is
    raised. It sees the columns of the sample that it is given.

    Args:
        use: an installed name, or "path/to/file.py:name".
        options: its own.

    Returns:
        What scores: called with a sample (of a batch or group reward, a list of them), it returns what the
        reward returns; of an async one, what is to be awaited.

    Raises:
        UnknownName: no plugin offers it.
        OptionError: it does not take these options.
        MissingDependency: its library is not installed.
    """
    bound = find_reward(use).bind(options)
    found: Callable[..., Any] = bound.target.load()
    made: Callable[[Any], Any] = found(**options) if isinstance(found, type) else found
    return made


def open_sandbox(name: str, **options: Any) -> Sandbox:
    """Open an installed sandbox. A reward calls this in its constructor, so once per worker.

    Args:
        name: e.g. "local".
        options: its own.

    Raises:
        UnknownName: no plugin offers it.
        OptionError: it does not take these options.
        SandboxUnavailable: it cannot give the isolation it promises on this machine.
    """
    offer = load().sandboxes[name]
    make = open_target(offer.target, offer.origin)
    if isinstance(make, type):
        check_options(make, options, f"sandbox {name!r} of {offer.origin}")
    sandbox: Sandbox = make(**options)
    return sandbox


def open_generator(model: str, name: str | None = None, /, **options: Any) -> Generator:
    """Open what makes completions with a model.

    Args:
        model: a folder, a model id, the address of a server: whatever the generator takes.
        name: the generator; None: the first that accepts this form of model.
        options: its own, beside the model.

    Raises:
        UnknownName: no plugin offers it.
        OptionError: it does not take these options.
        GeneratorError: no generator accepts the model, or it cannot be loaded.
    """
    offer = find_generator(model, name)
    make = open_target(offer.target, offer.origin)
    if isinstance(make, type):
        if "model" in options:
            raise OptionError(f"generator {offer.name!r}: the model is given apart from the options")
        check_options(make, {"model": model, **options}, f"generator {offer.name!r} of {offer.origin}")
    generator: Generator = make(model, **options)
    return generator


def find_generator(model: str, name: str | None = None) -> GeneratorPlugin:
    """Return the generator of that name, or the first that accepts this form of model.

    Raises:
        UnknownName: no plugin offers it.
        GeneratorError: none accepts the model.
    """
    generators = load().generators
    if name is not None:
        return generators[name]
    for offer in generators:
        if offer.accepts(model):
            return offer
    known = ", ".join(generators.items) or "none is installed"
    raise GeneratorError(
        f"no generator accepts {model!r}: is it an existing folder, a model id like org/name, or "
        f"an address like http://host:port/v1? Or name one with --generator (known: {known})"
    )


def open_engine(name: str, **options: Any) -> "AnyEngine":
    """Open an engine that runs rewards elsewhere; give it to a mix, and close it when it is no longer needed.

    Args:
        name: e.g. "ray".
        options: its own.

    Raises:
        UnknownName: no plugin offers it.
        OptionError: it does not take these options.
        MissingDependency: its library is not installed.
        EngineError: it cannot be had now.
    """
    offer = load().engines[name]
    make = open_target(offer.target, offer.origin)
    check_options(make, options, f"engine {name!r} of {offer.origin}")
    engine: AnyEngine = make(**options)
    return engine
