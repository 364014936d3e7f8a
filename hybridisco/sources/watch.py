"""Notices when the network of this machine may have changed, and when the machine has slept.

On Linux the kernel tells of every change (rtnetlink(7)); elsewhere, and in case a message was lost, it is worth a look
every other second. A machine that slept notices by its clocks, since the one that counts only while it is awake falls
behind.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

POLL_S = 2.0
SETTLE_S = 0.3  # an interface that comes up changes five times in a row
_SLEPT_S = 5.0  # wall clock against monotonic clock; clocks that are set jump by less, or hardly ever
_GROUPS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR


class NetworkWatch:
    """Tells when something may have changed: ``with NetworkWatch() as watch: await watch.stirred()``.

    :param clocks: gives the wall clock and the monotonic clock, in seconds.
    :param settle_s: seconds to wait after a change for those that come with it.
    """

    def __init__(
        self,
        clocks: Callable[[], tuple[float, float]] = lambda: (time.time(), time.monotonic()),
        *,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._clocks = clocks
        self._settle_s = settle_s
        self._offset = _difference(clocks())
        self._socket: socket.socket | None = None
        self._event = asyncio.Event()

    def __enter__(self) -> NetworkWatch:
        if sys.platform == "linux":
            with suppress(OSError):  # a sandbox may forbid it: then the poll is all there is
                self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
                self._socket.bind((0, _GROUPS))
                self._socket.setblocking(False)
                asyncio.get_running_loop().add_reader(self._socket, self._read, self._socket)
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    async def stirred(self) -> bool:
        """Return when it is worth a look, every other second at the latest; True if this machine slept meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._event.wait()
            await asyncio.sleep(self._settle_s)
        self._event.clear()
        offset = _difference(self._clocks())
        slept = offset - self._offset > _SLEPT_S
        self._offset = offset
        return slept

    def _read(self, sock: socket.socket) -> None:
        with suppress(OSError):  # ENOBUFS: messages were lost, which is a reason to look, too
            while sock.recv(65536):
                pass
        self._event.set()


def _difference(clocks: tuple[float, float]) -> float:
    wall, monotonic = clocks
    return wall - monotonic
