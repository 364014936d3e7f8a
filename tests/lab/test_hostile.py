"""The hostile servers do what they say: seen from a bare socket, with a cap on all that is read."""

from __future__ import annotations

import asyncio
import json
import ssl
import zlib
from contextlib import suppress

import pytest

from . import hostile
from .require import require

QUIET_S = 0.1  # how long a silent server is listened to
REQUEST = b"GET /system_stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"


async def fetch(
    port: int, cap: int, request: bytes = REQUEST, quiet_s: float = 5.0, tls: ssl.SSLContext | None = None
) -> bytes:
    """What comes back: up to ``cap`` bytes, or until the end, or until ``quiet_s`` pass without a byte."""
    reader, writer = await asyncio.open_connection(hostile.LOOPBACK, port, ssl=tls)
    received = b""
    try:
        writer.write(request)
        with suppress(TimeoutError):
            while len(received) < cap:
                chunk = await asyncio.wait_for(reader.read(cap), quiet_s)
                if not chunk:
                    break
                received += chunk
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
    return received


@pytest.mark.parametrize("name", sorted(hostile.HOSTILE))
async def test_each_starts_and_ends_with_a_client_still_connected(name: str) -> None:
    async with hostile.HOSTILE[name]() as port:
        if name == "full_queue":
            return
        _, writer = await asyncio.open_connection(hostile.LOOPBACK, port)
        writer.write(REQUEST)
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


async def test_tarpit_says_nothing() -> None:
    async with hostile.tarpit() as port:
        assert await fetch(port, 1, quiet_s=QUIET_S) == b""


async def test_drips_go_on_and_on() -> None:
    async with hostile.drip(0.001) as port:
        header = await fetch(port, 100)
        assert header.startswith(b"HTTP/1.1 200 OK\r\n")
        assert header.endswith(b"ddd")
    async with hostile.drip_body(0.001) as port:
        _, _, body = (await fetch(port, 200)).partition(b"\r\n\r\n")
        assert body.startswith(b"[ ")


@pytest.mark.parametrize("server", [hostile.reset_on_accept, hostile.reset_on_request])
async def test_resets(server: hostile.Server) -> None:
    async with server() as port:
        with pytest.raises(ConnectionResetError):
            await fetch(port, 1)


async def test_close_on_request_ends_in_order() -> None:
    async with hostile.close_on_request() as port:
        assert await fetch(port, 1) == b""


@pytest.mark.parametrize(
    ("server", "piece"),
    [
        (hostile.endless_body, b"Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n10000\r\n"),
        (hostile.endless_continue, b"100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
        (hostile.huge_headers, b"\r\nX-Padding: ppp"),
    ],
)
async def test_floods_send_megabytes(server: hostile.Server, piece: bytes) -> None:
    async with server() as port:
        received = await fetch(port, 4 << 20)
        assert len(received) >= 4 << 20
        assert piece in received


async def test_huge_headers_are_valid_to_the_end() -> None:
    async with hostile.huge_headers(size=100_000) as port:
        received = await fetch(port, 1 << 20)
        assert received.endswith(b"\r\nContent-Length: 2\r\n\r\n{}")
        assert len(received) > 99_000


async def test_huge_length_promises_more_than_there_is() -> None:
    async with hostile.huge_length() as port:
        assert b"Content-Length: 4611686018427387904\r\n" in await fetch(port, 100)


async def test_gzip_bomb_unpacks_to_a_thousand_times_its_size() -> None:
    async with hostile.gzip_bomb() as port:
        head, _, body = (await fetch(port, 10_000)).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    length = int(head.partition(b"Content-Length: ")[2].split()[0])
    assert length < 12 << 20  # for 10 GiB
    unpacked = zlib.decompressobj(31).decompress(body)
    assert unpacked.startswith(b'{"system": [ ')
    assert len(unpacked) > 900 * len(body)


async def test_redirect_names_the_metadata_address() -> None:
    async with hostile.redirect() as port:
        received = await fetch(port, 4096)
        assert received.startswith(b"HTTP/1.1 302 ")
        assert b"\r\nLocation: http://169.254.169.254/" in received


async def test_deep_json_is_balanced() -> None:
    async with hostile.deep_json() as port:
        body = (await fetch(port, 1 << 20)).partition(b"\r\n\r\n")[2]
    assert body == b"[" * 100_000 + b"]" * 100_000
    with pytest.raises(RecursionError):
        json.loads(body)


async def test_websocket_flood_upgrades_and_never_stops() -> None:
    async with hostile.websocket_flood() as port:
        received = await fetch(port, 1 << 20, UPGRADE)
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in received  # RFC 6455 §1.3
        assert received.count(b'{"type": "noise"') > 10_000
        assert (await fetch(port, 4096)).startswith(b"HTTP/1.1 426 ")


async def test_garbage_is_no_http_and_always_the_same() -> None:
    async with hostile.garbage() as port:
        noise = await fetch(port, 1 << 20, b"")
        assert len(noise) == 4096
        assert noise == await fetch(port, 1 << 20, b"")
        assert not noise.startswith(b"HTTP")


async def test_error_everywhere_and_echo_answer_200_to_any_path() -> None:
    for server in (hostile.error_everywhere, hostile.echo):
        async with server() as port:
            received = await fetch(port, 4096)
            assert received.startswith(b"HTTP/1.1 200 OK")
            assert b"/system_stats" in received


async def test_full_queue_never_finishes_a_handshake() -> None:
    async with hostile.full_queue() as port:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection(hostile.LOOPBACK, port), QUIET_S)


async def test_tls_only_refuses_plain_http() -> None:
    require(hostile.tls_available())
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    async with hostile.tls_only() as port:
        assert not (await fetch(port, 4096)).startswith(b"HTTP")
        assert (await fetch(port, 4096, tls=trusting)).endswith(b"\r\n\r\n{}")
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(hostile.LOOPBACK, port, ssl=ssl.create_default_context())


async def test_they_speak_ipv6_too() -> None:
    async with hostile.echo(host="::1") as port:
        _, writer = await asyncio.open_connection("::1", port)
        writer.close()
        await writer.wait_closed()
    async with hostile.full_queue(host="::1") as port:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection("::1", port), QUIET_S)
