"""The command line: ``hybridisco``.

::

    __init__     main(): answers --help and --version at once, without click
    menu         the table of commands, and the help text made of it
    quick        `list` as it is mostly asked for: knocks at this machine's ports before anything heavy is imported
    app          the click group: loads one command
    outcome      what is said to people, errors as messages, exit statuses
    options      options that several commands share
    search       which services are wanted, and the search itself
    listing      a search from its settings to what is printed
    explain      what to say when nothing was found, and of what cannot be told yet
    nothing      the parts of that which need no search
    terminal     what the terminal can show; the progress line
    logs         what is logged
    commands/    one file for each command or group of commands

Importing click takes three times as long as starting Python, so help and a plain `list` do without it.
"""

from __future__ import annotations

import gc
import os
import sys

from hybridisco.faces.cli import outcome

#: click's own name for the variable by which a shell asks for completions.
COMPLETE_VAR = "_HYBRIDISCO_COMPLETE"

_SELDOM = 50_000  # new objects between two looks of the garbage collector; imports make that many, and no garbage
# aiohttp, when imported, reads all of the system's certificates, which takes 30 ms, for contexts that the probe does
# not use: boxes on the LAN sign for themselves. Whoever did use them would refuse every server.
_NO_CERTIFICATES = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}


def program() -> int:
    """Run the command line that this process was started with, and return its exit status."""
    gc.set_threshold(_SELDOM)
    if sys.argv[1:2] == ["list"]:  # it starts no other programs that would inherit this
        os.environ.update(_NO_CERTIFICATES)
        outcome.end_when_interrupted()
    try:
        return main()
    finally:
        gc.freeze()  # the process ends: nothing is to be searched for garbage any more, which takes 10 ms and more


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 found, 1 nothing found, 2 wrong usage or config, 3 discovery could not run, 130 interrupted.
    """
    args = sys.argv[1:] if argv is None else argv
    try:
        if args[:1] == ["help"]:  # as people try it; the rest names a command
            args = [*args[1:], "--help"]
        if COMPLETE_VAR not in os.environ:
            if args in ([], ["-h"], ["--help"], ["--version"]):
                return outcome.of(lambda: _at_once(args))
            if args[0] == "list":
                from hybridisco.faces.cli import quick

                sources = quick.sources_asked(args[1:])
                if sources is not None:
                    return outcome.of(lambda: quick.run(sources))
        from hybridisco.faces.cli.app import run

        return run(args)
    except KeyboardInterrupt:  # while modules were imported
        return outcome.INTERRUPTED


def _at_once(args: list[str]) -> None:
    if args == ["--version"]:
        from hybridisco._version import __version__

        outcome.echo(f"hybridisco {__version__}")
    else:
        from hybridisco.faces.cli.menu import overview

        outcome.echo(overview())
