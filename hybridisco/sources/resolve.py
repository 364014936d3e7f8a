"""Host names to addresses, by the system's resolver, with a bound on the time it may take.

The resolver's call cannot be ended: with a name server that is silent it lasts ten seconds and more. It runs in
daemon threads of our own, because asyncio waits at its end for every thread of its executor.

Whoever answers for a name says where we connect to. So a name leads to other machines only: an answer that says "this
machine", "the cloud's metadata service" or "everybody" is left out (DNS rebinding), unless the name is this machine's
own. What was looked up here is what is dialled; nobody looks a name up a second time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import threading
from collections import deque
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

from hybridisco.core.identity import THIS_MACHINE
from hybridisco.sources.knock import LOOPBACK

log = logging.getLogger(__name__)

_LIMIT_S = 2.0  # a resolver that takes longer is not going to answer
_ADDRESS_LIMIT = 8  # addresses of one name
_THREAD_LIMIT = 8  # names that are looked up at once, those that were given up included
_REFUSED_LIMIT = 256  # names that are remembered as refused; the user wrote every one of them
_HOSTS_LIMIT = 16 * 1024 * 1024  # octets of a hosts file; those that block advertisements have some MiB

#: Where clouds keep credentials (AWS, Azure, Google, ECS, EKS). The rest of 169.254/16 may be a box at a cable's end.
_METADATA = tuple(
    map(
        ip_network,
        ("169.254.169.0/24", "169.254.170.0/24", "fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128"),
    )
)

_Infos = list[tuple[Any, ...]]  # what socket.getaddrinfo returns


async def resolve(host: str, zone: str | None = None) -> tuple[tuple[str, str | None], ...]:
    """Return the addresses of ``host`` as (literal, zone), none if it has none.

    ``localhost`` is always both loopback addresses, whatever the hosts file says: a server may be bound to
    either. An address literal is returned as it is, if its zone is an interface of this machine. Of a name's
    addresses those are left out that no other machine has; :func:`is_refused` tells when none was left.
    """
    if host == THIS_MACHINE:
        return tuple((address, None) for address in LOOPBACK)
    dial = f"{host}%{zone}" if zone else host
    if _is_literal(dial):
        infos = _look_up(dial, socket.AI_NUMERICHOST)  # asks nobody, so it does not block
    else:
        try:
            async with asyncio.timeout(_LIMIT_S):
                infos = await _threads.look_up(dial)
        except TimeoutError:
            return ()
    found: dict[tuple[str, str | None], None] = {}
    for _, _, _, _, sockaddr in infos[:_ADDRESS_LIMIT]:
        address, _, named = str(sockaddr[0]).partition("%")
        scope = sockaddr[3] if len(sockaddr) > 3 else 0
        found[address, zone or named or (_interface_name(int(scope)) if scope else None)] = None
    return tuple(found)


def is_refused(host: str) -> bool:
    """Whether the last look-up of a name gave addresses, but none that a name may lead to."""
    return host in _refused


class _Threads:
    """Threads that look names up: started when there is work, ended when there is none, never waited for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: deque[tuple[str, asyncio.Future[_Infos]]] = deque()
        self._running = 0

    async def look_up(self, name: str) -> _Infos:
        """Return what the resolver says. Cancelling it frees the caller, not the thread."""
        answer: asyncio.Future[_Infos] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._jobs.append((name, answer))
            if self._running < _THREAD_LIMIT:
                with suppress(RuntimeError):  # the system gives no more threads: the job waits for one that runs
                    threading.Thread(target=self._work, name="hybridisco-resolve", daemon=True).start()
                    self._running += 1
        return await answer

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._running -= 1
                    return
                name, answer = self._jobs.popleft()
            if answer.cancelled():  # it waited too long for a thread
                continue
            infos = _without_rebound(name, _look_up(name))
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                answer.get_loop().call_soon_threadsafe(_set, answer, infos)


_threads = _Threads()
_refused: dict[str, None] = {}


def _set(answer: asyncio.Future[_Infos], infos: _Infos) -> None:
    if not answer.done():
        answer.set_result(infos)


def _look_up(name: str, flags: int = 0) -> _Infos:
    try:
        return list(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=flags))
    except (OSError, ValueError):  # ValueError: a NUL, or no name at all for IDNA
        return []


def _without_rebound(name: str, infos: _Infos) -> _Infos:
    """Return ``infos`` without the addresses that a name may not lead to."""
    good = [info for info in infos if _may_be_named(str(info[4][0]))]
    if len(good) < len(infos) and _is_own_name(name):
        good = [info for info in infos if info in good or _plain(str(info[4][0])).is_loopback]
    host = name.partition("%")[0]
    if good or not infos:
        _refused.pop(host, None)
    elif host not in _refused:
        bad = ", ".join(sorted({str(info[4][0]) for info in infos[:_ADDRESS_LIMIT]}))
        log.warning("The name %s leads to %s, which is no other machine's address. It is not asked.", host, bad)
        while len(_refused) >= _REFUSED_LIMIT:
            _refused.pop(next(iter(_refused)), None)
        _refused[host] = None
    return good


def _may_be_named(literal: str) -> bool:
    address = _plain(literal)
    nobodys = address.is_loopback or address.is_unspecified or address.is_multicast
    if nobodys or (address.version == 4 and address.is_reserved):  # the broadcast address among them
        return False
    return not any(address in network for network in _METADATA)


def _plain(literal: str) -> IPv4Address | IPv6Address:
    """Return the address without zone, an IPv4 address in IPv6's clothes as what it is."""
    address = ip_address(literal.partition("%")[0])
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _is_own_name(name: str) -> bool:
    """Whether the user says "this machine" by it: its host name, or a name that the hosts file gives to loopback.

    Debian's hosts file has the machine's own name at 127.0.1.1.
    """
    bare = name.rstrip(".").lower()
    own = socket.gethostname().lower()
    short = own.partition(".")[0]
    if bare in (own, short, f"{short}.local", "localhost.localdomain") or bare.endswith(".localhost"):  # RFC 6761
        return True
    with suppress(OSError, ValueError), _hosts_file().open(encoding="utf-8", errors="replace") as lines:
        for line in lines.read(_HOSTS_LIMIT).splitlines():
            literal, *names = line.partition("#")[0].lower().split() or [""]
            if bare in names:
                with suppress(ValueError):
                    if _plain(literal).is_loopback:
                        return True
    return False


def _hosts_file() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "drivers", "etc", "hosts")
    return Path("/etc/hosts")


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _interface_name(index: int) -> str | None:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return None
