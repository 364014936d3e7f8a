"""Raw octets on a connection, up to a finding: the whole probe, with the real aiohttp and websockets.

The first piece is ``PORT KIND CHUNK``: the claimed kind, and in how large chunks the octets arrive. Each other is a
request and, after a line feed, what the server sends for it before it hangs up. ``{accept}`` becomes what a WebSocket
wants to see. Where the first piece says ``alive``, it answers 404 to all other requests; else it hangs up at once.
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import functools
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from unittest import mock

from hybridisco.core.model import Endpoint, Finding
from hybridisco.kinds import BUILTIN
from hybridisco.sources import probe
from tests.fuzz import bounds, parts, replies
from tests.fuzz.memory import MemoryLoop
from tests.fuzz.words import words
from tests.kinds.replay import COMFYUI_FRAME

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_UPGRADE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: {accept}\r\n\r\n"
)
_PIECES = 8
_LIMIT_S = 5.5  # of a look, by the loop's clock: five, and a moment for goodbyes
_ALIVE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
WORDS = (
    *(request.encode() + b"\n" for request in replies.REQUESTS),
    *words(
        r"""
        \n~~\n HTTP/1.1\x20200\x20OK\r\n HTTP/1.1\x20 HTTP/1.0\x20 \r\n\r\n \r\n 100\x20Continue 103\x20Early\x20Hints
        Content-Length:\x20 Transfer-Encoding:\x20chunked\r\n Content-Encoding:\x20gzip\r\n Content-Encoding:\x20br\r\n
        Location:\x20http://169.254.169.254/ Set-Cookie:\x20a=b Connection:\x20close\r\n Connection:\x20keep-alive\r\n
        0\r\n\r\n ;ext= ffffffff {accept} Sec-WebSocket-Extensions:\x20permessage-deflate\r\n
        \x81\x05 \x01\x02 \x89\x00 \x88\x02\x03\xe8 \x81\x7e\x01\x00 \x81\x7f \xc1\x01
        """
    ),
)

_unhandled: list[dict[str, object]] = []


def check(data: bytes) -> None:
    """Look at the server; looking never raises."""
    first, *pieces = parts.split(data, _PIECES)
    port, claimed = replies.options(first)
    answers = {request: octets for request, _, octets in (piece.partition(b"\n") for piece in pieces)}
    loop = _loop()
    loop.answer = functools.partial(_answer, answers, _ALIVE if b"alive" in first else b"")
    sizes = [int(word[:7]) for word in first.split() if word.isdigit()]
    loop.chunk = sizes[1] if len(sizes) > 1 else 1 << 20
    _unhandled.clear()
    with mock.patch.object(probe, "_RETRIES", 0):  # it would hear the same again
        began = loop.time()
        found = loop.run_until_complete(_look(port or 8188, claimed))
        assert loop.time() - began < _LIMIT_S
    bounds.finding(found)
    assert not _unhandled, f"a task or a callback failed on its own: {_unhandled}"


async def _look(port: int, claimed: str | None) -> Finding:
    eye = probe.HttpProbe(BUILTIN)
    try:
        return await eye.identify(Endpoint("192.168.77.7", port), claimed)
    finally:
        await eye.close()
        await asyncio.sleep(0)


def _answer(answers: dict[bytes, bytes], otherwise: bytes, request: bytes) -> bytes:
    line, *lines = request.split(b"\r\n")
    method, path, _ = line.split(b" ", 2)
    assert method == b"GET" and path.startswith(b"/"), line
    headers = {name.lower(): value for name, _, value in (each.partition(b": ") for each in lines)}
    assert not {b"cookie", b"authorization", b"origin"} & set(headers), headers
    key = headers.get(b"sec-websocket-key")
    if key is None:
        return answers.get(path, otherwise)
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return answers.get(b"ws:" + path, otherwise).replace(b"{accept}", accept)


@functools.cache
def _loop() -> MemoryLoop:
    loop = MemoryLoop()
    atexit.register(loop.close)
    loop.set_exception_handler(lambda _, context: _unhandled.append(context))
    return loop


def seeds() -> Iterator[tuple[str, bytes]]:
    """Answers in all the ways in which HTTP lets them be sent, and WebSocket frames of all types."""
    body = b'{"version": "1.2.3", "service": "comfyui"}'
    head = b"HTTP/1.1 200 OK\r\nServer: uvicorn\r\nContent-Type: application/json\r\n"
    length = b"Content-Length: %d\r\n\r\n"
    halves = (body[:10], body[10:])
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(half), half) for half in halves) + b"0\r\nTrailer: x\r\n\r\n"
    ways = {
        "plain": head + length % len(body) + body,
        "chunked": head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
        "bad-chunk": head + b"Transfer-Encoding: chunked\r\n\r\n" + b'a;ext=1\r\n{ "service": "x"}\r\n0\r\n\r\n',
        "gzip": head + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(body, mtime=0),
        "deflate": head + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(body),
        "until-close": b"HTTP/1.0 200 OK\r\n\r\n" + body,
        "cut": head + length % 99999 + body,
        "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + head + length % len(body) + body,
        "redirect": b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
        "tls": b"\x15\x03\x01\x00\x02\x02\x46",
    }
    for name, octets in ways.items():
        pieces = [request.encode() + b"\n" + octets for request in ("/", "/system_stats", "/config")]
        yield name, parts.join(b"8188 comfyui 7" if "chunk" in name else b"8188 comfyui", *pieces)
    frame = COMFYUI_FRAME.encode()
    text = b"\x81\x7e" + len(frame).to_bytes(2, "big") + frame
    talks = {
        "text": text,
        "fragments": b"\x01\x05" + frame[:5] + b"\x89\x02hi\x00\x03" + frame[5:8] + b"\x80\x05" + frame[8:13],
        "binary": b"\x82\x03abc",
        "close": b"\x88\x07\x03\xe8\xe2\x80\xaebye"[:9],
        "bad-text": b"\x81\x02\xff\xfe",
        "masked": b"\x81\x83abcdxyz",
    }
    for name, frames in talks.items():
        yield f"ws-{name}", parts.join(b"8188 comfyui alive", b"ws:/ws\n" + _UPGRADE + frames)
    refusal = b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"
    yield "ws-refused", parts.join(b"8188 comfyui alive", b"ws:/ws\n" + refusal)
