"""How a command ends: what is said to people on stderr, and the exit status. Without click, which takes 20 ms."""

from __future__ import annotations

import errno
import os
import signal
import sys

TYPE_CHECKING = False  # as type checkers read it; importing typing takes some milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO, TypeGuard

FOUND, NOTHING, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def of(command: Callable[[], object]) -> int:
    """Run a command and return its exit status. Every error ends here, as a message on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a code page without our letters is no reason to fail
    try:
        result = command()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has enough (``hybridisco list | head -1``)
        drop_output()
        return FOUND
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - exit status 1 would say "nothing found"
        return _told(error)
    return result if isinstance(result, int) else FOUND


def end_when_interrupted() -> None:
    """End at once at a Ctrl-C, until :func:`raise_when_interrupted`: nothing is to be tidied up before a search.

    Python raises KeyboardInterrupt between any two steps, also where nothing can catch it: in the middle of an import
    it may leave the lock of all imports locked, and whoever imports in another thread waits for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not if our parent has it ignored
        signal.signal(signal.SIGINT, _end)


def raise_when_interrupted() -> None:
    """Have a Ctrl-C raised as usual: asyncio takes it over from there."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(*_: object) -> None:
    os._exit(INTERRUPTED)


def _told(error: Exception) -> int:
    from hybridisco.core.errors import HybridiscoError

    if isinstance(error, HybridiscoError):
        say(f"Error: {error}")
        return error.exit_status
    if is_full(error):
        return say_full(error)
    import logging

    from hybridisco.sources.causes import MORE_FILES, is_out_of_files

    logging.getLogger("hybridisco").debug("Unexpected", exc_info=error)
    if is_out_of_files(error):
        say(f"Error: too many files and connections are open ({error}). {MORE_FILES}")
        return FAILED
    say(
        f"Error: This should not have happened ({type(error).__name__}: {error}). "
        "Run it again with -vv and report what it prints."
    )
    return FAILED


def echo(text: str) -> None:
    """Print the result, or a part of it."""
    _write(text, sys.stdout)


def say(text: str) -> None:
    """Tell the person something that is not the result: on stderr."""
    _write(text, sys.stderr)


def _write(text: str, stream: TextIO | None) -> None:
    if stream is not None:  # a program without a console has none
        print(text, file=stream, flush=True)


def is_full(error: Exception) -> TypeGuard[OSError]:
    """Whether ``error`` is about where our output goes: such a one names no file."""
    return isinstance(error, OSError) and error.errno in _FULL and error.filename is None


def say_full(error: OSError) -> int:
    """Say that the output is lost, and return the exit status."""
    drop_output()
    try:
        say(f"Error: the output could not be written ({error.strerror or error}).")
    except OSError:  # stderr may go to the same disk
        drop_output(sys.stderr)
    return FAILED


def drop_output(stream: TextIO | None = None) -> None:
    """Let nothing that is still buffered for ``stream`` (stdout) fail again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())
