"""Sockets that are connected already, for a client that makes its own: nobody connects twice to ask once."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from hybridisco.sources.knock import Target


class Handover:
    """A factory of sockets: one that is connected to where the client wants to go, if there is one, else a new one."""

    def __init__(self) -> None:
        self._waiting: dict[Target, socket.socket] = {}

    def offer(self, target: Target, sock: socket.socket) -> None:
        """Have ``sock``, which is connected to ``target`` and does not block, used for the next connection there.

        Only a selector's loop connects a socket by asking it: any other could not use it, and it is closed.
        """
        self.take_back(target)
        if isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop):
            self._waiting[target] = sock
        else:
            sock.close()

    def take_back(self, target: Target) -> None:
        """Close what was offered and not used."""
        sock = self._waiting.pop(target, None)
        if sock is not None:
            sock.close()

    def __call__(self, wanted: tuple[Any, ...]) -> socket.socket:
        """Return a socket for an entry of :func:`socket.getaddrinfo`."""
        family, kind, protocol, _, name = wanted
        sock = self._waiting.pop(name[:2], None)
        if sock is not None:
            if _stands(sock):
                return _Connected(family, kind, protocol, sock.detach())
            sock.close()
        return socket.socket(family, kind, protocol)


class _Connected(socket.socket):
    """A socket whose owner may connect it: that is done."""

    def connect(self, address: object) -> None:
        """Do nothing: asyncio would take "it is connected" (EISCONN) for a failure."""


def _stands(sock: socket.socket) -> bool:
    """Whether the other end has not hung up yet."""
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except OSError:
        return False
