"""Programs that look for what they should not find: what another left, the network, the host."""

DIRTY = r"""
import builtins, json, math, os, signal, sys, tempfile, threading, time
def quietly(call):
    try: call()
    except Exception: pass
def write(path):
    with open(path, "w") as file: file.write("HUBLEFT")
for folder in {"/tmp", "/var/tmp", "/dev/shm", ".", os.path.expanduser("~"), tempfile.gettempdir()}:
    quietly(lambda: write(folder + "/hub-left"))
    quietly(lambda: os.makedirs(folder + "/hub-left-folder/deep"))
    quietly(lambda: os.chmod(folder + "/hub-left-folder", 0))
    quietly(lambda: os.symlink("/", folder + "/hub-left-link"))
    quietly(lambda: os.mkfifo(folder + "/hub-left-pipe"))
quietly(lambda: os.chdir("/"))
os.environ["HUBLEFT"] = "1"
os.umask(0)
sys.path.insert(0, "/tmp")
sys.setrecursionlimit(100_000)
sys.modules["hub_left"] = math
math.sqrt = lambda x: -1
json.loads = lambda *a: "HUBLEFT"
builtins.hub_left = 1
quietly(lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
quietly(lambda: os.nice(5))
threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
quietly(lambda: os.fork() or time.sleep(3600))
builtins.sorted = builtins.len = lambda *a: "HUBLEFT"
"""
"""Changes whatever a program can change, and leaves it so."""
CLOSES = r"""
import os, tempfile
for folder in {"/tmp", tempfile.gettempdir()}:
    for change in (lambda: os.utime(folder, (86400, 86400)), lambda: os.chmod(folder, 0)):
        try: change()
        except OSError: pass
"""
"""Changes the rights and times of the folders for temporary files, and leaves nothing in them."""
LOOKS = r"""
import builtins, json, math, os, signal, sys, tempfile, threading
left = []
for folder in {"/tmp", "/var/tmp", "/dev/shm", ".", os.path.expanduser("~"), tempfile.gettempdir()}:
    try: left += [folder + "/" + name for name in os.listdir(folder) if "hub-left" in name]
    except OSError: pass
for folder in {"/tmp", tempfile.gettempdir()}:
    if os.stat(folder).st_mtime == 86400: left.append("times of " + folder)
try: tempfile.TemporaryFile().close()
except OSError: left.append("no temporary files")
if "HUBLEFT" in os.environ: left.append("environment")
if os.umask(0o22) == 0: left.append("umask")
if "hub_left" in sys.modules or math.sqrt(4) != 2 or json.loads("1") != 1: left.append("modules")
if hasattr(builtins, "hub_left") or len("") or sorted("b") != ["b"]: left.append("builtins")
if sys.getrecursionlimit() > 50_000: left.append("recursion limit")
if signal.getsignal(signal.SIGTERM) != signal.SIG_DFL: left.append("signal handlers")
if threading.active_count() != 1: left.append("threads")
if sys.path[:1] == ["/tmp"]: left.append("path")
print(left)
"""
"""Prints what it finds of that; `[]` where all is new."""
CALLS_OUT = r"""
import socket
reached = []
def attempt(name, family, kind, address):
    try:
        with socket.socket(family, kind) as s:
            s.settimeout(1)
            s.connect(address)
            if kind == socket.SOCK_DGRAM: s.send(b"x")
    except OSError: return
    reached.append(name)
for host in {hosts!r}:
    for port in ({port}, 53, 80):
        attempt(host + " " + str(port), socket.AF_INET, socket.SOCK_STREAM, (host, port))
    attempt(host + " datagram", socket.AF_INET, socket.SOCK_DGRAM, (host, 53))
attempt("abstract", socket.AF_UNIX, socket.SOCK_STREAM, {name!r})
for path in ("/var/run/docker.sock", "/run/docker.sock", "/dev/log", "/run/dbus/system_bus_socket"):
    attempt(path, socket.AF_UNIX, socket.SOCK_STREAM, path)
import os
for number in range(3, 64):
    try: os.fstat(number)
    except OSError: continue
    try: socket.socket(fileno=os.dup(number)).send(b"x")
    except OSError: continue
    reached.append("descriptor " + str(number))
print(reached)
"""
"""Prints what of these hosts, this port and this socket it reaches (a template)."""
REACHES = r"""
import os, signal
reached = []
def attempt(name, call):
    try: call()
    except (OSError, ValueError): return
    reached.append(name)
for place in {places!r}:
    attempt("read " + place, lambda: open(place).read())
    attempt("write " + place, lambda: open(place, "a").write("x"))
    attempt("chmod " + place, lambda: os.chmod(place, 0o777))
    attempt("utime " + place, lambda: os.utime(place))
    attempt("unlink " + place, lambda: os.unlink(place))
    attempt("rename " + place, lambda: os.rename(place, place + "x"))
    attempt("link " + place, lambda: os.link(place, "/tmp/linked"))
    attempt("list " + place, lambda: os.listdir(os.path.dirname(place)).index(os.path.basename(place)))
    attempt("truncate " + place, lambda: os.truncate(place, 0))
if {secret!r} in repr(dict(os.environ)): reached.append("environment")
for who in ("self", "1", "{process}"):
    for what in ("environ", "cmdline"):
        try: text = open("/proc/" + who + "/" + what, errors="replace").read()
        except OSError: continue
        if {secret!r} in text: reached.append(what + " of " + who)
if os.getpid() != {process}:
    attempt("signal", lambda: os.kill({process}, signal.SIGUSR1))
    attempt("memory", lambda: open("/proc/{process}/mem", "rb").close())
attempt("library", lambda: open(os.__file__, "a").close())
attempt("program", lambda: open("/usr/bin/env", "ab").close())
attempt("kernel", lambda: open("/proc/sys/kernel/core_pattern", "w").close())
attempt("disk", lambda: os.listdir("/sys/block") and os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0)))
attempt("root", lambda: os.chroot("/"))
attempt("user", lambda: os.setuid(0) or (os.getuid() == 0 or open("/nowhere")))
print(reached)
"""
"""Prints what it can do to these files, this process and its secret (a template)."""
