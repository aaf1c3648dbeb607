"""Every example in the documentation is run.

Blocks of a page share a folder and run in their order:

    ```python file=rewards.py   is written to that file before anything of the page runs, and run
    ```python                   is run as a program; a following ```text block is what it prints
    ```toml file=mix.toml       is written to that file; a pyproject.toml counts as installed
    ```console                  lines that begin with `$ hub` are run; what follows is what they print,
                                where ... stands for anything

A block after `<!-- not run: REASON -->` is not run; that its options exist is tested all the same.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = ("hub ", "pytest ", "python ", "cat ", "head ")
LANGUAGES = ("python", "toml", "yaml", "json", "console", "text", "sh", "")


@dataclass
class Block:
    """A fenced block of a page.

    Args:
        page: the file.
        line: of its opening fence, from 1.
        language: the first word behind the fence.
        file: where its text is written; "" for nowhere.
        text: what it holds.
        reason: why it is not run; "" where it is.
    """

    page: Path
    line: int
    language: str
    file: str
    text: str
    reason: str
    lines: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def read_blocks(page: Path) -> Iterator[Block]:
    open_block, reason = None, ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = re.fullmatch(r"```(\w*)(?: file=(\S+))?", line)
        if open_block is not None:
            if line == "```":
                open_block.text = "".join(f"{each}\n" for each in open_block.lines)
                yield open_block
                open_block, reason = None, ""
            else:
                open_block.lines.append(line)
        elif fence is not None:
            open_block = Block(page, number, fence[1], fence[2] or "", "", reason)
        elif line.startswith("```"):
            raise AssertionError(f"{page}:{number}: a fence that this test does not understand: {line}")
        elif skipped := re.fullmatch(r"<!-- not run: (.+) -->", line):
            reason = skipped[1]
        elif line:
            reason = ""
    assert open_block is None, f"{page}: a block is not closed"


BLOCKS = {page: list(read_blocks(page)) for page in PAGES}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder in which examples/ is there, as in a checkout."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def run(command: list[str], folder: Path) -> tuple[int, str]:
    """Run a command; return its exit code and what it printed."""
    environment = dict(os.environ)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment |= {
        "PYTHONPATH": f"{folder}:{folder}/first",
        "COLUMNS": "110",
        "HUB_WORKERS": "2",
        "PYTHONWARNINGS": "ignore",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout


def check_output(where: object, wanted: str, got: str) -> None:
    checker, flags = doctest.OutputChecker(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert checker.check_output(wanted, got, flags), f"{where} shows:\n{wanted}\nbut prints:\n{got}"


def install(pyproject: Path) -> None:
    """Make the entry points of a project known, as pip would, to programs that have its folder on the path."""
    project = tomllib.loads(pyproject.read_text())["project"]
    info = pyproject.parent / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    entries = (f"{name} = {module}\n" for name, module in project["entry-points"]["hub"].items())
    (info / "entry_points.txt").write_text("[hub]\n" + "".join(entries))


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a block, and what it is shown to print."""
    if block.language == "sh":
        yield from ((line, "") for line in block.text.splitlines())
        return
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"{block} begins without a command ($ ...)"
    for part in parts[1:]:
        while "\\\n" in part.partition("\n")[0] + "\n":
            part = part.replace("\\\n", "", 1)
        command, _, output = part.partition("\n")
        yield command, output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page: Path, folder: Path) -> None:
    blocks = [block for block in BLOCKS[page] if not block.reason]
    for block in blocks:
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, encoding="utf-8")
    for block in blocks:
        if Path(block.file).name == "pyproject.toml":
            install(folder / block.file)
    printed = ""
    for block in blocks:
        assert block.language in LANGUAGES, f"{block} is of an unknown language, {block.language!r}"
        if block.language == "python":
            (folder / "example.py").write_text(block.text, encoding="utf-8")
            code, printed = run([sys.executable, block.file or "example.py"], folder)
            assert code == 0, f"{block} fails:\n{printed}"
        elif block.language == "text" and printed:
            check_output(block, block.text, printed)
            printed = ""
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language in ("console", "sh"):
            for command, output in commands(block):
                if command.startswith(RUN):
                    code, printed = run(["bash", "-c", command], folder)
                    assert code == 0, f"{block}: {command}: exit code {code}:\n{printed}"
                    if output.strip():
                        check_output(f"{block}: {command}", output, printed)
            printed = ""


NOT_RUN = [block for blocks in BLOCKS.values() for block in blocks if block.reason]


@pytest.mark.parametrize("block", NOT_RUN, ids=str)
def test_commands_that_cannot_be_run_here_have_options_that_exist(block: Block, tmp_path: Path) -> None:
    for command, _ in commands(block):
        program, subcommand, *words = shlex.split(command)
        assert program == "hub"
        _, known = run([program, subcommand, "--help"], tmp_path)
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        assert [option for option in options if option not in known] == [], f"{block}: {block.reason}"
