"""Telling systemd how we are: the sd_notify protocol (sd_notify(3)), one datagram each time.

The protocol is a line of text to a socket that systemd names, so it needs no library: ``sdnotify`` on PyPI has had
no release for years, and ``systemd-python`` wants a C compiler and systemd's headers. Where no service manager
waits for it (no ``NOTIFY_SOCKET``) every function does nothing; a message that cannot be sent is no reason to stop.
"""

from __future__ import annotations

import logging
import os
import socket
import time

log = logging.getLogger(__name__)

_PINGS_A_LIMIT = 2  # sd_watchdog_enabled(3): ping at half of the time after which we are taken for dead
_STATUS_LIMIT = 200  # characters; it is shown in one line of `systemctl status`


def ready(status: str = "") -> None:
    """Tell that we are up (or up again, after :func:`reloading`), and how we are."""
    _send("READY=1", *_status(status))


def status(text: str) -> None:
    """Tell how we are, in one line."""
    _send(*_status(text))


def reloading() -> None:
    """Tell that the settings are being read again; :func:`ready` ends it."""
    _send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def stopping(status: str = "") -> None:
    """Tell that we are ending."""
    _send("STOPPING=1", *_status(status))


def watchdog() -> None:
    """Tell that we are alive; to be called every :func:`watchdog_interval_s`."""
    _send("WATCHDOG=1")


def watchdog_interval_s() -> float | None:
    """Return the seconds from one :func:`watchdog` to the next; None where nobody waits for it.

    That is half of the time after which systemd would restart us.
    """
    try:
        limit_us = int(os.environ.get("WATCHDOG_USEC", ""))
        for_pid = int(os.environ.get("WATCHDOG_PID") or os.getpid())
    except ValueError:
        return None
    if limit_us <= 0 or for_pid != os.getpid():
        return None
    return limit_us / 1_000_000 / _PINGS_A_LIMIT


def _status(text: str) -> tuple[str, ...]:
    line = " ".join(text.split())[:_STATUS_LIMIT]
    return (f"STATUS={line}",) if line else ()


def _send(*assignments: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not assignments or not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):  # Linux's abstract namespace
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)  # a manager that does not read must not stop us
            sender.sendto("\n".join(assignments).encode(), address)
    except OSError as error:
        log.debug("systemd was not told %s: %s", assignments, error)
