"""A port at which clients notice that this sidecar has ended: they hold a connection, and it breaks.

Nothing is read and nothing but a greeting is said. The kernel does the rest: when the process dies, every connection is
closed in the same millisecond; when the machine dies, the clients' keep-alive probes stay unanswered. Where a firewall
drops it, nobody holds one, and clients look at the backends themselves as ever.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from contextlib import suppress

from hybridisco import LIVE_GREETING, keep_alive

log = logging.getLogger(__name__)

_CONNECTIONS, _OF_ONE = 512, 8  # in all, and of one address
_IDLE_S = 10  # a client whose cable was pulled is let go half a minute later


class Presence:
    """The port. ``port`` is None where none could be had."""

    def __init__(self) -> None:
        self.port: int | None = None
        self._servers: list[asyncio.Server] = []
        self._open: dict[asyncio.StreamWriter, str] = {}
        self._count: Counter[str] = Counter()

    async def open(self) -> None:
        """Listen, by IPv4 and IPv6, at a free port."""
        if self._servers:
            return
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            with suppress(OSError):  # no IPv6 here, or the port is taken there: the other one is enough
                server = await asyncio.start_server(
                    self._hold, address, self.port or 0, family=family, limit=64, backlog=64
                )
                self._servers.append(server)
                self.port = int(server.sockets[0].getsockname()[1])
        if self.port is None:
            log.debug("No port could be had at which clients could notice that this sidecar has ended")

    async def close(self) -> None:
        """Close the port and every connection."""
        for server in self._servers:
            server.close()
        for writer in list(self._open):
            writer.close()
        self._servers.clear()
        self.port = None

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        if len(self._open) >= _CONNECTIONS or self._count[peer] >= _OF_ONE:
            writer.close()
            return
        self._open[writer] = peer
        self._count[peer] += 1
        keep_alive(writer.get_extra_info("socket"), _IDLE_S)  # who is gone makes room
        try:
            writer.write(LIVE_GREETING)
            while await reader.read(64):  # whatever is said, nobody listens
                pass
        except OSError:
            pass
        finally:
            del self._open[writer]
            self._count[peer] -= 1
            if not self._count[peer]:
                del self._count[peer]
            writer.close()
