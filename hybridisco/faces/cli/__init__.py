"""The command line: ``hybridisco``.

::

    __init__     main(): answers --help and --version at once, without click
    menu         the table of commands, and the help text made of it
    app          the click group: loads one command, turns errors into messages and exit statuses
    options      options that several commands share
    search       which services are wanted, and the search itself
    explain      what to say when nothing was found, and of what cannot be told yet
    terminal     what the terminal can show; the progress line
    commands/    one file for each command or group of commands

Importing click takes three times as long as starting Python, so help does without it.
"""

from __future__ import annotations

import os
import sys

#: click's own name for the variable by which a shell asks for completions.
COMPLETE_VAR = "_HYBRIDISCO_COMPLETE"


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 found, 1 nothing found, 2 wrong usage or config, 3 discovery could not run, 130 interrupted.
    """
    args = sys.argv[1:] if argv is None else argv
    try:
        if args[:1] == ["help"]:  # as people try it; the rest names a command
            args = [*args[1:], "--help"]
        if COMPLETE_VAR not in os.environ and args in ([], ["-h"], ["--help"], ["--version"]):
            return _at_once(args)
        from hybridisco.faces.cli.app import run

        return run(args)
    except KeyboardInterrupt:  # while modules were imported
        return 130


def _at_once(args: list[str]) -> int:
    if args == ["--version"]:
        from hybridisco._version import __version__

        text = f"hybridisco {__version__}"
    else:
        from hybridisco.faces.cli.menu import overview

        text = overview()
    try:
        print(text, flush=True)  # noqa: T201 - the result
    except BrokenPipeError:
        # What is still in the buffer must not fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
