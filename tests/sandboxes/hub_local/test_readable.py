"""What programs can read of the host: the interpreter and the packages that they were given, and change none."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import hub
from hub_local import kernel
from tests.sandboxes.hub_local.conftest import GIVEN

READS = """
import os, sys
read = []
for place in PLACES:
    for path in {place, place.replace("/usr/lib/", "/lib/", 1)}:
        try: open(path, "rb").read(1)
        except OSError: continue
        read.append(path)
print(read)
"""


@pytest.fixture(params=GIVEN)
def tier(request: pytest.FixtureRequest) -> str:
    if not GIVEN[request.param]:
        pytest.skip(f"this machine refuses the tier {request.param}")
    return str(request.param)


def run(tier: str, source: str, **options: object) -> hub.Execution:
    with contextlib.closing(hub.open_sandbox("local", slots=1, require=[tier], **options)) as box:
        return box.run(hub.Program(source), hub.Limits(wall_s=20, memory_mb=1024))


def installed() -> list[str]:
    """Files of packages beside the standard library, wherever this machine has them."""
    folders = [*map(Path, sys.path), *Path("/usr/lib").glob("python3*/dist-packages")]
    folders += [Path(sys.base_prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages")]
    found = [next(folder.glob("[a-z]*/*.py"), None) for folder in folders if "-packages" in str(folder)]
    return [os.path.realpath(place) for place in found if place is not None]


def test_no_installed_package_can_be_read(tier: str) -> None:
    places = installed()
    assert places
    assert run(tier, f"PLACES = {places!r}\n{READS}").stdout == "[]\n"


def test_packages_that_are_given_work_with_what_they_import(tier: str) -> None:
    mpmath, six = pytest.importorskip("mpmath"), pytest.importorskip("six")
    pytest.importorskip("sympy")
    places = [pytest.__file__, mpmath.__file__, six.__file__]
    source = "import sympy, mpmath.libmp, six\nprint(sympy.factorint(12), mpmath.sqrt(4), six.PY3)\n"
    done = run(tier, f"{source}PLACES = {places!r}\n{READS}", packages=["sympy", "six"])
    # A checkout below /tmp, in whose place programs have a /tmp of their own: what is imported before is there.
    readable = places[1:] if tier == "landlock" or not mpmath.__file__.startswith("/tmp/") else []
    assert done.stdout == f"{{2: 2, 3: 1}} 2.0 True\n{readable}\n", done


CUTS = """
import os
done = []
for cut in (lambda: os.truncate(PLACE, 0), lambda: os.open(PLACE, os.O_RDONLY | os.O_TRUNC),
            lambda: os.open(PLACE, os.O_WRONLY), lambda: os.open(PLACE, os.O_RDWR | os.O_TRUNC)):
    try: cut()
    except OSError: continue
    done.append(1)
with open("own.txt", "w") as file: file.write("12345")
with open("own.txt", "r+") as file: file.truncate(2)
with open("own.txt") as file: print(done, len(open(PLACE).read()), file.read())
"""


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with a file that anyone may write, and an empty folder; not where programs have their own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as parent:
        os.chmod(parent, 0o755)
        folder = Path(parent, "hub_given")
        (folder / "below").mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "data.txt").write_text("precious")
        (folder / "data.txt").chmod(0o666)
        monkeypatch.syspath_prepend(parent)
        yield folder


@pytest.mark.skipif(not GIVEN["landlock"], reason="this kernel has no Landlock")
@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5, 6])
def test_no_file_of_the_host_is_emptied_with_an_early_landlock(
    abi: int, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its version 3 Landlock lets whoever can read a file cut it."""
    latest = kernel.landlock_abi()
    monkeypatch.setattr(kernel, "landlock_abi", lambda: min(abi, latest))
    done = run("landlock", f"PLACE = {str(package / 'data.txt')!r}\n{CUTS}", packages=["hub_given"])
    assert done.stdout == "[] 8 12\n", done
    assert (package / "data.txt").read_text() == "precious"


MOUNTED = """
import sys
sys.path.insert(0, FOLDER)
import hub
box = hub.open_sandbox("local", slots=1, require=["namespaces"], packages=["hub_given"])
for source in ("open(PLACE, 'w')", "print(open(PLACE + '-before').read())"):
    done = box.run(hub.Program(f"PLACE = {PLACE!r}\\n{source}"), hub.Limits())
    print(done.verdict, done.stdout.strip())
box.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system")
@pytest.mark.skipif(not GIVEN["namespaces"], reason="this machine refuses namespaces")
def test_what_is_mounted_below_what_is_readable_is_not_written(package: Path) -> None:
    below = package / "below"
    place = str(below / "left")
    source = f"FOLDER, PLACE = {str(package.parent)!r}, {place!r}\n{MOUNTED}"
    mount = f'mount -t tmpfs -o mode=1777 none "{below}" && echo there > "{place}-before" && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable, "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["error ", "passed there"], done.stderr
