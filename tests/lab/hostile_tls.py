"""Servers that a prober must survive when it speaks TLS.

As in :mod:`.hostile`: each is an async context manager that yields its port; ``HOSTILE`` names them. Most need
``openssl``: :func:`tls_available` says whether it is there.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AbstractAsyncContextManager

from .hostile import LOOPBACK, Server, self_signed, serving
from .web import answer, read_request

_KIB = 1 << 10
_HANDSHAKE, _ALERT = 22, 21
_SERVER_HELLO = b"\x02"


def _record(kind: int, payload: bytes, length: int | None = None) -> bytes:
    """A TLS record (RFC 8446 §5.1); ``length`` claims another one than the payload's."""
    return bytes([kind]) + b"\x03\x03" + (len(payload) if length is None else length).to_bytes(2, "big") + payload


def _raw(start: bytes, chunk: bytes, pause_s: float, host: str) -> AbstractAsyncContextManager[int]:
    """A server that reads the client's hello, says ``start`` and then ``chunk`` for ever."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4 * _KIB)
        writer.write(start)
        while True:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return serving(handler, host)


def slow_handshake(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks read timeouts: the server's hello, one octet at a time."""
    hello = _SERVER_HELLO + (16 * _KIB).to_bytes(3, "big") + b"\x03\x03"
    return _raw(_record(_HANDSHAKE, hello, length=16 * _KIB), b"\x00", 0.2, host)


def endless_warnings(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks loops over alerts: warnings at full speed instead of a hello."""
    return _raw(b"", _record(_ALERT, b"\x01\x5a") * 1000, 0, host)


def endless_handshake(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks allocation by trust: a hello that says it has 16 MiB, sent at full speed."""
    hello = _SERVER_HELLO + (2**24 - 1).to_bytes(3, "big") + b"\x03\x03"
    return _raw(_record(_HANDSHAKE, hello), _record(_HANDSHAKE, b"\x00" * 16 * _KIB), 0, host)


def endless_empty_records(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks loops over records: empty ones at full speed."""
    return _raw(b"", _record(_HANDSHAKE, b"") * 1000, 0, host)


def _answering(context: ssl.SSLContext, host: str, chunk: bytes = b"") -> AbstractAsyncContextManager[int]:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(b"[", length=1 << 40) if chunk else answer(b"{}"))
        while chunk and not writer.transport.is_closing():  # the end of TLS is no error to who writes
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)
        await writer.drain()

    return serving(handler, host, context)


def huge_certificate_chain(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the handshake's memory and time: a thousand certificates."""
    return _answering(self_signed(chain=1000), host)


def many_tickets(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks what is kept for a later session: ten thousand tickets after the handshake."""
    context = self_signed(tickets=10_000)
    return _answering(context, host)


def endless_tls_body(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory behind the decryption: a body at full speed that never ends."""
    return _answering(self_signed(), host, b" " * 64 * _KIB)


HOSTILE: dict[str, Server] = {
    server.__name__: server for server in (slow_handshake, endless_warnings, endless_handshake, endless_empty_records)
}
#: Those that need ``openssl`` to make their certificate.
CERTIFIED: dict[str, Server] = {
    server.__name__: server for server in (huge_certificate_chain, many_tickets, endless_tls_body)
}
