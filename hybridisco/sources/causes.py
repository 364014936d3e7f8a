"""What an error of the system amounts to: one of the causes in :mod:`hybridisco.core.problems`."""

from __future__ import annotations

import errno
import sys

from hybridisco.core import problems

_CAUSES = {
    errno.ECONNREFUSED: problems.REFUSED,
    errno.ECONNRESET: problems.RESET,
    errno.EPIPE: problems.RESET,
    errno.ETIMEDOUT: problems.TIMEOUT,
    errno.ENETUNREACH: problems.UNROUTABLE,
    errno.EADDRNOTAVAIL: problems.UNROUTABLE,
    # macOS answers so while the user has not allowed the program to use the local network.
    errno.EHOSTUNREACH: problems.DENIED if sys.platform == "darwin" else problems.UNROUTABLE,
    errno.EHOSTDOWN: problems.UNROUTABLE,
    errno.EPERM: problems.DENIED,
    errno.EACCES: problems.DENIED,
    errno.EMFILE: problems.NO_FILES,
    errno.ENFILE: problems.NO_FILES,
    errno.ENOBUFS: problems.NO_FILES,  # Windows' word for it
}


#: What to do when the system gives no more files, in words that fit anywhere.
MORE_FILES = (
    "Probably its limit is low (`ulimit -n` shows it; on macOS it is 256). Raise it with `ulimit -n 4096` in the same "
    "terminal or LimitNOFILE= in a systemd unit, or close other programs."
)


def is_out_of_files(error: BaseException) -> bool:
    """Whether the system gives this program, or all together, no more files and connections."""
    return isinstance(error, OSError) and error.errno is not None and _CAUSES.get(error.errno) == problems.NO_FILES


def of(error: OSError) -> str:
    """Return the cause of an error, or of the one that a library has wrapped in it."""
    wrapped = getattr(getattr(error, "os_error", None), "errno", None)
    causes = (_CAUSES.get(number) for number in (error.errno, wrapped) if number)
    return next((cause for cause in causes if cause), problems.UNROUTABLE)
