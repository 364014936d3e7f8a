"""One TCP port, on one or more addresses, that can stop listening and start again without being lost.

While it is shut the port stays *bound* and does not listen: clients are refused at once, and nobody else gets
the port meanwhile.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

_BACKLOG: Final = 128
_ATTEMPTS: Final = 20  # at a port that is free on every address, when any port will do


class Listener:
    """The listening side of a mock: `bind`, then `open` and `shut` in turn, then `close`.

    All but `close` take effect at once, before they return; they must be called in the event loop's thread.
    """

    def __init__(self, protocol_factory: Callable[[], asyncio.BaseProtocol]) -> None:
        self._protocol_factory = protocol_factory
        self._hosts: tuple[str, ...] = ()
        self._port = 0
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._serving: asyncio.Task[None] | None = None

    def bind(self, hosts: Sequence[str], port: int) -> int:
        """Take the same port on every address and return it; port 0 takes any free one.

        A name is bound at its first address: give `127.0.0.1` and `::1` for both families.

        Raises:
            OSError: the port is taken, not permitted, or the address is not one of this machine's.
        """
        for attempts_left in reversed(range(_ATTEMPTS)):
            try:
                self._sockets = _bind_all(hosts, port)
                break
            except OSError as error:
                # A port that was free at the first address may be taken at the second: look further.
                if port or not attempts_left or error.errno != errno.EADDRINUSE:
                    raise
        self._hosts, self._port = tuple(hosts), self._sockets[0].getsockname()[1]
        return self._port

    def open(self) -> None:
        """Listen. Clients that connect from now on are served as soon as the event loop runs."""
        if self._serving is not None:
            return
        for sock in self._sockets:
            _reuse(sock, True)  # its connections inherit this, and without it would block the next bind
            sock.listen(_BACKLOG)
        self._serving = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            # Created and started in two steps so that shut() can never miss a server half way.
            server = await loop.create_server(self._protocol_factory, sock=sock, start_serving=False)
            self._servers.append(server)
            await server.start_serving()

    def shut(self) -> None:
        """Stop listening and keep the port. Connections that are open stay open.

        Raises:
            OSError: another program took the port in the instant between.
        """
        self._stop()
        self._sockets = _bind_all(self._hosts, self._port)

    async def close(self) -> None:
        """Stop listening and give the port back."""
        serving = self._serving
        self._stop()
        if serving is not None:
            with suppress(asyncio.CancelledError):
                await serving

    def _stop(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            self._serving = None
        for server in self._servers:
            server.close()
        for sock in self._sockets:
            sock.close()
        self._servers, self._sockets = [], []


def _bind_all(hosts: Sequence[str], port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    try:
        for host in hosts:
            bound.append(_bind(host, port))
            port = port or bound[0].getsockname()[1]
    except OSError:
        for sock in bound:
            sock.close()
        raise
    return bound


def _bind(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        _reuse(sock, True)  # a mock started again must not wait for its last connections to be forgotten
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(address)
        _reuse(sock, False)  # until it listens, a second program with the same wish could have the port too
    except OSError as error:
        sock.close()
        raise OSError(error.errno, _explain(error, host, port)) from error
    return sock


def _reuse(sock: socket.socket, allowed: bool) -> None:
    """Set SO_REUSEADDR, except on Windows, where it is not needed and would let two programs share a port."""
    if os.name == "posix":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, allowed)


def _explain(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is in use by another program: take another, or 0 for any free one"
        case errno.EACCES:
            return f"port {port} on {host} may not be opened by this user: take one above 1023"
        case errno.EADDRNOTAVAIL:
            return f"cannot open port {port} on {host}: that is no address of this machine"
    return f"cannot open port {port} on {host}: {error.strerror}"
