"""What listing a plugin imports: nothing but `hub`, the standard library and the plugin's own package."""

import importlib.metadata
import json
import subprocess
import sys

from hub.origin import Origin
from hub.plugins import GROUP

_LIST = """
import json, sys
import hub, hub.plugins
before = set(sys.modules)
from importlib import import_module
module = import_module(sys.argv[1])
for name in dir(module):
    if name.startswith("hub_") and name != "hub_scored" and hasattr(hub.hookspecs, name):
        list(getattr(module, name)() or ())
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def find_module(origin: Origin) -> str | None:
    """Return the module that a plugin's entry point names; None for what no distribution offers."""
    if not origin.distribution:
        return None
    entries = importlib.metadata.distribution(origin.distribution).entry_points
    return next((e.module for e in entries.select(group=GROUP) if e.name == origin.plugin), None)


def foreign_imports(module: str) -> list[str]:
    """Return the other packages that a fresh interpreter imports when it lists what a plugin offers.

    Args:
        module: the module that the entry point names.

    Raises:
        RuntimeError: a fresh interpreter cannot import it; holds what it printed.
    """
    run = subprocess.run([sys.executable, "-c", _LIST, module], capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(run.stderr.strip()[-2000:])
    own = {"hub", module.partition(".")[0], *sys.stdlib_module_names}
    return sorted({name.partition(".")[0] for name in json.loads(run.stdout)} - own)
