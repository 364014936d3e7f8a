"""Which ports listen: the raw, cheap first look of the probe. It sends no data.

This machine's are told at a glance (:mod:`.knock`). What is left, and every other machine, is waited for on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence

from hybridisco.sources.causes import MORE_FILES, is_out_of_files
from hybridisco.sources.knock import Knocked, SockAddr, Target, hang_up, knock, new_socket, resolved

log = logging.getLogger(__name__)

CONNECT_LOCAL_S = 0.25  # a local port that takes longer has a full accept queue
CONNECT_LAN_S = 1.0  # a LAN round trip and one lost SYN
_AT_ONCE = 128  # open sockets; macOS gives a process 256 descriptors by default
_TRIES = 50
_AGAIN_S = 0.02  # by then another look may have given its descriptor back
_told: set[str] = set()  # troubles that were logged as a warning


async def listening(targets: Sequence[Target], *, local: bool) -> list[Target]:
    """Return those of ``targets`` that accept connections, in the given order.

    :param local: they are on this machine: look inline, and wait 250 ms at the most instead of 1 s.
    """
    found = await connected(targets) if local else {}
    hang_up(found.values())
    return list(found) if local else await _in_time(targets, CONNECT_LAN_S)


async def connected(targets: Sequence[Target], knocked: Knocked | None = None) -> dict[Target, socket.socket | None]:
    """Return those of ``targets``, on this machine, that listen, in the given order, with sockets to talk to some.

    :param knocked: what a :func:`knock` at all of them, and maybe at more, has found. Its sockets stay the caller's.
    :return: what :func:`knock` does.
    """
    found, later = knocked or knock(targets)
    untold = set(later)
    try:
        waited = await _in_time([target for target in targets if target in untold], CONNECT_LOCAL_S)
    except BaseException:  # cancelled, too: the sockets are closed, and it goes on
        if knocked is None:
            hang_up(found.values())
        raise
    return {target: found.get(target) for target in targets if target in found or target in waited}


async def _in_time(targets: Sequence[Target], limit_s: float) -> list[Target]:
    """Return those of ``targets`` that accept a connection within ``limit_s``, in the given order."""
    found: dict[Target, bool] = {}
    rest = iter(targets)

    async def work() -> None:
        for target in rest:  # shared: each target goes to one worker
            found[target] = await _connects(target, limit_s)

    await asyncio.gather(*(work() for _ in range(min(_AT_ONCE, len(targets)))))
    return [target for target in targets if found[target]]


async def _connects(target: Target, limit_s: float) -> bool:
    loop = asyncio.get_running_loop()
    made = await _socket_in_time(target)
    if made is None:
        return False
    sock, name = made
    with sock:
        try:
            async with asyncio.timeout(limit_s):
                await loop.sock_connect(sock, name)
        except ConnectionResetError:
            return True
        except (OSError, TimeoutError):
            return False
        return True


async def _socket_in_time(target: Target) -> tuple[socket.socket, SockAddr] | None:
    """Return a socket, as soon as there is a descriptor for it; None if there can be none."""
    for left in reversed(range(_TRIES)):
        try:
            family, name = resolved(target)
            return new_socket(family), name
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
