"""`hub sandbox`: what walls programs in, one program run, and how fast it is."""

import contextlib
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from hub.errors import BadInput, HubError, OptionError, SandboxUnavailable
from hub.open import open_sandbox
from hub.options import read_value
from hub.plugins import load
from hub.sandbox import Execution, Limits, Program, Sandbox, Verdict

SUFFIXES = {".py": "python", ".c": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".js": "javascript"}
EXAMPLES = """\b
Examples:
  hub sandbox check
  hub sandbox check local --with 'require=["namespaces"]' --json
  hub sandbox run program.py --stdin input.txt --wall-s 2
  hub sandbox bench local --callers 8
"""
_LIMITS = Limits()


def _language_of(file: str) -> str:
    """The language of a file by its ending; Python where it has none."""
    suffix = Path(file).suffix.lower()
    if suffix and suffix not in SUFFIXES:
        known = ", ".join(sorted(set(SUFFIXES.values())))
        raise click.UsageError(f"{file}: {suffix} is no known ending; give --language (one of: {known}, ...)")
    return SUFFIXES.get(suffix, "python")


@click.group("sandbox", epilog=EXAMPLES)
def command() -> None:
    """Show what walls untrusted programs in, run one, and measure how fast that is."""


def _with(function: Any) -> Any:
    return click.option(
        "--with", "options", multiple=True, metavar="OPTION=VALUE", help="An option of the sandbox."
    )(function)


@command.command("check")
@click.argument("name", required=False)
@_with
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(name: str | None, options: tuple[str, ...], as_json: bool) -> int:
    """Open a sandbox and show layer by layer what is active.

    NAME is an installed sandbox; without it, all are tried. Opening one includes its own test, in which a
    program tries to break out.

    Exit code 1 if a sandbox, or each of several, cannot be opened.
    """
    names = [name] if name else sorted(load().sandboxes.items)
    if not names:
        raise SandboxUnavailable("no sandbox is installed")
    if options and not name:
        raise click.UsageError("--with is for the sandbox of a NAME")
    found = [_check(each, options) for each in names]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for facts in found:
            _show_check(facts)
    return int(not any(facts["available"] for facts in found))


def _check(name: str, options: tuple[str, ...]) -> dict[str, Any]:
    offer = load().sandboxes[name]
    facts: dict[str, Any] = {"name": name, "origin": str(offer.origin), "summary": offer.summary}
    try:
        with _open(name, options) as sandbox:
            layers = [
                {"name": layer.name, "active": layer.active, "detail": layer.detail}
                for layer in sandbox.describe()
            ]
            return {**facts, "available": True, "layers": layers}
    except HubError as error:
        if options and isinstance(error, OptionError):
            raise
        return {**facts, "available": False, "problem": str(error), "layers": []}


def _show_check(facts: dict[str, Any]) -> None:
    click.echo(f"{click.style(facts['name'], bold=True)}  {facts['origin']}  {facts['summary']}")
    columns = shutil.get_terminal_size().columns
    if not facts["available"]:
        text = textwrap.fill(f"cannot be opened: {facts['problem']}", max(columns - 4, 40))
        click.echo(click.style(textwrap.indent(text, "    "), fg="red"))
    width = max((len(layer["name"]) for layer in facts["layers"]), default=0)
    for layer in facts["layers"]:
        state = "yes" if layer["active"] else click.style("no ", fg="yellow")
        text = textwrap.fill(layer["detail"], max(columns - width - 11, 40))
        click.echo(
            f"    {layer['name']:{width}}  {state}  {textwrap.indent(text, ' ' * (width + 11)).lstrip()}"
        )


@command.command("run")
@click.argument("file")
@click.option("--sandbox", "name", default="local", show_default=True, help="An installed sandbox.")
@_with
@click.option("--language", help="Its language.  [default: by the file's ending, else python]")
@click.option("--stdin", "stdin_file", metavar="FILE", help="What the program reads; - for standard input.")
@click.option(
    "--tests", "tests_file", metavar="FILE", help="Python that judges the program, run apart from it."
)
@click.option(
    "--entry-point", metavar="NAME", help="The function that a check(candidate) of the tests is for."
)
@click.option("--expect", "expected_file", metavar="FILE", help="What the program must print.")
@click.option(
    "--compare",
    type=click.Choice(["lines", "tokens", "exact"]),
    default="lines",
    show_default=True,
    help="How what it prints is compared.",
)
@click.option("--wall-s", type=float, default=_LIMITS.wall_s, show_default=True, help="Seconds it may take.")
@click.option(
    "--memory-mb",
    type=int,
    default=_LIMITS.memory_mb,
    show_default=True,
    help="MiB it may use beyond the interpreter.",
)
@click.option(
    "--output-bytes", type=int, default=_LIMITS.output_bytes, show_default=True, help="Bytes it may print."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: verdict, output, exit code, seconds.")
def run(
    file: str,
    name: str,
    options: tuple[str, ...],
    language: str | None,
    stdin_file: str | None,
    tests_file: str | None,
    entry_point: str | None,
    expected_file: str | None,
    compare: Any,
    wall_s: float,
    memory_mb: int,
    output_bytes: int,
    as_json: bool,
) -> int:
    """Run one program in a sandbox; - reads it from standard input.

    Its output goes to the same streams here, the verdict to standard error.

    Exit code 0 if it passed, 1 if not, 2 if it could not be run.
    """
    try:
        limits = Limits(wall_s, memory_mb, output_bytes)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if file == "-" and stdin_file == "-":
        raise click.UsageError("the program and its input cannot both be standard input")
    program = Program(
        _read(file),
        language or _language_of(file),
        stdin=_read(stdin_file) if stdin_file else "",
        expected_stdout=_read(expected_file) if expected_file else None,
        compare=compare,
        tests=_read(tests_file) if tests_file else None,
        entry_point=entry_point,
    )
    with _open(name, options) as sandbox:
        done = sandbox.run(program, limits)
    if as_json:
        click.echo(json.dumps(_plain(done)))
    else:
        _write(sys.stdout, done.stdout)
        _write(sys.stderr, done.stderr)
        code = "" if done.exit_code is None else f", exit code {done.exit_code}"
        detail = f": {done.info['detail']}" if done.info.get("detail") else ""
        click.echo(f"{done.verdict}{code}, {done.wall_s:.3f} s{detail}", err=True)
    return int(done.verdict is not Verdict.PASSED)


@command.command("bench")
@click.argument("name", default="local")
@_with
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=3.0, show_default=True, help="Time for each row."
)
@click.option(
    "--callers", type=click.IntRange(1), default=8, show_default=True, help="Threads in the last rows."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench(name: str, options: tuple[str, ...], seconds: float, callers: int, as_json: bool) -> int:
    """Measure how long programs take in a sandbox, here and now.

    NAME is an installed sandbox. The first row is a plain `python -I -c` of the same program, which isolates
    nothing: compare with it, within one run.
    """
    from hub.cli.sandbox_bench import measure, show

    with _open(name, options) as sandbox:
        rows = measure(sandbox, seconds, callers)
    click.echo(json.dumps(rows, indent=2) if as_json else show(rows))
    return 0


@contextlib.contextmanager
def _open(name: str, options: tuple[str, ...]) -> Iterator[Sandbox]:
    with contextlib.closing(open_sandbox(name, **_options(name, options))) as sandbox:
        yield sandbox


def _options(name: str, options: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise click.UsageError(f"--with {option}: write OPTION=VALUE")
        found[key] = read_value(value)
    return found


def _read(file: str) -> str:
    """Return a file's text as it is; what is not UTF-8 becomes lone surrogates, and is given so."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        raise BadInput(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return data.decode("utf-8", "surrogateescape")


def _write(stream: Any, text: str) -> None:
    stream.flush()
    stream.buffer.write(text.encode("utf-8", "replace"))
    stream.flush()


def _plain(done: Execution) -> dict[str, Any]:
    return {
        "verdict": str(done.verdict),
        "stdout": done.stdout,
        "stderr": done.stderr,
        "exit_code": done.exit_code,
        "wall_s": done.wall_s,
        "info": dict(done.info),
    }
