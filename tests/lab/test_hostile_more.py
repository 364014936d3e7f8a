"""The further hostile servers start, say something of what they are for, and end with a client still connected."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from . import hostile, hostile_http, hostile_tls, hostile_ws
from .require import require
from .test_hostile import REQUEST, UPGRADE, fetch

CAP = 256 * 1024


@pytest.mark.parametrize("server", [*hostile_http.HOSTILE.values(), *hostile_ws.HOSTILE.values()])
async def test_each_starts_and_ends_with_a_client_still_connected(server: hostile.Server) -> None:
    async with server() as port:
        _, writer = await asyncio.open_connection(hostile.LOOPBACK, port)
        writer.write(UPGRADE)
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("server", "says"),
    [
        (hostile_http.many_headers, b"X-9999: 1"),
        (hostile_http.endless_early_hints, b"HTTP/1.1 103 Early Hints\r\n"),
        (hostile_http.chunk_extensions, b"1;x=eeee"),
        (hostile_http.endless_trailers, b"0\r\n\r\n" + b"X-Trailer"),
        (hostile_http.two_answers, b"noHTTP/1.1 200 OK"),
        (hostile_http.gzip_twice, b"gzip, gzip"),
        (hostile_http.cookies_and_logins, b"WWW-Authenticate: Negotiate"),
    ],
)
async def test_what_they_say_to_a_request(server: hostile.Server, says: bytes) -> None:
    async with server() as port:
        assert says.replace(b"\r\n\r\n", b"\r\n") in await fetch(port, CAP)


@pytest.mark.parametrize(
    ("server", "says"),
    [
        (hostile_ws.endless_continuation, b"\x01\x01[\x00\x7e\x04\x00"),
        (hostile_ws.endless_pings, b"\x89\x7dppp"),
        (hostile_ws.huge_close_reason, b"\x88\x7e"),
        (hostile_ws.forced_compression, b"permessage-deflate"),
        (hostile_ws.compressed_frame, b"\r\n\r\n\xc1"),
        (hostile_ws.redirected_upgrade, b"Location: ws://169.254.169.254"),
    ],
)
async def test_what_they_say_to_an_upgrade(server: hostile.Server, says: bytes) -> None:
    async with server() as port:
        assert says in await fetch(port, CAP, UPGRADE, quiet_s=0.2)
        assert b"426" in await fetch(port, CAP, REQUEST, quiet_s=0.2)


@pytest.mark.parametrize("server", [*hostile_tls.HOSTILE.values(), *hostile_tls.CERTIFIED.values()])
async def test_those_that_speak_tls_do_not_speak_http(server: hostile.Server) -> None:
    require(hostile.tls_available())
    async with server() as port:
        assert not (await fetch(port, 1024, quiet_s=0.2)).startswith(b"HTTP")
