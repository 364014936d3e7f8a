"""Which ports listen: the raw, cheap first look of the probe. It sends no data.

Loopback answers a connect at once, so one pass of non-blocking ``connect_ex`` over hundreds of ports takes a
few milliseconds and needs no event loop. What is left, and every other machine, is waited for on the loop.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Sequence

from hybridisco.sources.causes import MORE_FILES, is_out_of_files

log = logging.getLogger(__name__)

CONNECT_LOCAL_S = 0.25  # a local port that takes longer has a full accept queue
CONNECT_LAN_S = 1.0  # a LAN round trip and one lost SYN
_AT_ONCE = 128  # open sockets; macOS gives a process 256 descriptors by default
_TRIES = 50
_AGAIN_S = 0.02  # by then another look may have given its descriptor back
_told: set[str] = set()  # troubles that were logged as a warning

# A connect that was answered by a reset reached a listener: only "refused" means that nobody listens.
_LISTENS = {0, errno.EISCONN, errno.ECONNRESET}
_WAITS = {errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK, errno.EINTR}

Target = tuple[str, int]


async def listening(targets: Sequence[Target], *, local: bool) -> list[Target]:
    """Return those of ``targets`` (dialled address, port) that accept connections, in the given order.

    :param local: they are on this machine: look inline, and wait 250 ms at the most instead of 1 s.
    """
    found: dict[Target, bool] = {}
    waiting = list(targets)
    if local:
        found = {target: look for target in targets if (look := _connect_now(target)) is not None}
        waiting = [target for target in targets if target not in found]
    limit_s = CONNECT_LOCAL_S if local else CONNECT_LAN_S
    rest = iter(waiting)

    async def work() -> None:
        for target in rest:  # shared: each target goes to one worker
            found[target] = await _connects(target, limit_s)

    await asyncio.gather(*(work() for _ in range(min(_AT_ONCE, len(waiting)))))
    return [target for target in targets if found[target]]


def _socket(target: Target) -> tuple[socket.socket, tuple[object, ...]]:
    address, port = target
    if ":" not in address:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM), (address, port)
    bare, _, zone = address.partition("%")
    scope = 0 if not zone else int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
    return socket.socket(socket.AF_INET6, socket.SOCK_STREAM), (bare, port, 0, scope)


def _connect_now(target: Target) -> bool | None:
    """Return whether somebody listens, or None when that takes waiting."""
    try:
        sock, name = _socket(target)
    except OSError as error:
        return None if is_out_of_files(error) else False  # later; no IPv6 here, or no such zone: never
    with sock:
        sock.setblocking(False)
        try:
            answer = sock.connect_ex(name)
            if answer in _WAITS:
                answer = sock.connect_ex(name)  # loopback has answered by now
        except OSError:
            return False
        return None if answer in _WAITS else answer in _LISTENS


async def _connects(target: Target, limit_s: float) -> bool:
    loop = asyncio.get_running_loop()
    made = await _socket_in_time(target)
    if made is None:
        return False
    sock, name = made
    with sock:
        sock.setblocking(False)
        try:
            async with asyncio.timeout(limit_s):
                await loop.sock_connect(sock, name)
        except ConnectionResetError:
            return True
        except (OSError, TimeoutError):
            return False
        return True


async def _socket_in_time(target: Target) -> tuple[socket.socket, tuple[object, ...]] | None:
    """Return a socket, as soon as there is a descriptor for it; None if there can be none."""
    for left in reversed(range(_TRIES)):
        try:
            return _socket(target)
        except OSError as error:
            if not is_out_of_files(error):
                return None
            if not left:
                level = logging.DEBUG if "files" in _told else logging.WARNING
                _told.add("files")
                log.log(
                    level, "Not all ports could be looked at: too many files and connections are open. %s", MORE_FILES
                )
                return None
        await asyncio.sleep(_AGAIN_S)
    return None
