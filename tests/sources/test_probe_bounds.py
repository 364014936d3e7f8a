"""The probe against what HTTP, WebSocket and TLS allow without end: bounded in time, memory and what is read of it."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from hybridisco.core import problems
from hybridisco.core.model import Endpoint, Status
from hybridisco.kinds import BUILTIN
from hybridisco.sources.probe import PAGE_LIMIT, REQUEST_LIMIT_S, HttpProbe
from tests.lab import hostile, hostile_http, hostile_tls, hostile_ws
from tests.lab.hostile import Server
from tests.lab.require import require
from tests.lab.web import accept_upgrade, answer, read_request, text_frame

SLACK_S = 1.5  # for a machine that does other things too
ENDPOINT_LIMIT_S = 5.0
MEMORY_LIMIT = 24 * 1024 * 1024  # octets, of which the servers in this process take some

#: Those that use up the time of a request, or all of an endpoint's: looked at together, to save that time.
PATIENT = (
    hostile_ws.silent_after_upgrade, hostile_ws.slow_pings, hostile_ws.huge_frame, hostile_ws.closes_rudely,
    hostile_ws.masked_frame, hostile_ws.slow_upgrade, hostile_tls.slow_handshake,
)  # fmt: skip
ALL = [*hostile_http.HOSTILE.values(), *hostile_ws.HOSTILE.values(), *hostile_tls.HOSTILE.values()]
QUICK = [server for server in ALL if server not in PATIENT]
STATUS = '{"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 3}}, "sid": "x"}}'


@pytest_asyncio.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    made = HttpProbe(BUILTIN)
    yield made
    await made.close()


def place(server: Server, port: int) -> Endpoint:
    certified = (*hostile_tls.HOSTILE.values(), *hostile_tls.CERTIFIED.values())
    return Endpoint("127.0.0.1", port, tls=server in certified)


@pytest.mark.parametrize("claimed", [None, "comfyui"])
@pytest.mark.parametrize("server", QUICK, ids=lambda server: server.__name__)
async def test_what_never_ends_is_cut_off_by_what_came_and_not_by_the_clock(
    probe: HttpProbe, server: Server, claimed: str | None
) -> None:
    async with server() as port:
        started = time.monotonic()
        found = await probe.identify(place(server, port), claimed)
        assert time.monotonic() - started < REQUEST_LIMIT_S
    assert found.kind is None


@pytest.mark.parametrize("server", QUICK, ids=lambda server: server.__name__)
async def test_memory_is_bounded(probe: HttpProbe, server: Server) -> None:
    async with server() as port:
        await probe.identify(Endpoint("127.0.0.1", 1))  # what is loaded at the first look is no part of it
        tracemalloc.start()
        try:
            await probe.identify(place(server, port), "comfyui")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < MEMORY_LIMIT


async def test_those_who_are_slow_cost_the_time_of_one_request(probe: HttpProbe) -> None:
    async with AsyncExitStack() as stack:
        places = [place(server, await stack.enter_async_context(server())) for server in PATIENT]
        started = time.monotonic()
        found = await asyncio.gather(*(probe.identify(where, "comfyui") for where in places))
        assert time.monotonic() - started < REQUEST_LIMIT_S + SLACK_S
    assert {finding.kind for finding in found} == {None}


@pytest.mark.parametrize("server", hostile_tls.CERTIFIED.values(), ids=lambda server: server.__name__)
async def test_tls_that_overdoes_it_is_bounded(probe: HttpProbe, server: Server) -> None:
    require(hostile.tls_available())
    async with server() as port:
        started = time.monotonic()
        assert (await probe.identify(place(server, port))).kind is None
        assert time.monotonic() - started < ENDPOINT_LIMIT_S + SLACK_S


async def test_a_flood_of_interim_answers_is_called_by_its_name(probe: HttpProbe) -> None:
    async with hostile_http.slow_early_hints() as port:
        found = await probe.identify(Endpoint("127.0.0.1", port))
    assert (found.status, found.cause) == (Status.UNREACHABLE, problems.NOT_HTTP)


# -- what is honest stays readable ------------------------------------------------------------------


def comfyui(head: bytes, body: Callable[[bytes], bytes] = bytes) -> Server:
    """A ComfyUI's stats behind another head, and nothing else."""
    stats = (
        b'{"system":{"python_version":"3","pytorch_version":"2","embedded_python":false},'
        b'"devices":[{"vram_total":1,"torch_vram_total":1}]}'
    )

    def reply(path: str) -> bytes:
        if path != "/system_stats":
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        return head + body(stats)

    return lambda: hostile.replying(reply)


def chunked(body: bytes) -> bytes:
    return b"".join(b"1\r\n%c\r\n" % octet for octet in body) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    "server",
    [
        comfyui(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + b"HTTP/1.1 200 OK\r\n\r\n"),
        comfyui(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunked),
        comfyui(b"HTTP/1.1 200 OK\r\n" + b"X-Proxy: yes\r\n" * 90 + b"\r\n"),
    ],
    ids=["early hints", "chunks of one octet", "90 headers"],
)
async def test_odd_but_honest_answers_are_read(probe: HttpProbe, server: Server) -> None:
    async with server() as port:
        assert (await probe.identify(Endpoint("127.0.0.1", port), "comfyui")).kind == "comfyui"


async def test_a_page_of_many_times_the_limit_is_cut_and_no_error(probe: HttpProbe) -> None:
    page = answer(b"<title>A large page</title>" + b" " * (8 * PAGE_LIMIT), "text/html")
    async with hostile.replying(lambda path: page) as port:
        found = await probe.identify(Endpoint("127.0.0.1", port))
    assert (found.status, found.properties) == (Status.ONLINE, (("title", "A large page"),))


async def test_a_first_frame_is_read_though_a_picture_follows_at_once(probe: HttpProbe) -> None:
    """A ComfyUI that works sends its previews, 100 KiB each, to everybody who is connected."""
    picture = hostile_ws.frame(2, b"\x00" * 400_000)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        if request.path == "/ws":
            writer.write(accept_upgrade(request) + text_frame(STATUS) + picture)
            await writer.drain()
        else:
            writer.write(answer(b"{}"))

    async with hostile.serving(handler) as port:
        found = await probe.identify(Endpoint("127.0.0.1", port), "comfyui")
    assert (found.kind, dict(found.properties).get("queue")) == ("comfyui", 3)
