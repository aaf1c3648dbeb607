"""`hub serve`."""

import click


@click.command("serve")
def command() -> None:
    """Serve mixes over HTTP."""
