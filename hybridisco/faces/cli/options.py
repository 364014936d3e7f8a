"""Options that several commands share, with the same words and the same checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from hybridisco.core.model import SourceName
from hybridisco.formats import FORMATS

F = TypeVar("F", bound=Callable[..., Any])

_SHORTEST_S, _LONGEST_S = 0.1, 600
_FORMAT_HELP = "; ".join(f"{name}: {entry.summary}" for name, entry in FORMATS.items())


class SearchCommand(click.Command):
    """A command that takes options only; a word is answered with the option that was probably meant."""

    allow_extra_args = True  # so that the words come to us instead of to click's error

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse options. :raises click.UsageError: there is a word besides."""
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            from hybridisco.kinds import BUILTIN, get

            word = rest[0]
            kind = get(BUILTIN, word)
            meant = f"--kind {kind.id}" if kind else f"--host {word} (or `hybridisco probe {word}`)"
            raise click.UsageError(f"{ascii(word)[:40]} stands alone. Did you mean {meant}?", ctx)
        return rest


def _complete_kind(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from hybridisco.kinds import BUILTIN

    return [CompletionItem(kind.id, help=kind.title) for kind in BUILTIN if kind.id.startswith(incomplete)]


def filters(command: F) -> F:
    """Add ``--kind``, ``--source``, ``--host`` and ``--all``."""
    for option in reversed(
        (
            click.option(
                "--kind",
                "kinds",
                multiple=True,
                metavar="KIND",
                shell_complete=_complete_kind,
                help="Only this kind (comfyui, wan2gp …), by id or alias. May be repeated.",
            ),
            click.option(
                "--source",
                "sources",
                multiple=True,
                type=click.Choice([source.value for source in SourceName]),
                help="Search only this way. May be repeated.",
            ),
            click.option(
                "--host",
                "hosts",
                multiple=True,
                metavar="HOST",
                help="Only what is on this host, by name or address. May be repeated.",
            ),
            click.option(
                "--all",
                "show_all",
                is_flag=True,
                help="Also show ignored services, and web servers of no known kind.",
            ),
        )
    ):
        command = option(command)
    return command


def kind(command: F) -> F:
    """Add ``--kind`` for one kind."""
    help_text = "The kind that is there, by id or alias."
    return click.option("--kind", metavar="KIND", shell_complete=_complete_kind, help=help_text)(command)


def output(command: F) -> F:
    """Add ``--json`` and ``--format``; the command gets ``fmt``, the name of a format or None."""

    def choose(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        if not value:
            return None
        chosen = "json" if param.name == "as_json" else str(value)
        if ctx.meta.setdefault("hybridisco.format", chosen) != chosen:
            raise click.UsageError("--json and --format ask for different formats. Give one of them.", ctx)
        return value

    for option in reversed(
        (
            click.option(
                "--json",
                "as_json",
                is_flag=True,
                expose_value=False,
                callback=choose,
                help="Print one JSON document; the same as --format json.",
            ),
            click.option(
                "--format",
                "fmt",
                expose_value=False,
                type=click.Choice(list(FORMATS)),
                callback=choose,
                help=f"How to print it. {_FORMAT_HELP}.",
            ),
        )
    ):
        command = option(command)
    return command


def chosen_format(ctx: click.Context) -> str:
    """Return the format that the options of :func:`output` chose."""
    return str(ctx.meta.get("hybridisco.format", "table"))


def _seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Return a number of seconds. :raises click.BadParameter: it is none, in plainer words than click's own."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not _SHORTEST_S <= seconds <= _LONGEST_S:  # nor is NaN within
        raise click.BadParameter(
            f"{value!r} is no number of seconds from {_SHORTEST_S} to {_LONGEST_S}. Write, for example, 5 or 0.5.",
            ctx,
            param,
        )
    return seconds


def timeout(command: F) -> F:
    """Add ``--timeout``."""
    return click.option(
        "--timeout",
        "timeout_s",
        callback=_seconds,
        metavar="SECONDS",
        help="Wait so long at the most.  [default: 5, or timeout_s of your settings]",
    )(command)


def listening(command: F) -> F:
    """Add ``--timeout`` for a command that waits for answers, which has a limit of its own."""
    return click.option(
        "--timeout",
        "listen_s",
        callback=_seconds,
        metavar="SECONDS",
        help="Wait so long for answers.  [default: 2]",
    )(command)
