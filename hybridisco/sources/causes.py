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


def of(error: OSError) -> str:
    """Return the cause of an error, or of the one that a library has wrapped in it."""
    wrapped = getattr(getattr(error, "os_error", None), "errno", None)
    causes = (_CAUSES.get(number) for number in (error.errno, wrapped) if number)
    return next((cause for cause in causes if cause), problems.UNROUTABLE)
