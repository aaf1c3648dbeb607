"""`hub serve`: reads its options, opens the engine, reads the mixes, listens."""

import os
import re
from contextlib import closing, suppress
from ipaddress import ip_address
from pathlib import Path

import click

from hub.cli.mix_options import split
from hub.errors import ConfigError, MissingDependency
from hub.options import read_value

EXAMPLES = """\b
Examples:
  hub serve mix.toml
  hub serve train=mix.toml judge=judge.toml --host 0.0.0.0 --token-file token
  hub serve mix.toml --port 9000 --max-batch 4096 --no-access-log
"""


@click.command("serve", epilog=EXAMPLES)
@click.argument("mixes", nargs=-1, required=True, metavar="[NAME=]MIX.toml...")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes any that is free."
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False),
    help="Clients must send what it holds.  [default: $HUB_TOKEN]",
)
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="Answer web pages of this origin, e.g. https://lab.example; others never.",
)
@click.option("--no-token", is_flag=True, help="Serve other machines without a token.")
@click.option(
    "--max-body-mb", type=click.FloatRange(0.001, 1024), default=32, show_default=True, help="Of one request."
)
@click.option(
    "--max-batch", type=click.IntRange(1), default=1024, show_default=True, help="Samples of one request."
)
@click.option(
    "--max-waiting",
    type=click.IntRange(1),
    default=16384,
    show_default=True,
    help="Samples not answered yet; beyond, requests are refused with 429.",
)
@click.option("--workers", type=click.IntRange(1), help="Worker processes.  [default: one per core]")
@click.option(
    "--engine", "engine_name", metavar="NAME", help="What runs the rewards: ray, or MODULE:FACTORY."
)
@click.option(
    "--engine-option", "engine_options", multiple=True, metavar="OPTION=VALUE", help="For --engine."
)
@click.option(
    "--drain-s",
    type=click.FloatRange(0),
    default=60,
    show_default=True,
    help="Seconds for what is under way after SIGTERM.",
)
@click.option(
    "--group-wait-s",
    type=click.FloatRange(1),
    default=60,
    show_default=True,
    help="Seconds without a new sample after which a group is closed.",
)
@click.option("--access-log/--no-access-log", default=True, help="Log a line of JSON for each request.")
def command(
    mixes: tuple[str, ...],
    host: str,
    port: int,
    token_file: str | None,
    origins: tuple[str, ...],
    no_token: bool,
    max_body_mb: float,
    max_batch: int,
    max_waiting: int,
    workers: int | None,
    engine_name: str | None,
    engine_options: tuple[str, ...],
    drain_s: float,
    group_wait_s: float,
    access_log: bool,
) -> int:
    """Serve mixes over HTTP, to every trainer's protocol.

    The first mix is meant where a request names none; it is called by its file's stem, or NAME.

    SIGHUP reads the mix files again; one that is wrong now keeps what it was. SIGTERM and Ctrl-C refuse
    what is new, finish what is under way and end.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401

        from hub_serve.server import Server, bind
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"hub serve needs {error.name!r}, which is not installed: pip install 'posttrain-hub[serve]'"
        ) from error
    from hub_serve.engines import open_engine
    from hub_serve.logs import log_json
    from hub_serve.mixes import Mixes, read_files
    from hub_serve.service import Service
    from hub_serve.settings import MEGABYTE, Settings

    token = _token(token_file)
    if token is None and not no_token and not _is_loopback(host):
        raise ConfigError(
            f"--host {host} lets other machines in: set a token (--token-file, HUB_TOKEN), or say --no-token"
        )
    if max_batch > max_waiting:
        raise ConfigError(f"--max-batch {max_batch} is more than --max-waiting {max_waiting}")
    for origin in origins:
        if not re.fullmatch(r"https?://[^/\s*]+", origin):
            raise ConfigError(f"--allow-origin {origin}: give one origin, e.g. https://lab.example:8080")
    settings = Settings(
        token=token,
        origins=origins,
        max_body=int(max_body_mb * MEGABYTE),
        max_batch=max_batch,
        max_waiting=max_waiting,
        drain_s=drain_s,
        group_wait_s=group_wait_s,
        access_log=access_log,
    )
    files = read_files(mixes)
    options = dict(split(text, "--engine-option", "OPTION=VALUE") for text in engine_options)
    try:
        sock = bind(host, port)
    except OSError as error:
        raise ConfigError(f"{host}:{port}: cannot listen there: {error.strerror or error}") from error
    with sock:
        _raise_file_limit()
        values = {name: read_value(text) for name, text in options.items()}
        with closing(open_engine(engine_name, values, workers)) as engine:
            service = Service(Mixes(files, engine, group_wait_s), settings)
            log_json()
            Server(service, sock).listen()
    return 0


def _token(token_file: str | None) -> str | None:
    if token_file is None:
        token = os.environ.get("HUB_TOKEN", "")
        return token.strip() or None
    try:
        token = Path(token_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{token_file}: cannot be read: {error}") from error
    if not token:
        raise ConfigError(f"{token_file}: holds no token")
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _raise_file_limit() -> None:
    """Allow as many connections as the system lets this process have."""
    import resource

    with suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
