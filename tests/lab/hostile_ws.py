"""Servers that a prober must survive once it has asked for a WebSocket (RFC 6455).

As in :mod:`.hostile`: each is an async context manager that yields its port; ``HOSTILE`` names them. To a plain
request they answer 426, so a prober must be told that a ComfyUI is there for it to come so far.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from .hostile import LOOPBACK, METADATA_URL, Server, serving
from .web import Request, accept_upgrade, read_request, text_frame

_KIB, _MIB = 1 << 10, 1 << 20
_TEXT, _BINARY, _CONTINUED, _CLOSE, _PING, _PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
_STATUS = '{"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "x"}}'


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0, length: int | None = None
) -> bytes:
    """An unmasked frame; ``length`` claims another one than the payload's."""
    size = len(payload) if length is None else length
    first = bytes([final << 7 | reserved << 4 | opcode])
    if size < 126:
        return first + bytes([size]) + payload
    return first + (struct.pack("!BH", 126, size) if size < 1 << 16 else struct.pack("!BQ", 127, size)) + payload


def _upgraded(
    then: Callable[[asyncio.StreamWriter], Awaitable[None]], host: str, more: bytes = b""
) -> AbstractAsyncContextManager[int]:
    """A server that upgrades, adding ``more`` to the head, and goes on with ``then``."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        accepted = accept_upgrade(request)
        if "sec-websocket-key" not in request.headers:
            writer.write(accepted)
            return
        writer.write(accepted[:-2] + more + b"\r\n")
        await then(writer)

    return serving(handler, host)


def _endless(start: bytes, chunk: bytes, host: str, pause_s: float = 0) -> AbstractAsyncContextManager[int]:
    async def then(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return _upgraded(then, host)


def _once(frames: bytes, host: str, more: bytes = b"") -> AbstractAsyncContextManager[int]:
    async def then(writer: asyncio.StreamWriter) -> None:
        writer.write(frames)
        await writer.drain()
        await asyncio.Event().wait()

    return _upgraded(then, host, more)


def silent_after_upgrade(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks patience: it upgrades and never says a word."""
    return _once(b"", host)


def endless_continuation(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks limits on one frame: a message in small fragments that never ends."""
    return _endless(frame(_TEXT, b"[", final=False), frame(_CONTINUED, b" " * _KIB, final=False) * 16, host)


def endless_empty_continuation(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks limits on a message's octets: fragments without any, each of which is an object to keep."""
    return _endless(frame(_TEXT, b"[", final=False), frame(_CONTINUED, final=False) * 10_000, host)


def endless_pings(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the duty to answer: pings at full speed, whose pongs nobody reads."""
    return _endless(b"", frame(_PING, b"p" * 125) * 1000, host)


def endless_pongs(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the look-up of who waits for a pong: pongs at full speed that nobody asked for."""
    return _endless(b"", frame(_PONG, b"p" * 125) * 1000, host)


def slow_pings(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks timeouts that begin anew with each frame: a ping every 50 ms, never a message."""
    return _endless(b"", frame(_PING), host, 0.05)


def endless_binary(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks "skip what is no text": binary messages at full speed, as previews of a picture are."""
    return _endless(b"", frame(_BINARY, b"\x00" * 32 * _KIB), host)


def huge_frame(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks allocation by trust: a frame that says it has 4 EiB."""
    return _once(frame(_TEXT, b"[", length=1 << 62), host)


def huge_close_reason(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks limits on data alone: a close frame with a reason of 60 KiB (RFC 6455 §5.5 allows 123 octets)."""
    return _once(frame(_CLOSE, struct.pack("!H", 1000) + b"r" * 60 * _KIB), host)


def closes_rudely(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the log: a close frame whose reason would clear a terminal."""
    return _once(frame(_CLOSE, struct.pack("!H", 4000) + b"\x1b[2J\x1b]0;owned\x07"), host)


def compressed_frame(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks what was never negotiated: a frame marked as compressed, a bomb of 32 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b"[" + b" " * 32 * _MIB) + packer.flush(zlib.Z_SYNC_FLUSH)
    return _once(frame(_TEXT, packed[:-4], reserved=4), host)


def forced_compression(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks what was never offered: it answers with the extension permessage-deflate, and a bomb."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b"[" + b" " * 32 * _MIB) + packer.flush(zlib.Z_SYNC_FLUSH)
    return _once(frame(_TEXT, packed[:-4], reserved=4), host, b"Sec-WebSocket-Extensions: permessage-deflate\r\n")


def masked_frame(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the rule that a server never masks (RFC 6455 §5.1): a good status, masked with zeros."""
    plain = text_frame(_STATUS)
    return _once(plain[:1] + bytes([plain[1] | 0x80]) + bytes(4) + plain[2:], host)


def bad_utf8(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks decoding: a text frame of octets that are no text."""
    return _once(frame(_TEXT, b"\xff\xfe\xc0\x80" * 100), host)


def heavy_frame(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the parser's stack and memory: lists in lists in lists, in 60 KiB."""
    return _once(frame(_TEXT, b"[" * 30_000 + b"]" * 30_000), host)


def _raw(
    reply: Callable[[Request], bytes], chunk: bytes, pause_s: float, host: str
) -> AbstractAsyncContextManager[int]:
    """A server that answers the upgrade with ``reply`` and then ``chunk`` for ever, without one."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        if "sec-websocket-key" not in request.headers:
            writer.write(accept_upgrade(request))
            return
        writer.write(reply(request))
        while chunk:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return serving(handler, host)


def slow_upgrade(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks read timeouts: the head of the upgrade, one octet at a time, for ever."""
    return _raw(lambda request: accept_upgrade(request)[:-2] + b"X-Drip: ", b"d", 0.2, host)


def huge_upgrade(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory before the first frame: a line of the upgrade's head that never ends."""
    return _raw(lambda request: accept_upgrade(request)[:-2] + b"X-Padding: ", b"p" * 64 * _KIB, 0, host)


def endless_upgrade_headers(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory before the first frame: header lines without end."""
    return _raw(lambda request: accept_upgrade(request)[:-2], b"X-Padding: p\r\n" * 1000, 0, host)


def refused_upgrade(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the reading of a refusal: 403, with a body that never ends."""
    return _raw(lambda request: b"HTTP/1.1 403 Forbidden\r\n\r\n", b" " * 64 * _KIB, 0, host)


def redirected_upgrade(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks trust (SSRF): the upgrade redirects to the cloud's metadata address, as WebSocket and as HTTP."""
    to = METADATA_URL.replace("http", "ws").encode()
    return _raw(lambda request: b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % to, b"", 0, host)


HOSTILE: dict[str, Server] = {
    server.__name__: server
    for server in (
        silent_after_upgrade, endless_continuation, endless_empty_continuation, endless_pings, endless_pongs,
        slow_pings, endless_binary, huge_frame, huge_close_reason, closes_rudely, compressed_frame,
        forced_compression, masked_frame, bad_utf8, heavy_frame, slow_upgrade, huge_upgrade,
        endless_upgrade_headers, refused_upgrade, redirected_upgrade,
    )
}  # fmt: skip
