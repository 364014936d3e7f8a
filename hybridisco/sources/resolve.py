"""Host names to addresses, by the system's resolver, with a bound on the time it may take.

The resolver's call cannot be ended: with a name server that is silent it lasts ten seconds and more. It runs in
daemon threads of our own, because asyncio waits at its end for every thread of its executor.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from hybridisco.core.identity import THIS_MACHINE

_LIMIT_S = 2.0  # a resolver that takes longer is not going to answer
_ADDRESS_LIMIT = 8  # addresses of one name
_THREAD_LIMIT = 8  # names that are looked up at once, those that were given up included

_Infos = list[tuple[Any, ...]]  # what socket.getaddrinfo returns


async def resolve(host: str, zone: str | None = None) -> tuple[tuple[str, str | None], ...]:
    """Return the addresses of ``host`` as (literal, zone), none if it has none.

    ``localhost`` is always both loopback addresses, whatever the hosts file says: a server may be bound to
    either. An address literal is returned as it is, if its zone is an interface of this machine.
    """
    if host == THIS_MACHINE:
        return (("127.0.0.1", None), ("::1", None))
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
            infos = _look_up(name)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                answer.get_loop().call_soon_threadsafe(_set, answer, infos)


_threads = _Threads()


def _set(answer: asyncio.Future[_Infos], infos: _Infos) -> None:
    if not answer.done():
        answer.set_result(infos)


def _look_up(name: str, flags: int = 0) -> _Infos:
    try:
        return list(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=flags))
    except (OSError, ValueError):  # ValueError: a NUL, or no name at all for IDNA
        return []


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
