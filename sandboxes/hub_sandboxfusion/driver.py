"""The program that is sent: sets the limits that a server does not, then is the candidate, or calls it.

Nothing that is expected is in it. Of cases, it prints what the candidate's function returned, as plain data
behind a mark, and the comparing is done here. The candidate shares its process and can print any answers; it
passes only with the right ones, which it has to know.
"""

import inspect
import json
from collections.abc import Sequence
from typing import Any

from hub.errors import BadInput
from hub.sandbox import Case, Limits
from hub_sandboxfusion import plain

_SET_UP = """
def _set_up(megabytes, path):
    import os, sys, types
    os.environ.pop("PYTHONPATH", None)
    try:
        import resource
        base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        if os.path.exists("/proc/self/status"):
            with open("/proc/self/status") as status:
                base = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData:"))
        for which, most in (
            (resource.RLIMIT_DATA, base + (megabytes << 20)),
            (resource.RLIMIT_AS, 2 * (base + (megabytes << 20)) + (1 << 30)),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(which)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(which, (most, most))
    except (ImportError, OSError, StopIteration, ValueError):
        pass
    for stream in (sys.stdin, sys.stdout):
        if stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    sys.argv = [path]
    module = types.ModuleType("__main__")
    module.__dict__.update(__builtins__=__builtins__, __file__=path)
    _set_up.kept = sys.modules["__main__"]
    sys.modules["__main__"] = module
    return module.__dict__
"""
_CALLS = """
def _call(names, entry_point, calls, mark, write):
    answers = []
    for text in calls:
        args, kwargs = unpack(text)
        try:
            found = names[entry_point](*args, **kwargs) if entry_point in names else _missing(entry_point)
            answers.append(["value", pack(found)])
        except NotPlain:
            answers.append(["other"])
        except BaseException as error:
            answers.append(["raised", type(error).__name__])
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                break
    write("\\n" + mark + json.dumps(answers) + "\\n")


def _missing(name):
    raise NameError("name " + repr(name) + " is not defined")
"""


def script(source: str, limits: Limits) -> str:
    """Return the text that runs a program as `__main__`, with its memory limited."""
    return (
        f"{_SET_UP}\n"
        f"exec(compile({source!a}, 'program.py', 'exec', dont_inherit=True), "
        f"_set_up({limits.memory_mb}, 'program.py'))\n"
    )


def calls(source: str, entry_point: str, cases: Sequence[Case], mark: str, limits: Limits) -> str:
    """Return the text that calls a program's function with the arguments of each case.

    Raises:
        BadInput: an argument is no plain data.
    """
    try:
        packed = [plain.pack([case.args, dict(case.kwargs)]) for case in cases]
    except plain.NotPlain as error:
        raise BadInput(f"the arguments of a case cannot be sent to the server: {error}") from None
    return (
        f"{inspect.getsource(plain)}\n{_SET_UP}\n{_CALLS}\n"
        f"import sys\nwrite = sys.stdout.write\n"
        f"names = _set_up({limits.memory_mb}, 'program.py')\nnames['__name__'] = 'solution'\n"
        f"exec(compile({source!a}, 'program.py', 'exec', dont_inherit=True), names)\n"
        f"_call(names, {entry_point!a}, {packed!r}, {mark!r}, write)\n"
    )


def answers(printed: str, mark: str) -> tuple[str, list[tuple[str, Any]] | None]:
    """Take the answers out of what was printed.

    Returns:
        What else was printed, and for each call made "value" and the value, "raised" and the exception's
        name, or "other" and None; None where there are no answers.
    """
    before, found, after = printed.rpartition(f"\n{mark}")
    if not found:
        return printed, None
    line, _, rest = after.partition("\n")
    try:
        return before + rest, [_answer(given) for given in json.loads(line)]
    except (ValueError, TypeError, RecursionError):
        return before + rest, None


def _answer(given: Any) -> tuple[str, Any]:
    if not isinstance(given, list) or not given or given[0] not in ("value", "raised", "other"):
        raise ValueError
    if given[0] == "value":
        try:
            return "value", plain.unpack(given[1])
        except plain.NotPlain:
            return "other", None
    return str(given[0]), str(given[1]) if len(given) > 1 else None
