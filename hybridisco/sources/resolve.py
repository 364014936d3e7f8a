"""Host names to addresses, by the system's resolver, with a bound on the time it may take."""

from __future__ import annotations

import asyncio
import socket

from hybridisco.core.identity import THIS_MACHINE

_LIMIT_S = 2.0  # a resolver that takes longer is not going to answer
_ADDRESS_LIMIT = 8  # addresses of one name


async def resolve(host: str, zone: str | None = None) -> tuple[tuple[str, str | None], ...]:
    """Return the addresses of ``host`` as (literal, zone), none if it has none.

    ``localhost`` is always both loopback addresses, whatever the hosts file says: a server may be bound to
    either. An address literal is returned as it is.
    """
    if host == THIS_MACHINE:
        return (("127.0.0.1", None), ("::1", None))
    dial = f"{host}%{zone}" if zone else host
    try:
        async with asyncio.timeout(_LIMIT_S):
            infos = await asyncio.get_running_loop().getaddrinfo(dial, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return ()
    found: dict[tuple[str, str | None], None] = {}
    for _, _, _, _, sockaddr in infos[:_ADDRESS_LIMIT]:
        address, _, named = str(sockaddr[0]).partition("%")
        scope = sockaddr[3] if len(sockaddr) > 3 else 0
        found[address, zone or named or (_interface_name(int(scope)) if scope else None)] = None
    return tuple(found)


def _interface_name(index: int) -> str | None:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return None
