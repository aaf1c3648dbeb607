"""`hub serve-model`: opens a model, listens."""

import os
import socket
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click

from hub.errors import ConfigError, MissingDependency
from hub.options import read_value

EXAMPLES = """\b
Examples:
  hub serve-model Qwen/Qwen3-0.6B --port 8001
  hub serve-model runs/checkpoint-100 --name judge --generator-option batch_size=16
"""


@click.command("serve-model", epilog=EXAMPLES)
@click.argument("model")
@click.option("--name", help="What clients call it.  [default: the folder's name, or the model id]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="0 takes any that is free."
)
@click.option(
    "--max-batch", type=click.IntRange(1), default=64, show_default=True, help="Requests completed together."
)
@click.option(
    "--max-waiting",
    type=click.IntRange(1),
    default=4096,
    show_default=True,
    help="Requests not begun yet; beyond, they are refused with 429.",
)
@click.option(
    "--max-new-tokens",
    type=click.IntRange(1),
    default=512,
    show_default=True,
    help="Longest completion, where a request does not say.",
)
@click.option("--generator", metavar="NAME", help="What makes completions.  [default: by the form of MODEL]")
@click.option(
    "--generator-option", "options", multiple=True, metavar="NAME=VALUE", help="One of its options."
)
def command(
    model: str,
    name: str | None,
    host: str,
    port: int,
    max_batch: int,
    max_waiting: int,
    max_new_tokens: int,
    generator: str | None,
    options: tuple[str, ...],
) -> int:
    """Serve MODEL over OpenAI's protocol: chat completions, completions, and log-probabilities of one token.

    MODEL is a folder or a model id like org/name@revision. Other machines are let in only with a key: set
    HUB_TOKEN, and clients send it as theirs.
    """
    try:
        import uvicorn

        from hub_serve_model.app import make_app
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"hub serve-model needs {error.name!r}, which is not installed: "
            "pip install 'posttrain-hub[serve-model]'"
        ) from error
    from hub.open import open_generator
    from hub_serve_model.batches import Batches

    token = os.environ.get("HUB_TOKEN", "").strip() or None
    if token is None and not _is_loopback(host):
        raise ConfigError(f"--host {host} lets other machines in: set HUB_TOKEN, the key that they must send")
    called = name or (Path(model).resolve().name if Path(model).is_dir() else model)
    with _listen(host, port) as sock, closing(open_generator(model, generator, **_read(options))) as opened:
        app = make_app(Batches(opened, max_batch, max_waiting), called, max_new_tokens, token)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none"
        )
        click.echo(f"{called} is served at http://{host}:{sock.getsockname()[1]}/v1")
        uvicorn.Server(config).run(sockets=[sock])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Take the address before the model is loaded: one that is taken is told at once."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigError(f"{host}:{port}: cannot listen there: {error.strerror or error}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(texts: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--generator-option {text}: should be NAME=VALUE")
        found[name] = read_value(value)
    return found
