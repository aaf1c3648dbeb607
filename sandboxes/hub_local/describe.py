"""What the sandbox `local` says of itself: layer by layer what walls programs in."""

from collections.abc import Mapping

from hub.sandbox import Layer
from hub_local import kernel, program
from hub_local.breaches import ATTEMPTS
from hub_local.languages import LANGUAGES, Language
from hub_local.layers import SCRATCH_MB, TIERS
from hub_local.syscalls import MACHINE

_NAMESPACES = {
    "user": "the programs' user is nobody on the host, and has no rights over its namespaces",
    "mount": "a root of its own, read-only: Python, libraries, four devices; no /proc, no /sys",
    "pid": "no process outside can be seen or signalled; all end with the server's",
    "network": "no interface is up",
    "ipc": "no shared memory or queues of the host",
    "uts": "another host name",
    "cgroup": "no view of the host's control groups",
}


def describe(tier: str, languages: Mapping[str, Language]) -> list[Layer]:
    """Return the layers of an opened sandbox.

    Args:
        tier: "namespaces" or "landlock".
        languages: those that it has beside Python.
    """
    namespaces = tier == TIERS[0]
    abi = kernel.landlock_abi()
    found = [Layer(f"namespace: {name}", namespaces, _NAMESPACES[name]) for name in _NAMESPACES]
    if not namespaces:
        found = [Layer(layer.name, False, "refused here, or not asked for") for layer in found]
    found += [
        Layer(
            "landlock",
            not namespaces,
            "not needed behind namespaces"
            if namespaces
            else f"version {abi}: the interpreter and libraries can be read, one scratch folder written",
        ),
        Layer(
            "gvisor",
            kernel.is_gvisor(),
            "it answers every system call, so the host's kernel is not reached"
            if kernel.is_gvisor()
            else "not here: system calls reach this machine's own kernel",
        ),
        Layer("seccomp", True, f"{MACHINE}: listed calls only; no new process, no socket, signals to itself"),
        Layer("capabilities", True, "none, and none can be gained (no_new_privs)"),
        Layer(
            "limits",
            True,
            f"memory, processor time, {program.OPEN_FILES} files, {program.FILE_BYTES >> 20} MiB per file"
            + (
                f", {SCRATCH_MB} MiB of /tmp"
                + (f", {program.MOST_THREADS} threads" if namespaces else "; not the number of threads")
            ),
        ),
        Layer("environment", True, "made anew; the host's variables are not there"),
        Layer("judge", True, "tests run in a second confined process, which exchanges plain data"),
        Layer("self-test", True, f"{ATTEMPTS} attempts to break out failed when the sandbox was opened"),
        Layer("language: python", True, "the interpreter of this process"),
    ]
    for name, language in LANGUAGES.items():
        has = languages.get(name)
        missing = f"{language.needs} is not installed" if namespaces else "needs namespaces"
        found.append(Layer(f"language: {name}", has is not None, has.needs if has else missing))
    return found
