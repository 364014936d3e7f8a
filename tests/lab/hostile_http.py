"""More servers that a prober must survive: heads and bodies that HTTP allows, or nearly, and nobody wants.

As in :mod:`.hostile`: each is an async context manager that yields its port; ``HOSTILE`` names them.
"""

from __future__ import annotations

import asyncio
import gzip
import zlib
from contextlib import AbstractAsyncContextManager

from .hostile import LOOPBACK, METADATA_URL, Server, replying, serving, streaming
from .web import answer, read_request

_KIB, _MIB = 1 << 10, 1 << 20
_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
_COMFYUI = (
    b'{"system":{"comfyui_version":"6.6.6","python_version":"3","pytorch_version":"2","embedded_python":false},'
    b'"devices":[{"vram_total":1,"torch_vram_total":1}]}'
)


def many_headers(count: int = 10_000, host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory and lists: ten thousand small header lines."""
    lines = b"".join(b"X-%d: 1\r\n" % number for number in range(count))
    return replying(lambda path: _OK + lines + b"Content-Length: 2\r\n\r\n{}", host)


def one_header_repeated(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory and lists: one header line again and again, for ever."""
    return streaming(_OK, b"Server: ComfyUI\r\n" * 1000, host=host)


def folded_header(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the limit on a line (RFC 9112 §5.2): one header that is folded over lines for ever."""
    return streaming(_OK + b"X-Folded: begin\r\n", b" and so on\r\n" * 1000, host=host)


def endless_status_line(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory before the first header: a reason phrase that never ends."""
    return streaming(b"HTTP/1.1 200 ", b"O" * _KIB, host=host)


def endless_early_hints(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks loops over interim answers: ``103 Early Hints`` with headers at full speed, never a final one."""
    return streaming(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" * 100, host=host)


def slow_early_hints(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks timeouts that begin anew with each answer: an interim one every 50 ms, never a final one."""
    return streaming(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.05, host)


def chunk_extensions(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks limits on the body alone: a chunk whose extension never ends, and no octet of a body."""
    return streaming(_CHUNKED + b"1;x=", b"e" * _KIB, host=host)


def tiny_chunks(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks what is kept for each chunk: a body in chunks of one octet, each with an extension, for ever."""
    return streaming(_CHUNKED + b"1\r\n[\r\n", b"1;%s\r\n \r\n" % (b"e" * 50) * 1000, host=host)


def endless_trailers(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks what comes after the body: trailers without end, behind a whole and short answer."""
    body = b"%x\r\n%s\r\n0\r\n" % (len(_COMFYUI), _COMFYUI)
    return streaming(_CHUNKED + body, b"X-Trailer: more\r\n" * 1000, host=host)


def endless_without_length(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory: neither a length nor chunks, a body until the connection ends, which it does not."""
    return streaming(_OK + b"Content-Type: application/json\r\n\r\n[", b" " * 64 * _KIB, host=host)


def lying_length(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks trust in lengths: a body that ends early, after a length that promised more."""
    return replying(lambda path: answer(b"{}", length=50_000), host)


def body_after_no_content(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the order of answers: behind ``204 No Content`` comes a body that looks like another answer."""
    return replying(lambda path: b"HTTP/1.1 204 No Content\r\n\r\n" + answer(_COMFYUI), host)


def answers_before_the_request(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the order of answers: a ComfyUI's, as soon as the connection stands, whatever will be asked."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"no"))
        await writer.drain()
        await read_request(reader)

    return serving(handler, host)


def two_answers(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks kept connections: a second answer behind the first, meant for the request that comes next."""
    one = _OK + b"Content-Type: text/plain\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nno"
    two = _OK + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_COMFYUI), _COMFYUI)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(one + two)
            await writer.drain()

    return serving(handler, host)


def gzip_twice(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks limits on one unpacking: a bomb inside a bomb, declared as such."""
    packed = gzip.compress(gzip.compress(b"[" + b" " * 64 * _MIB))
    head = b"Content-Encoding: gzip, gzip\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(packed)
    return replying(lambda path: _OK + head + packed, host)


def deflate_bomb(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory behind a size cap on the wire: 64 MiB of blanks under the other name of the same packing."""
    packed = zlib.compress(b"[" + b" " * 64 * _MIB)
    head = b"Content-Encoding: deflate\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(packed)
    return replying(lambda path: _OK + head + packed, host)


def unknown_encodings(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks unpackers that are loaded on demand: brotli and zstd, which we never asked for."""
    head = b"Content-Encoding: %s\r\nContent-Length: 4096\r\nConnection: close\r\n\r\n"
    return replying(lambda path: _OK + head % (b"zstd" if len(path) % 2 else b"br") + b"\x28\xb5\x2f\xfd" * _KIB, host)


def heavy_json(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks memory and time behind the cap on a body: tiny values, each of which costs 30 times its octets."""
    return replying(lambda path: answer(_heavy(_MIB if path in ("/", "/config") else 64 * _KIB)), host)


def heavy_gradio(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks the reader of Gradio's pages: the same inside a script of the index page."""

    def reply(path: str) -> bytes:
        script = b"<script>window.gradio_config = %s;</script>" % _heavy(_MIB - 100)
        return answer(script if path in ("/", "/config") else b"", "text/html")

    return replying(reply, host)


def slow_match(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks patterns: a page of a million places where one might begin."""
    return replying(lambda path: answer(b"<" * (_MIB if path in ("/", "/config") else 64 * _KIB), "text/html"), host)


def big_numbers(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks number parsing, which takes the square of their length: integers of 4300 digits and of 60,000."""
    list_of = b"[%s]" % b",".join([b"9" * 4300] * 14)
    return replying(lambda path: answer(list_of if len(path) % 2 else b"9" * 60_000), host)


def cookies_and_logins(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks credentials: each answer sets cookies and asks for a login, in every way that there is."""
    asks = b"".join(
        b"WWW-Authenticate: %s\r\n" % scheme
        for scheme in (b'Basic realm="x"', b'Digest realm="x", nonce="y"', b"Negotiate", b"NTLM", b'Bearer realm="x"')
    )
    cookie = b"Set-Cookie: session=stolen; Path=/; Max-Age=99999\r\n"
    return replying(lambda path: b"HTTP/1.1 401 Unauthorized\r\n" + asks + cookie + b"Content-Length: 0\r\n\r\n", host)


def redirects_in_a_ring(host: str = LOOPBACK) -> AbstractAsyncContextManager[int]:
    """Attacks trust (SSRF): every path leads somewhere else, by each status, header and page that can say so."""

    def reply(path: str) -> bytes:
        code = (301, 302, 303, 307, 308, 300, 305)[len(path) % 7]
        page = f'<meta http-equiv="refresh" content="0;url={METADATA_URL}"><script>location="{METADATA_URL}"</script>'
        heads = f"Location: {METADATA_URL}\r\nRefresh: 0; url={METADATA_URL}\r\nContent-Location: {METADATA_URL}\r\n"
        alternative = 'Alt-Svc: h2="169.254.169.254:80"; ma=99999\r\n'
        length = f"Content-Length: {len(page)}\r\nConnection: close\r\n\r\n"
        return f"HTTP/1.1 {code} Elsewhere\r\n{heads}{alternative}{length}{page}".encode()

    return replying(reply, host)


def _heavy(size: int) -> bytes:
    unit = b"[" * 60 + b"]" * 60 + b","
    return b"[" + (unit * (size // len(unit) - 1)).rstrip(b",") + b"]"


HOSTILE: dict[str, Server] = {
    server.__name__: server
    for server in (
        many_headers, one_header_repeated, folded_header, endless_status_line, endless_early_hints, slow_early_hints,
        chunk_extensions, tiny_chunks, endless_trailers, endless_without_length, lying_length, body_after_no_content,
        answers_before_the_request, two_answers, gzip_twice, deflate_bomb, unknown_encodings, heavy_json, heavy_gradio,
        slow_match, big_numbers, cookies_and_logins, redirects_in_a_ring,
    )
}  # fmt: skip
