"""A confined program tries what the kernel must refuse, by the numbers of the calls."""

import contextlib
import errno
import json
import os
import signal
from typing import Any

import pytest

import hub
from hub_local.program import OPEN_FILES
from hub_local.sandbox import LocalSandbox
from hub_local.seccomp import WORK
from hub_local.syscalls import NUMBERS
from tests.sandboxes.hub_local.conftest import GIVEN

AT_FDCWD = -100
CALLS: dict[str, tuple[Any, ...]] = {
    "ptrace": (0, 0, 0, 0),
    "process_vm_readv": (1, 0, 0, 0, 0, 0),
    "process_vm_writev": (1, 0, 0, 0, 0, 0),
    "keyctl": (0, -3, 1),
    "add_key": ("user", "x", "y", 1, -3),
    "request_key": ("user", "x", 0, -3),
    "io_uring_setup": (8, 0),
    "io_uring_enter": (0, 1, 0, 0),
    "bpf": (0, 0, 0),
    "perf_event_open": (0, 0, -1, -1, 0),
    "userfaultfd": (0,),
    "memfd_create": ("x", 0),
    "sendmsg": (0, 0, 0),
    "recvmsg": (0, 0, 0),
    "recvmsg (the descriptor after that of programs)": (WORK + 1, 0, 0),
    "memfd_secret": (0,),
    "socket": (1, 1, 0),
    "socket (network)": (2, 1, 0),
    "socket (vsock)": (40, 1, 0),
    "socket (netlink)": (16, 3, 0),
    "sendto (an address)": (0, 0, 0, 0, 8, 3),
    "sendto (an address whose low half is 0)": (0, 0, 0, 0, 0x500000000, 3),
    "mmap (shared memory, which no limit counts)": (0, 4096, 3, 0x21, -1, 0),
    "socketpair (network)": (2, 1, 0, 0),
    "clone": (17, 0, 0, 0, 0),
    "clone (a process of the same memory)": (0x100 | 17, 0, 0, 0, 0),
    "clone (a new user namespace)": (0x10000000 | 17, 0, 0, 0, 0),
    "clone3": (0, 0),
    "fork": (),
    "vfork": (),
    "execve": ("/bin/true", 0, 0),
    "execveat": (AT_FDCWD, "/bin/true", 0, 0, 0),
    "fcntl (F_SETLEASE)": (0, 1024, 0),
    "fcntl (F_SETOWN)": (0, 8, 1),
    "fcntl (F_SETSIG)": (0, 10, 9),
    "fcntl (F_NOTIFY)": (0, 1026, 1),
    "ioctl (TIOCSTI)": (0, 0x5412, "x"),
    "ioctl (TIOCLINUX)": (0, 0x541C, "x"),
    "prlimit64 (the first process)": (1, 7, 0, 0),
    "prlimit64 (the parent)": ("parent", 7, 0, 0),
    "kill (the first process)": (1, 0),
    "kill (the parent)": ("parent", 0),
    "kill (all)": (-1, 0),
    "kill (the group)": (0, 0),
    "tkill": (1, 0),
    "tgkill": (1, 1, 0),
    "rt_tgsigqueueinfo": (1, 1, 0, 0),
    "pidfd_open": (1, 0),
    "pidfd_getfd": (0, 0, 0),
    "pidfd_send_signal": (0, 0, 0, 0),
    "mount": ("x", "/tmp", "tmpfs", 0, 0),
    "umount2": ("/tmp", 2),
    "open_tree": (AT_FDCWD, "/", 1),
    "move_mount": (0, "", 0, "", 0),
    "fsopen": ("tmpfs", 0),
    "mount_setattr": (0, "", 0, 0, 0),
    "unshare": (0x10000000,),
    "setns": (0, 0),
    "personality": (0x0040000,),
    "mknod": ("/tmp/d", 0o60666, 0x800),
    "mknodat": (AT_FDCWD, "/tmp/d", 0o60666, 0x800),
    "chown": ("/tmp", 0, 0),
    "fchownat": (AT_FDCWD, "/tmp", 0, 0, 0),
    "setxattr": ("/tmp", "user.x", "y", 1, 0),
    "open_by_handle_at": (AT_FDCWD, 0, 0),
    "name_to_handle_at": (AT_FDCWD, "/tmp", 0, 0, 0),
    "openat2": (AT_FDCWD, "/tmp", 0, 0),
    "shmget": (0, 4096, 0o1600),
    "clock_settime": (0, 0),
    "reboot": (0, 0, 0, 0),
    "syslog": (3, 0, 0),
    "init_module": (0, 0, ""),
    "finit_module": (0, "", 0),
    "delete_module": ("x", 0),
    "kexec_load": (0, 0, 0, 0),
    "seccomp": (1, 0, 0),
    "prctl (PR_SET_DUMPABLE)": (4, 1, 0, 0, 0),
    "prctl (PR_SET_PDEATHSIG)": (1, 0, 0, 0, 0),
    "prctl (PR_CAP_AMBIENT)": (47, 2, 0, 0, 0),
    "sched_setaffinity": (0, 0, 0),
    "setsid": (),
    "setpgid": (0, 0),
    "landlock_create_ruleset": (0, 0, 1),
    "kcmp": (1, 1, 0, 0, 0),
    "inotify_init": (),
    "mlock": (0, 0),
    "a call of no number": (3000,),
    "a call of the x32 interface": (0x40000000 | 39,),
}
REFUSED = {errno.EPERM, errno.ENOSYS, errno.ENOTTY}
BESIDE_LANDLOCK = {
    "link": ("/tmp/a", "/tmp/b"),
    "chmod": ("/tmp", 0o777),
    "fchmod": (0, 0o777),
    "fchmodat": (AT_FDCWD, "/tmp", 0o777),
    "fchmodat2": (AT_FDCWD, "/tmp", 0o777, 0),
    "utimensat": (AT_FDCWD, "/tmp", 0, 0),
    "utimes": ("/tmp", 0),
    "flock": (0, 1),
}
"""What Landlock does not cover, so that it is refused in that tier."""

SOURCE = """
import ctypes, errno, json, os
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def value(argument):
    if argument == "parent": return ctypes.c_long(os.getppid())
    return ctypes.c_char_p(argument.encode()) if isinstance(argument, str) else ctypes.c_long(argument)
def attempt(call):
    ctypes.set_errno(0)
    got = libc.syscall(*(value(argument) for argument in call))
    if got == 0 and call[0] in FORKS: os._exit(0)
    return got, ctypes.get_errno()
print(json.dumps({name: attempt(call) for name, call in CALLS.items()}))
"""


def number(name: str) -> int | None:
    return {"a call of no number": -1, "a call of the x32 interface": -1}.get(
        name, NUMBERS.get(name.split(" ")[0])
    )


def attempts(box: LocalSandbox, calls: dict[str, tuple[Any, ...]]) -> dict[str, tuple[int, int]]:
    numbered = {name: (number(name), *call) for name, call in calls.items() if number(name) is not None}
    numbered = {name: call[1:] if call[0] == -1 else call for name, call in numbered.items()}
    forks = [NUMBERS[name] for name in ("fork", "vfork", "clone", "clone3") if name in NUMBERS]
    source = f"CALLS = {numbered!r}\nFORKS = {forks!r}\n{SOURCE}"
    done = box.run(hub.Program(source), hub.Limits())
    assert done.verdict is hub.Verdict.PASSED, done
    found: dict[str, tuple[int, int]] = json.loads(done.stdout)
    assert found.keys() == numbered.keys()
    return found


def test_dangerous_calls_are_refused(box: LocalSandbox) -> None:
    allowed = {n: r for n, r in attempts(box, CALLS).items() if r[0] != -1 or r[1] not in REFUSED}
    assert allowed == {}


@pytest.mark.parametrize("box", ["landlock"], indirect=True)
def test_what_landlock_does_not_cover_is_refused_in_its_tier(box: LocalSandbox) -> None:
    allowed = {n: r for n, r in attempts(box, BESIDE_LANDLOCK).items() if r[0] != -1 or r[1] not in REFUSED}
    assert allowed == {}


def test_what_honest_programs_call_is_allowed(box: LocalSandbox) -> None:
    calls = {
        "getpid": (),
        "gettid": (),
        "getuid": (),
        "sched_yield": (),
        "prctl (PR_GET_NAME)": (16, "x" * 20),
    }
    refused = {name: result for name, result in attempts(box, calls).items() if result[0] == -1}
    assert refused == {}


THREADS = """
import _thread, time
_thread.stack_size(32768)
try:
    for count in range(2000): _thread.start_new_thread(time.sleep, (30,))
except RuntimeError: pass
print(count < 300, flush=True)
import os; os._exit(0)
"""


@pytest.mark.parametrize("box", ["namespaces"], indirect=True)
def test_threads_end_at_their_limit(box: LocalSandbox) -> None:
    done = box.run(hub.Program(THREADS, expected_stdout="True"), hub.Limits(wall_s=20))
    assert done.verdict is hub.Verdict.PASSED, done
    after = box.run(hub.Program(THREADS.replace("2000", "100")), hub.Limits(wall_s=20))
    assert after.verdict is hub.Verdict.PASSED, after


def test_there_is_no_device_of_shared_memory(box: LocalSandbox) -> None:
    done = box.run(hub.Program("open('/dev/zero', 'r+b')"), hub.Limits())
    assert done.verdict is hub.Verdict.ERROR, done


def test_a_program_may_signal_itself(box: LocalSandbox) -> None:
    source = "import os, signal\nsignal.signal(10, lambda *a: print('caught'))\nos.kill(os.getpid(), 10)"
    done = box.run(hub.Program(source, expected_stdout="caught"), hub.Limits())
    assert done.verdict is hub.Verdict.PASSED, done


def test_no_process_of_the_host_is_signalled(box: LocalSandbox) -> None:
    got: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda *a: got.append(1))
    try:
        source = f"import os\nfor pid in ({os.getpid()}, {os.getppid()}, -1):\n  try: os.kill(pid, 12)\n"
        done = box.run(hub.Program(f"{source}  except OSError: pass\nprint(1)"), hub.Limits())
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert (done.stdout, got) == ("1\n", [])


IDENTITY = """
import os
def status():
    for line in open("/proc/self/status"):
        if line.startswith(("Cap", "NoNewPrivs", "Seccomp:")): yield line.split()
try: print(sorted((name, value) for name, value in status()))
except OSError: print("no /proc")
print(os.getuid(), os.geteuid(), os.getgid(), os.getgroups())
"""


@pytest.mark.parametrize("box", ["namespaces"], indirect=True)
def test_a_program_has_no_capability_and_is_nobody(box: LocalSandbox) -> None:
    done = box.run(hub.Program(IDENTITY), hub.Limits())
    assert done.stdout.splitlines()[0] == "no /proc"
    assert done.stdout.splitlines()[1].startswith("1000 1000 1000 ")


CAPABILITIES = """
import ctypes, struct
head = struct.pack("Ii", 0x20080522, 0)
data = ctypes.create_string_buffer(24)
print(ctypes.CDLL(None).capget(head, data), data.raw.hex())
"""


def test_capabilities_are_none(box: LocalSandbox) -> None:
    done = box.run(hub.Program(CAPABILITIES), hub.Limits())
    assert done.stdout == f"0 {'00' * 24}\n"


def test_no_program_can_have_the_descriptor_that_programs_come_from(box: LocalSandbox) -> None:
    source = f"""
import os, resource
refused = []
for call in (lambda: os.fstat({WORK}), lambda: os.dup2(0, {WORK}), lambda: os.dup2(0, {OPEN_FILES}),
             lambda: resource.setrlimit(resource.RLIMIT_NOFILE, ({WORK} + 1, {WORK} + 1))):
    try: call()
    except (OSError, ValueError) as error: refused.append(1)
print(len(refused))"""
    done = box.run(hub.Program(source, expected_stdout="4"), hub.Limits())
    assert (done.verdict, OPEN_FILES < WORK) == (hub.Verdict.PASSED, True), done


OPEN = """
import os
found = []
for number in range(3, 1000):
    try: os.fstat(number)
    except OSError: continue
    found.append(number)
print(found)
"""


@pytest.mark.parametrize("tier", GIVEN)
@pytest.mark.parametrize("used", [WORK - 3, WORK - 2, WORK - 1, WORK, WORK + 60])
def test_a_host_with_many_open_files_gives_none_away(tier: str, used: int) -> None:
    if not GIVEN[tier]:
        pytest.skip(f"this machine refuses the tier {tier}")
    with contextlib.ExitStack() as stack:
        while True:
            number = os.open(os.devnull, os.O_RDONLY)
            stack.callback(os.close, number)
            if number >= used:
                break
        box = stack.enter_context(contextlib.closing(hub.open_sandbox("local", require=[tier], slots=1)))
        done = box.run(hub.Program(OPEN, expected_stdout="[]"), hub.Limits())
    assert done.verdict is hub.Verdict.PASSED, done


def test_only_standard_descriptors_and_its_own_text_are_open(box: LocalSandbox) -> None:
    source = (
        "import os\nopen_ = []\nfor n in range(64):\n  try: os.fstat(n); open_.append(n)\n"
        "  except OSError: pass\nprint(open_)"
    )
    done = box.run(hub.Program(source), hub.Limits())
    assert json.loads(done.stdout)[:3] == [0, 1, 2]
    assert len(json.loads(done.stdout)) <= 4
