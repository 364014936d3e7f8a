"""Servers that a prober must survive: each an async context manager that yields its port.

    async with tarpit() as port:
        ...  # probe 127.0.0.1:port

They live in this process and on loopback; all their connections are cut at the end of the block.
``HOSTILE`` names those that need nothing else, for a parametrised test.
"""

from __future__ import annotations

import asyncio
import functools
import random
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, suppress
from pathlib import Path

from .wait import LabError
from .web import accept_upgrade, answer, read_request, text_frame

LOOPBACK = "127.0.0.1"
METADATA_URL = "http://169.254.169.254/latest/meta-data/"  # where clouds keep credentials; never followed here

Server = Callable[[], AbstractAsyncContextManager[int]]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_CHUNK = 64 * 1024
_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30


@asynccontextmanager
async def serving(handler: Handler, host: str = LOOPBACK, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve every connection with ``handler``; yield the port. A client that goes away ends its handler."""
    open_now: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now[task] = writer
        with suppress(OSError, EOFError, asyncio.CancelledError):
            await handler(reader, writer)
            writer.close()
            await writer.wait_closed()
        del open_now[task]

    server = await asyncio.start_server(converse, host, 0, ssl=tls)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        pending = dict(open_now)
        for task, writer in pending.items():
            writer.transport.abort()  # what a client never read is thrown away
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


def replying(reply: Callable[[str], bytes], host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """A server that answers the path of each request with the bytes of ``reply(path)``, then closes."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        writer.write(reply(request.path))
        await writer.drain()

    return serving(handler, host)


def streaming(head: bytes, chunk: bytes, pause_s: float = 0, host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """A server that answers with ``head``, and then with ``chunk`` again and again for ever."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(head)
        while True:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return serving(handler, host)


def tarpit(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks patience: it accepts and never says a word."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    return serving(handler, host)


def drip(pause_s: float = 0.2, host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks read timeouts: a good header begins, then comes one byte of it at a time, for ever."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Drip: "
    return streaming(head, b"d", pause_s, host)


def drip_body(pause_s: float = 0.2, host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks read timeouts later: a whole header, then a body of one byte at a time, for ever."""
    return streaming(answer(b"[", length=_MIB), b" ", pause_s, host)


def reset_on_accept(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks error handling: RST as soon as the connection stands."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _reset(writer)

    return serving(handler, host)


def reset_on_request(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks error handling: RST in answer to the request."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        _reset(writer)

    return serving(handler, host)


def close_on_request(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks error handling: an orderly end instead of an answer."""
    return replying(lambda path: b"", host)


def endless_body(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory: a chunked body at full speed that never ends."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n"
    return streaming(head, b"%x\r\n%s\r\n" % (_CHUNK, b" " * _CHUNK), host=host)


def endless_continue(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks loops over interim answers: ``100 Continue`` at full speed, never a final one."""
    return streaming(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, host=host)


def huge_length(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks allocation by trust: it promises 4 EiB and sends a few bytes of them, slowly."""
    return streaming(answer(b"{", length=1 << 62), b" ", 0.2, host)


def gzip_bomb(unpacked: int = 10 * _GIB, host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory behind a size cap on the wire: JSON that unpacks to a thousand times its size."""
    start, block, blocks = _bomb(unpacked)
    length = len(start) + len(block) * blocks
    head = answer(b"", "application/json\r\nContent-Encoding: gzip", length=length) + start

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(head)
        for _ in range(blocks):
            writer.write(block)
            await writer.drain()

    return serving(handler, host)


def redirect(to: str = METADATA_URL, host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks trust (SSRF): every path redirects to the cloud's metadata address."""
    head = f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return replying(lambda path: head.encode(), host)


def huge_headers(size: int = 20 * _MIB, line: int = _KIB, host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory before the body: 20 MB of header lines, all valid."""
    name = b"X-Padding: "
    lines = (name + b"p" * (line - len(name) - 2) + b"\r\n") * (size // line)
    return replying(lambda path: b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\n{}", host)


def deep_json(depth: int = 100_000, host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the parser's stack: arrays in arrays, valid, in 200 kB (depth 30,000 fits in 64 KiB)."""
    return replying(lambda path: answer(b"[" * depth + b"]" * depth), host)


def websocket_flood(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks "wait for the status frame": it upgrades, then sends other frames at full speed for ever."""
    frames = text_frame('{"type": "noise", "data": {}}') * 100

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        writer.write(accept_upgrade(request))
        while "sec-websocket-key" in request.headers:
            writer.write(frames)
            await writer.drain()
            await asyncio.sleep(0)

    return serving(handler, host)


def garbage(size: int = 4 * _KIB, seed: int = 1, host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the HTTP parser: binary noise before anything was asked, then the end."""
    noise = random.Random(seed).randbytes(size)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(noise)
        await writer.drain()

    return serving(handler, host)


def error_everywhere(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks "200 means yes", as LM Studio does: every path is 200, with an error in the body."""

    def reply(path: str) -> bytes:
        return answer(b'{"error":"Unexpected endpoint or method. (GET %s)"}' % path.encode())

    return replying(reply, host)


def echo(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks "the body names the service": every answer repeats the path that was asked for."""
    return replying(lambda path: answer(path.encode(), "text/plain"), host)


@asynccontextmanager
async def full_queue(host: str = LOOPBACK) -> AsyncIterator[int]:
    """Attacks connect timeouts: a listener whose accept queue is full, so that a SYN is never answered."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket(family))
        listener.bind((host, 0))
        listener.listen(0)
        for _ in range(64):  # Linux takes one; others round a backlog of 0 up
            client = sockets.enter_context(socket.socket(family))
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            try:
                client.getpeername()
            except OSError:  # on loopback a handshake is done at once, or not at all
                break
        else:
            raise LabError("the accept queue does not fill up here")
        yield int(listener.getsockname()[1])


def tls_available() -> str | None:
    """Why ``tls_only`` cannot run here, or None when it can."""
    return None if shutil.which("openssl") else "the program openssl is not installed"


@asynccontextmanager
async def tls_only(host: str = LOOPBACK) -> AsyncIterator[int]:
    """Attacks "http everywhere": it speaks TLS alone, under a certificate that nobody signed."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(b"{}"))
        await writer.drain()

    async with serving(handler, host, self_signed()) as port:
        yield port


HOSTILE: dict[str, Server] = {
    server.__name__: server
    for server in (
        tarpit, drip, drip_body, reset_on_accept, reset_on_request, close_on_request, endless_body,
        endless_continue, huge_length, gzip_bomb, redirect, huge_headers, deep_json, websocket_flood, garbage,
        error_everywhere, echo, full_queue,
    )
}  # fmt: skip


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST: a linger time of zero throws away what is queued."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@functools.cache
def _bomb(unpacked: int) -> tuple[bytes, bytes, int]:
    """A gzip stream's start, one MiB of blanks in it, and how often to repeat that.

    A full flush makes the block independent of what came before, so that it is compressed once. The stream's
    checksum is left out: nobody reads that far.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(b'{"system": [') + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * _MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return start, block, unpacked // _MIB


@functools.cache
def self_signed(chain: int = 1, tickets: int = 2) -> ssl.SSLContext:
    """A server's context with a certificate that nobody signed, ``chain`` times over."""
    if reason := tls_available():
        raise LabError(reason)
    with tempfile.TemporaryDirectory(prefix="hylab-tls-") as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.pem")
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
        files = ["-keyout", str(key), "-out", str(certificate)]
        command = ["openssl", "req", "-x509", *kind, *files, "-subj", "/CN=localhost"]
        subprocess.run(command, check=True, capture_output=True, timeout=10)
        certificate.write_text(certificate.read_text() * chain)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.num_tickets = tickets
    return context
