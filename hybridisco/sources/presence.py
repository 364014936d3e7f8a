"""Notices within milliseconds that a sidecar has ended, by a connection that is held to it.

Theory of operation. A sidecar's announcement may name a port (the TXT key ``live``). One connection to it is held for
all backends of that machine. The kernel tells when the process ends, and asks by itself, after two seconds of silence,
whether the machine is still there. Two things follow from a connection that breaks:

* Connecting again is *refused*: the program has ended, and with it all that it announced. This is said at each try.
* Anything else may be the network: nothing is known any more, and the backends are looked at, at once.

Whoever does not greet as a sidecar does is left alone: an announcement could name anybody's port, and some servers
serve one connection at a time.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from hybridisco.core.model import Endpoint
from hybridisco.core.txt import LIVE_GREETING

log = logging.getLogger(__name__)

SIDECAR_LIMIT = 256  # connections that are held
_GREETING_S = 1.5  # to connect and to be greeted
_IDLE_S, _EVERY_S, _PROBES = 2, 1, 1  # keep-alive (RFC 9293 section 3.8.4)
_AGAIN_S = (0.3, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0)  # pauses between the tries after it broke
_LATER_S = 30.0
_AT_ONCE = 16  # connections that are being made
_AT_ONE_ADDRESS = 2  # ports of one machine: that of its sidecar, and that which it had before
_STRANGE = 2  # tries after which whoever did not greet is left alone
_STEADY_S = 2.0  # what breaks sooner than that is not tried again at once for ever

#: Called with the ref of an announcement, and whether its announcer is there; None: that cannot be told any more.
Report = Callable[[str, bool | None], None]


@dataclass(slots=True)
class _Watched:
    refs: set[str] = field(default_factory=set)
    task: asyncio.Task[None] | None = None
    attended: bool | None = None
    given_up_at: float = 0.0
    known: bool = False  # it has greeted once


class Presence:
    """The connections that are held.

    :param report: told when an announcer is there for the first time or again, and when, and as long as, it is not.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._watched: dict[tuple[str, int], _Watched] = {}
        self._of: dict[str, tuple[str, int]] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)

    def follow(self, ref: str, endpoints: tuple[Endpoint, ...], port: int | None, *, anew: bool) -> bool:
        """Watch over an announcement's announcer at ``port``; returns whether it is known to be there now.

        :param anew: it has just been heard: if it was gone, it is tried again at once.
        """
        if not port:
            if self._of:
                self.leave(ref)
            return False
        target = (min(e.dial for e in endpoints if e.family == _first_family(endpoints)), port)
        if self._of.get(ref) != target:
            self.leave(ref)
        watched = self._watched.get(target)
        if watched is not None and anew:
            self._try_again(target, watched)
        if watched is None:
            at_one = sum(dial == target[0] for dial, _ in self._watched)
            if len(self._watched) >= SIDECAR_LIMIT or at_one >= _AT_ONE_ADDRESS:
                return False
            watched = self._watched[target] = _Watched()
            watched.task = asyncio.create_task(self._watch(target, watched))
        watched.refs.add(ref)
        self._of[ref] = target
        return watched.attended is True

    def _try_again(self, target: tuple[str, int], watched: _Watched) -> None:
        """Begin anew what is gone, or what was given up a while ago."""
        assert watched.task is not None
        rested = time.monotonic() - watched.given_up_at > _LATER_S
        if watched.attended is False or (watched.task.done() and rested):
            watched.task.cancel()
            watched.task = asyncio.create_task(self._watch(target, watched))

    def leave(self, ref: str) -> None:
        """Watch over it no longer."""
        target = self._of.pop(ref, None)
        watched = self._watched.get(target) if target else None
        if target is None or watched is None:
            return
        watched.refs.discard(ref)
        if not watched.refs:
            del self._watched[target]
            if watched.task is not None:
                watched.task.cancel()

    async def close(self) -> None:
        """Close every connection."""
        tasks = [watched.task for watched in self._watched.values() if watched.task is not None]
        self._watched.clear()
        self._of.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, target: tuple[str, int], watched: _Watched) -> None:
        loop, tries = asyncio.get_running_loop(), 0
        while True:
            writer, began = None, loop.time()
            try:
                async with self._gate:
                    reader, writer = await _greeted(target)
                if watched.attended is not True:
                    self._tell(watched, True)
                if await reader.read(1):
                    raise ValueError("it talks")
                if loop.time() - began > _STEADY_S:
                    tries = 0
            except ConnectionRefusedError:  # nobody listens there any more: the program has ended
                if watched.known:
                    self._tell(watched, False)
            except (OSError, ValueError, EOFError) as error:
                # The network, or a sidecar that has no place left. Of the backends a look tells.
                log.debug("The sidecar at %s:%d: %r", *target, error)
                if watched.attended is True:
                    self._tell(watched, None)
            finally:
                if writer is not None:
                    writer.close()
            if not watched.known and tries >= _STRANGE:
                watched.given_up_at = time.monotonic()
                return
            await asyncio.sleep(_AGAIN_S[tries] if tries < len(_AGAIN_S) else _LATER_S)
            tries += 1

    def _tell(self, watched: _Watched, attended: bool | None) -> None:
        watched.attended = attended
        watched.known |= attended is True
        for ref in list(watched.refs):
            self._report(ref, attended)


def _first_family(endpoints: tuple[Endpoint, ...]) -> str | None:
    return "ipv4" if any(e.family == "ipv4" for e in endpoints) else "ipv6"


async def _greeted(target: tuple[str, int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection to a sidecar. :raises OSError, TimeoutError, ValueError, EOFError: there is none."""
    async with asyncio.timeout(_GREETING_S):
        reader, writer = await asyncio.open_connection(*target, limit=256)
        try:
            if await reader.readexactly(len(LIVE_GREETING)) != LIVE_GREETING:
                raise ValueError("somebody else")
        except BaseException:
            writer.close()
            raise
    keep_alive(writer.get_extra_info("socket"), _IDLE_S, every_s=_EVERY_S, probes=_PROBES)
    return reader, writer


def keep_alive(sock: socket.socket, idle_s: int, *, every_s: int = 5, probes: int = 3) -> None:
    """Have the kernel ask whether the other end is there (RFC 9293 section 3.8.4), and end the connection if it is not.

    :param idle_s: seconds of silence before the first probe; ``every_s`` between two of them.
    """
    with suppress(OSError, AttributeError, ValueError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if sys.platform == "win32":
            sock.ioctl(socket.SIO_KEEPALIVE_VALS, (1, idle_s * 1000, every_s * 1000))
            return
        idle = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
        if idle is not None:
            sock.setsockopt(socket.IPPROTO_TCP, idle, idle_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, every_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, probes)
