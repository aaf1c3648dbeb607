"""What runs the rewards of a service: this process's own engine, or one that the operator names."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import hub
from hub.engine.interface import AnyEngine
from hub.errors import ConfigError


def open_engine(name: str | None, options: Mapping[str, Any], workers: int | None) -> AnyEngine:
    """Open an engine.

    Args:
        name: None for `hub.Engine`; else what a plugin offers, e.g. "ray", or "package.module:factory" of a
            callable that takes the options and returns a `hub.AnyEngine`. It comes from the command line
            alone: no request can name it.
        options: for the engine that is named.
        workers: worker processes of `hub.Engine`.

    Raises:
        ConfigError: there is no such factory, or the options do not go with the engine.
        HubError: as `hub.open_engine`.
    """
    if name is None:
        if options:
            raise ConfigError(f"--engine-option {next(iter(options))}: goes with --engine")
        return hub.Engine(workers, apart=True)
    if workers is not None:
        raise ConfigError("--workers is for the engine of this process; --engine has options of its own")
    module, colon, attribute = name.partition(":")
    if not colon:
        return hub.open_engine(name, **options)
    try:
        factory = getattr(import_module(module), attribute)
        engine: AnyEngine = factory(**options)
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigError(f"--engine {name}: {type(error).__name__}: {error}") from error
    return engine
