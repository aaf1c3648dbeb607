"""What programs do below /tmp by name works in both tiers, and stays with them."""

import os
from pathlib import Path

import pytest

import hub
from hub_local.sandbox import LocalSandbox

DOES = {
    "writes and reads": ("open('/tmp/a.txt', 'w').write('x'); print(open('/tmp/a.txt').read())", "x\n"),
    "bytes for a path": ("open(b'/tmp/a', 'wb').write(b'x'); print(open(b'/tmp/a').read())", "x\n"),
    "a path as an object": (
        "p = pathlib.Path('/tmp/a'); p.write_text('x'); print(p.read_text(), p.exists())",
        "x True\n",
    ),
    "a path by name": (
        "with open(file='/tmp/a', mode='w') as f:\n f.write('x')\nprint(os.stat(path='/tmp/a').st_size)",
        "1\n",
    ),
    "io.open": ("io.open('/tmp/a', 'w').write('x'); print(io.open('/tmp/a').read())", "x\n"),
    "descriptors": (
        "f = os.open('/tmp/a', os.O_CREAT | os.O_RDWR); os.write(f, b'x'); print(os.stat(f).st_size)",
        "1\n",
    ),
    "folders": (
        "os.makedirs('/tmp/d/e'); print(os.listdir('/tmp/d'), os.path.isdir('/tmp/d/e'))",
        "['e'] True\n",
    ),
    "the folder itself": (
        "open('/tmp/a', 'w'); print(os.listdir('/tmp'), [e.name for e in os.scandir('/tmp')])",
        "['a'] ['a']\n",
    ),
    "going there": ("os.chdir('/tmp'); open('a', 'w').write('x'); print(open('/tmp/a').read())", "x\n"),
    "patterns": (
        "open('/tmp/a.csv', 'w'); print([os.path.basename(p) for p in glob.glob('/tmp/*.csv')])",
        "['a.csv']\n",
    ),
    "walking": ("os.makedirs('/tmp/d'); print([names for _, names, _ in os.walk('/tmp')])", "[['d'], []]\n"),
    "moving": (
        "open('/tmp/a', 'w'); os.rename('/tmp/a', '/tmp/b'); os.replace('/tmp/b', '/tmp/c')\nprint(os.listdir('/tmp'))",
        "['c']\n",
    ),
    "copying": (
        "open('/tmp/a', 'w').write('x'); shutil.copyfile('/tmp/a', '/tmp/b'); print(open('/tmp/b').read())",
        "x\n",
    ),
    "taking away": (
        "os.makedirs('/tmp/d/e'); shutil.rmtree('/tmp/d'); print(os.path.exists('/tmp/d'))",
        "False\n",
    ),
    "removing": ("open('/tmp/a', 'w'); os.remove('/tmp/a'); print(os.path.exists('/tmp/a'))", "False\n"),
    "temporary files": (
        "f = tempfile.NamedTemporaryFile('w+'); f.write('x'); f.seek(0); print(f.read())",
        "x\n",
    ),
    "temporary files there": ("print(len(tempfile.mkdtemp(dir='/tmp')) > 4)", "True\n"),
    "what is not there": ("print(os.path.exists('/tmp/no'), os.path.exists('/tmpfs'))", "False False\n"),
    "no path": (
        "try:\n open(None)\nexcept TypeError as e: print(e)",
        "expected str, bytes or os.PathLike object, not NoneType\n",
    ),
    "its name": ("print(open.__name__, os.stat.__name__)", "open stat\n"),
}
IMPORTS = "import glob, io, os, pathlib, shutil, tempfile\n"


@pytest.mark.parametrize(("source", "said"), DOES.values(), ids=DOES)
def test_what_programs_do_there(box: LocalSandbox, source: str, said: str) -> None:
    done = box.run(hub.Program(IMPORTS + source), hub.Limits(wall_s=10.0))
    assert (done.verdict, done.stdout) == (hub.Verdict.PASSED, said), done.stderr


def test_it_is_not_the_hosts(box: LocalSandbox, tmp_path: Path) -> None:
    name = f"hub-fixed-{os.getpid()}"
    mine = Path("/tmp", name)
    mine.write_text("secret")
    try:
        source = f"import os\nprint(os.path.exists('/tmp/{name}'))\nopen('/tmp/{name}', 'w').write('x')"
        done = box.run(hub.Program(source), hub.Limits(wall_s=10.0))
        assert (done.verdict, done.stdout) == (hub.Verdict.PASSED, "False\n")
        assert mine.read_text() == "secret"
        again = box.run(hub.Program("import os\nprint(os.listdir('/tmp'))"), hub.Limits(wall_s=10.0))
        assert again.stdout == "[]\n"
    finally:
        mine.unlink()


def test_judges_have_it_too(box: LocalSandbox) -> None:
    tests = "with open('/tmp/state', 'w') as f:\n    f.write('1')\nassert f2(open('/tmp/state').read()) == 1"
    done = box.run(hub.Program("f2 = int", tests=tests), hub.Limits(wall_s=10.0))
    assert done.verdict is hub.Verdict.PASSED, done


FILLS = {
    "large files": "while True:\n    n += 1\n    open(f'/tmp/{n}', 'wb').write(bytes(16 << 20))",
    "many files": "while True:\n    n += 1\n    open(f'/tmp/{n}', 'w').close()",
    "many folders": "while True:\n    n += 1\n    os.mkdir(f'/tmp/{n}')",
    "a folder that cannot be listed": "os.mkdir('/tmp/d', 0o300)\nwhile True:\n    n += 1\n"
    "    open(f'/tmp/d/{n}', 'wb').write(bytes(16 << 20))",
    "folders in folders": "while True:\n    os.mkdir('d')\n    os.chdir('d')\n"
    "    open('f', 'wb').write(bytes(1 << 16))",
}


@pytest.mark.parametrize("source", FILLS.values(), ids=FILLS)
def test_no_program_fills_the_disk(box: LocalSandbox, source: str) -> None:
    done = box.run(hub.Program(f"import os\nn = 0\n{source}"), hub.Limits(wall_s=20.0))
    assert done.verdict in (hub.Verdict.ERROR, hub.Verdict.KILLED), done
    again = box.run(hub.Program("import os\nprint(os.listdir('/tmp'))"), hub.Limits(wall_s=10.0))
    assert again.stdout == "[]\n"
