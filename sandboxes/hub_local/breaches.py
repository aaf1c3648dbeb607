"""The test at start-up: a program that really tries to break out."""

import json
import os
import tempfile
from collections.abc import Callable

from hub.errors import SandboxUnavailable
from hub.sandbox import Execution, Program, Verdict

_ATTEMPTS = r"""
import json, os, socket
held = []
def attempt(name, call):
    try:
        call()
    except BaseException:
        return
    held.append(name)
def network():
    s = socket.socket(); s.settimeout(1); s.connect(("1.1.1.1", 53))
def start():
    pid = os.fork()
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0)
attempt("a file of the host was read", lambda: open(SECRET).read())
attempt("a file of the host was written", lambda: open(SECRET, "w").write("x"))
attempt("a file of the host was emptied", lambda: os.truncate(SECRET, 0))
attempt("the rights of a file of the host were changed", lambda: os.chmod(SECRET, 0o777))
attempt("a file was written beside the libraries", lambda: open(os.__file__ + "x", "w").write("x"))
attempt("a socket was opened", network)
attempt("a process was started", start)
attempt("another process was signalled", lambda: os.kill(os.getppid(), 0))
attempt("a program was executed", lambda: os.execv("/bin/true", ["true"]))
attempt("a file system was mounted", lambda: __import__("ctypes").CDLL(None).mount(0, 0, 0, 0, 0) and 1 / 0)
print(json.dumps(held))
"""

ATTEMPTS = _ATTEMPTS.count("\nattempt(")
"""How many ways out are tried."""


def try_breaches(run: Callable[[Program], Execution], tier: str) -> list[str]:
    """Return the walls that a program broke through; empty where all held.

    Raises:
        SandboxUnavailable: the program could not be run.
    """
    with tempfile.NamedTemporaryFile("w", prefix="hub-secret-", suffix=".txt", dir="/var/tmp") as secret:
        secret.write("secret")
        secret.flush()
        os.chmod(secret.name, 0o666)
        execution = run(Program(f"SECRET = {secret.name!r}\n{_ATTEMPTS}"))
    if execution.verdict is not Verdict.PASSED:
        raise SandboxUnavailable(
            f"the sandbox's own test did not run ({tier}): {execution.verdict}: {execution.stderr[-500:]}"
        )
    held: list[str] = json.loads(execution.stdout)
    return held
