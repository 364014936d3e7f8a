"""What the service runs, and the plan that installs or removes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from hybridisco import UsageError

NAME = "hybridisco-announce"
DESCRIPTION = "Announces the AI backends of this machine on the LAN (Hybridisco)"
DOCUMENTATION = "hybridisco announce --help"
STATUS_FILE = "announce-status.json"

RESTART_AFTER_S = 15  # a program that cannot start costs a second of one core each time, and writes one line
STOP_LIMIT_S = 15  # the goodbyes of all backends take less than one second


class Scope(StrEnum):
    """For whom it runs: for the machine, from boot on; or for one user, as that user."""

    SYSTEM = "system"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Job:
    """What is to run.

    ``program`` are the absolute path of the executable and its fixed arguments; ``arguments`` go to
    ``hybridisco announce``. ``config`` and ``state`` are only set where they are not the default of the place.
    ``folder`` is the one in which this platform keeps what the service writes (unused with systemd, which makes
    its own). ``user`` is who runs it, where the platform wants a name.
    """

    program: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    scope: Scope = Scope.SYSTEM
    version: str = ""
    user: str = ""
    uid: int = 0
    config: str | None = None
    state: str | None = None
    folder: str = ""
    home_is_read: bool = False

    def __post_init__(self) -> None:
        for word in (*self.program, *self.arguments, self.config or "", self.state or ""):
            if any(ord(char) < 0x20 or ord(char) == 0x7F for char in word):
                raise UsageError(
                    f"{word!a} has a line break or another control character, which no service file can hold. "
                    "Leave it out."
                )

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command line."""
        return (*self.program, "announce", *self.arguments)


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run. ``may_fail``: it undoes what perhaps is not there."""

    argv: tuple[str, ...]
    may_fail: bool = False


def commands(*argvs: Sequence[str], may_fail: bool = False) -> tuple[Command, ...]:
    """Return one :class:`Command` for each command line."""
    return tuple(Command(tuple(argv), may_fail) for argv in argvs)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is done to a machine, in this order: ``before``, the file, ``after``.

    ``text`` is ``None`` where the file is removed. ``next_steps`` is what the person does then.
    """

    file: PurePath
    text: str | None
    before: tuple[Command, ...] = ()
    after: tuple[Command, ...] = ()
    next_steps: tuple[str, ...] = ()
    encoding: str = "utf-8"
