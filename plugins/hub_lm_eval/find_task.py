"""From the name of one of lm-eval's tasks to its YAML, without parsing all of them.

lm-eval itself parses 13,986 files of YAML to know its tasks (0.4.13), which takes over ten seconds. A name
stands on a line of its own there, so it is looked for as text, first in files whose path holds it.
"""

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from hub.errors import ConfigError, MissingDependency, UnknownName

_NAMED = rb"""^["']?%s["']?:[ \t]*["']?([^\s"'#]+)["']?[ \t]*(?:\#.*)?\r?$"""
_TASK = re.compile(_NAMED % b"task", re.MULTILINE)
_GROUP = re.compile(_NAMED % b"group", re.MULTILINE)


def find_task(name: str) -> Path:
    """Return the YAML of a task.

    Args:
        name: a built-in task's, or the path of a YAML file.

    Raises:
        UnknownName: lm-eval has no task of that name.
        ConfigError: there is no such file, or it is a group of tasks.
        MissingDependency: lm-eval is not installed.
    """
    if name.endswith((".yaml", ".yml")):
        path = Path(name).expanduser()
        if not path.is_file():
            raise ConfigError(f"there is no file {name!r}")
        return path.resolve()
    listed = _files()
    likely = [file for file in listed if name in file]
    for file in likely:
        if _read(file, _TASK) == name:
            return Path(file)
    tasks, groups = _scan(listed)
    if name in tasks:
        return Path(tasks[name])
    if name in groups:
        raise ConfigError(
            f"lm-eval/{name} is a group of tasks, and each task is a benchmark of its own: name them "
            f"(the group is in {groups[name]})"
        )
    raise UnknownName("task of lm-eval", name, tasks, "`hub plugins lm-eval` lists them")


def names() -> Iterator[str]:
    """Return the name of every built-in task.

    Raises:
        MissingDependency: lm-eval is not installed.
    """
    tasks, _ = _scan(_files())
    return iter(sorted(tasks))


def _files() -> list[str]:
    found = find_spec("lm_eval")
    if found is None or not found.submodule_search_locations:
        raise MissingDependency("lm-eval is not installed: pip install 'posttrain-hub[lm-eval]'")
    root = os.path.join(found.submodule_search_locations[0], "tasks")
    walked = ((folder, file) for folder, _, files in os.walk(root) for file in files)
    return sorted(os.path.join(folder, file) for folder, file in walked if file.endswith(".yaml"))


def _scan(files: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The file of every task and of every group; of two of one name the first, as lm-eval has it."""
    tasks: dict[str, str] = {}
    groups: dict[str, str] = {}
    for file in files:
        if group := _read(file, _GROUP):
            groups.setdefault(group, file)
        elif task := _read(file, _TASK):
            tasks.setdefault(task, file)
    return tasks, groups


def _read(file: str, pattern: re.Pattern[bytes]) -> str:
    found = pattern.search(Path(file).read_bytes())
    return found[1].decode() if found else ""
