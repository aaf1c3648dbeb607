"""`hub`: finds the subcommands and shows errors as one message.

A subcommand is imported only when it is run, so that `hub --help` stays quick.
"""

import sys
from importlib import import_module
from typing import Any

import click

from hub import __version__
from hub.command import Command
from hub.deferred import this_process_is_ours
from hub.errors import HubError, RewardFailed, UnknownName
from hub.plugins import load, open_target

BUILT_IN = (
    Command("compare", "hub.cli.compare:command", "Compare two runs of one benchmark."),
    Command("eval", "hub.cli.evaluate:command", "Evaluate a model on benchmarks."),
    Command("export", "hub.cli.export:command", "Write what a trainer needs to use a mix."),
    Command("plugins", "hub.cli.plugins:command", "Show what is installed, and what of it is broken."),
    Command("sandbox", "hub.cli.sandbox:command", "Show what walls programs in, run one, measure it."),
    Command("score", "hub.cli.score:command", "Score a file of completions with rewards."),
)


class Commands(click.Group):
    """The subcommands: ours, and those that plugins offer."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every subcommand's name."""
        return sorted(self._commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a subcommand.

        Raises:
            click.UsageError: there is none of that name; suggests the nearest.
        """
        known = self._commands()
        if cmd_name not in known:
            error = UnknownName("command", cmd_name, known, load().hint(cmd_name))
            raise click.UsageError(str(error))
        command = known[cmd_name]
        if command.origin.distribution:
            found = open_target(command.target, command.origin)
        else:
            module, _, name = command.target.partition(":")
            found = getattr(import_module(module), name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, c.summary) for name, c in sorted(self._commands().items())])

    @staticmethod
    def _commands() -> dict[str, Command]:
        ours = {command.name: command for command in BUILT_IN}
        return {**load().commands.items, **ours}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hub")
@click.option("--debug", is_flag=True, help="Show tracebacks and debug messages.")
@click.pass_context
def hub(ctx: click.Context, debug: bool) -> None:
    """Rewards and evaluations for language-model post-training, as plugins."""
    ctx.obj = {"debug": debug}
    if debug:
        import logging

        logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s")
        logging.getLogger("hub").setLevel(logging.DEBUG)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; exits the process: 0 all well, 1 the job failed, 2 wrong usage, 130 Ctrl-C."""
    if arguments is None:
        this_process_is_ours()
        arguments = sys.argv[1:]
    try:
        sys.exit(hub.main(arguments, prog_name="hub", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except HubError as error:
        if "--debug" in arguments:
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(1 if isinstance(error, RewardFailed) else 2)
