"""The exceptions of Hybridisco.

::

    HybridiscoError
    ├── ConfigError       the user's file, an environment variable or a flag is wrong   (exit status 2)
    ├── UsageError        a call or command that cannot mean anything                   (exit status 2)
    ├── DiscoveryError    discovery could not run at all                                (exit status 3)
    └── AnnounceError     a backend could not be announced                              (exit status 3)

Every message says what happened, why that is likely, and what to do: it is shown to people as it is.
A backend that does not answer is not an exception but a result (:class:`hybridisco.core.model.Service`).
"""

from __future__ import annotations

from pathlib import Path


class HybridiscoError(Exception):
    """Base of everything that this package raises on purpose."""

    exit_status = 3


class ConfigError(HybridiscoError):
    """A setting is wrong.

    ``file``, ``key`` and ``line`` are ``None`` where they are not known (a flag has no line).
    """

    exit_status = 2

    def __init__(
        self, message: str, *, file: Path | str | None = None, key: str | None = None, line: int | None = None
    ) -> None:
        self.file, self.key, self.line = file, key, line
        place = "" if file is None else f"{file}{'' if line is None else f', line {line}'}: "
        super().__init__(f"{place}{f'{key}: ' if key else ''}{message}")


class UsageError(HybridiscoError):
    """Arguments that do not fit together, or a value that is not allowed."""

    exit_status = 2


class DiscoveryError(HybridiscoError):
    """Discovery could not run (for example: no source could be started)."""


class AnnounceError(HybridiscoError):
    """A backend could not be announced."""
