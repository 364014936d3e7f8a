"""The click group: loads the one command that is asked for, and turns errors into messages and exit statuses."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import click
from click.shell_completion import CompletionItem

from hybridisco._version import __version__
from hybridisco.faces.cli import COMPLETE_VAR, outcome
from hybridisco.faces.cli.logs import start_logging
from hybridisco.faces.cli.menu import COMMANDS, TALKATIVE, overview


class ReaderGone(Exception):
    """Whoever read our output has enough (``hybridisco list | head -1``). click would end with 1 then."""


class LazyGroup(click.Group):
    """A group that imports a command when it is run, and writes its help from the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command with ``-v`` added to its options, or None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        if not any("-v" in parameter.opts for parameter in command.params):
            command.params.append(_verbose())
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or say which one may have been meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            close = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.6)
            meant = f" Did you mean {close[0]}?" if close else " `hybridisco --help` lists them."
            raise click.UsageError(f"There is no command {ascii(name)[:40]}.{meant}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def get_help(self, ctx: click.Context) -> str:
        """Return the overview that ``hybridisco --help`` prints without click."""
        return overview()

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of commands without importing them."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [CompletionItem(name, help=what) for name, (_, what) in COMMANDS.items() if name.startswith(incomplete)]


def _set_verbosity(ctx: click.Context, _: click.Parameter, count: int) -> None:
    root = ctx.find_root()
    root.meta["hybridisco.verbosity"] = max(root.meta.get("hybridisco.verbosity", 0), count)
    if ctx is not root:
        start_logging(root.meta["hybridisco.verbosity"], talkative=ctx.info_name in TALKATIVE)


def _verbose() -> click.Option:
    return click.Option(
        ["-v", "--verbose"],
        count=True,
        expose_value=False,
        callback=_set_verbosity,
        help="Log on stderr what is done; -vv logs more.",
    )


@click.group(
    cls=LazyGroup,
    params=[_verbose()],
    options_metavar="",
    subcommand_metavar="COMMAND [OPTIONS]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="hybridisco %(version)s")
def cli() -> None:
    """Find AI backends."""


def run(args: list[str]) -> int:
    """Run one command line and return its exit status. Every error ends here, as a message on stderr."""
    return outcome.of(lambda: _run(args))


def _run(args: list[str]) -> Any:
    try:
        return cli.main(args, prog_name="hybridisco", complete_var=COMPLETE_VAR, standalone_mode=False)
    except ReaderGone as gone:
        raise BrokenPipeError from gone
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return outcome.USAGE
    except click.Abort:
        return outcome.INTERRUPTED
