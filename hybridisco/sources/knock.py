"""Which ports of this machine listen: connects that wait for nothing. No data is sent.

Loopback answers a connect at once, so one pass over hundreds of ports takes a few milliseconds and needs no event
loop. This file imports next to nothing: a command may knock before it has imported asyncio.
"""

from __future__ import annotations

import errno
import os
import socket
import sys

TYPE_CHECKING = False  # as type checkers read it; importing typing takes some milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Target = tuple[str, int]
"""A dialled address, an IPv6 one with its zone if it needs one, and a port."""

SockAddr = tuple[str, int] | tuple[str, int, int, int]
"""What the socket module calls an address."""

# A connect that was answered by a reset reached a listener: only "refused" means that nobody listens.
_LISTENS = {0, errno.EISCONN, errno.ECONNRESET}
_WAITS = {errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK, errno.EINTR}
_NON_BLOCKING = getattr(socket, "SOCK_NONBLOCK", 0)  # saves a system call, where there is such a thing
_KEPT = 32  # connected sockets that are kept …
_SHARE = 8  # … but one in so many of the descriptors that a process may have; on macOS there are 256 by default

# Linux lets a socket connect again that was refused, which saves two of the four system calls that a closed port takes.
# POSIX leaves it open, and others than Linux say no.
_CONNECTS_AGAIN = sys.platform == "linux"


LOOPBACK = ("127.0.0.1", "::1")
"""The addresses at which this machine talks to itself."""

Knocked = tuple[dict[Target, socket.socket | None], list[Target]]
"""Those that listen, with a socket that is connected or none, and those that can only be told by waiting."""


def knock(targets: Sequence[Target]) -> Knocked:
    """Connect to each target without waiting.

    :return: those that listen, in the given order, and those that can only be told by waiting. A socket is connected
        and non-blocking, and the caller's to close (:func:`hang_up`). There is none for who has reset the connection,
        and for all after the first 32, or after fewer where the system gives few descriptors.
    """
    found: dict[Target, socket.socket | None] = {}
    later: list[Target] = []
    refused: dict[socket.AddressFamily, socket.socket] = {}
    room = _room()
    for target in targets:
        try:
            family, name = resolved(target)
            sock, answer = _connect(refused.pop(family, None), family, name)
        except OSError:
            later.append(target)  # no socket, no such zone, no IPv6: whoever waits sees which it is
            continue
        if answer == errno.ECONNREFUSED and _CONNECTS_AGAIN:
            refused[family] = sock
        elif answer in (0, errno.EISCONN) and room:
            found[target] = sock
            room -= 1
        else:
            sock.close()
            if answer in _LISTENS:
                found[target] = None
            elif answer in _WAITS:
                later.append(target)
    hang_up(refused.values())
    return found, later


def _room() -> int:
    """Return how many sockets may be kept: whoever goes on from here opens files, too."""
    limit = os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else -1  # ulimit -n; -1: there is none
    return min(_KEPT, limit // _SHARE) if limit >= 0 else _KEPT


def hang_up(found: Iterable[socket.socket | None]) -> None:
    """Close what :func:`knock` has left open."""
    for sock in found:
        if sock is not None:
            sock.close()


def resolved(target: Target) -> tuple[socket.AddressFamily, SockAddr]:
    """Return the family and the address to connect to.

    :raises OSError: this machine has no interface of the zone's name.
    """
    address, port = target
    if ":" not in address:
        return socket.AF_INET, target
    bare, _, zone = address.partition("%")
    if not zone:
        return socket.AF_INET6, target
    return socket.AF_INET6, (bare, port, 0, int(zone) if zone.isdigit() else socket.if_nametoindex(zone))


def new_socket(family: socket.AddressFamily) -> socket.socket:
    """Return a socket that does not block.

    :raises OSError: the family is not there, or the system gives no more descriptors.
    """
    sock = socket.socket(family, socket.SOCK_STREAM | _NON_BLOCKING)
    if not _NON_BLOCKING:
        sock.setblocking(False)
    return sock


def _connect(refused: socket.socket | None, family: socket.AddressFamily, name: SockAddr) -> tuple[socket.socket, int]:
    """Connect, by the socket that was refused before if there is one; return the socket used, and what the system says.

    :raises OSError: there can be no socket, or ``name`` is no address.
    """
    sock = new_socket(family) if refused is None else refused
    try:
        answer = sock.connect_ex(name)
        if answer in _WAITS:
            return sock, sock.connect_ex(name)  # loopback has answered by now
    except OSError:
        sock.close()
        raise
    if refused is None:
        return sock, answer
    sock.close()  # any other answer may still be that to the connect before
    return _connect(None, family, name)
