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

import errno
import os
import sys
from contextlib import suppress
from typing import TextIO, TypeGuard

#: click's own name for the variable by which a shell asks for completions.
COMPLETE_VAR = "_HYBRIDISCO_COMPLETE"

FAILED = 3
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


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
        drop_output()
    except OSError as error:
        return say_full(error)
    return 0


def is_full(error: Exception) -> TypeGuard[OSError]:
    """Whether ``error`` is about where our output goes: such a one names no file."""
    return isinstance(error, OSError) and error.errno in _FULL and error.filename is None


def say_full(error: OSError) -> int:
    """Say that the output is lost, and return the exit status."""
    drop_output()
    with suppress(OSError):  # stderr may go to the same disk
        print(  # noqa: T201 - the one message
            f"Error: the output could not be written ({error.strerror or error}).", file=sys.stderr, flush=True
        )
        return FAILED
    drop_output(sys.stderr)
    return FAILED


def drop_output(stream: TextIO | None = None) -> None:
    """Let nothing that is still buffered for ``stream`` (stdout) fail again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())
