"""The probe against servers that want to hold it up, fill its memory or send it somewhere else."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from hybridisco.core.model import Endpoint, Status
from hybridisco.kinds import BUILTIN
from hybridisco.sources.probe import BODY_LIMIT, PAGE_LIMIT, REQUEST_LIMIT_S, HttpProbe
from tests.lab import hostile
from tests.lab.hostile import HOSTILE
from tests.lab.web import answer, read_request

SLACK_S = 1.5  # for a machine that does other things too
MEMORY_LIMIT = 24 * 1024 * 1024  # octets, of which the servers in this process take some

#: Those that say nothing until the request's time is over: looked at together, to save that time.
PATIENT = ("tarpit", "drip", "drip_body", "huge_length", "full_queue")


@pytest_asyncio.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    made = HttpProbe(BUILTIN)
    yield made
    await made.close()


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - set(PATIENT)))
async def test_it_ends_in_time_and_nothing_is_named(probe: HttpProbe, name: str) -> None:
    async with HOSTILE[name]() as port:
        started = time.monotonic()
        found = await probe.identify(Endpoint("127.0.0.1", port))
        assert time.monotonic() - started < REQUEST_LIMIT_S + SLACK_S
        assert found.kind is None
        if name != "endless_continue":  # it takes all of its time again
            assert (await probe.identify(Endpoint("127.0.0.1", port), "comfyui")).kind is None


async def test_those_who_say_nothing_cost_the_time_of_one_request(probe: HttpProbe) -> None:
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(HOSTILE[name]()) for name in PATIENT]
        started = time.monotonic()
        found = await asyncio.gather(*(probe.identify(Endpoint("127.0.0.1", port)) for port in ports))
        assert time.monotonic() - started < REQUEST_LIMIT_S + SLACK_S
    assert {(finding.kind, finding.status) for finding in found} == {(None, Status.UNREACHABLE)}


async def test_a_port_that_answers_nothing_is_asked_once(probe: HttpProbe) -> None:
    asked: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await read_request(reader)).path)
        await asyncio.Event().wait()

    async with hostile.serving(handler) as port:
        await probe.identify(Endpoint("127.0.0.1", port))
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["endless_body", "gzip_bomb", "deep_json", "endless_continue"])
async def test_memory_is_bounded(probe: HttpProbe, name: str) -> None:
    async with HOSTILE[name]() as port:
        tracemalloc.start()
        try:
            await probe.identify(Endpoint("127.0.0.1", port))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < MEMORY_LIMIT


@pytest.mark.parametrize(("path", "limit"), [("/config", PAGE_LIMIT), ("/system_stats", BODY_LIMIT)])
@pytest.mark.parametrize("more", [0, 1], ids=["at the limit", "over it"])
async def test_a_body_over_the_limit_is_not_read_as_json(probe: HttpProbe, path: str, limit: int, more: int) -> None:
    """The same proof, padded up to the limit and one octet over it."""
    proof = (
        b'{"version":"5.0","title":"WanGP","components":[],"dependencies":[]'
        if path == "/config"
        else b'{"system":{"python_version":"3","pytorch_version":"2","embedded_python":false},'
        b'"devices":[{"vram_total":1,"torch_vram_total":1}]'
    )
    body = proof + b" " * (limit - len(proof) - 1 + more) + b"}"
    assert len(body) == limit + more

    def reply(asked: str) -> bytes:
        if asked == path:
            return answer(body)
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    async with hostile.replying(reply) as port:
        found = await probe.identify(Endpoint("127.0.0.1", port))
    known = "wan2gp" if path == "/config" else "comfyui"
    assert found.kind == (None if more else known)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        b"HTTP/1.1 999 \xff\xfe\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br, zstd\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=\xffnope\r\nContent-Length: 4\r\n\r\n\xff\xfe\x00\xd8",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\xff" + b"\xff" * 8,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"\x00" * 100,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 mail ESMTP\r\n",
        b"",
    ],
)
async def test_no_reply_breaks_it(probe: HttpProbe, raw: bytes) -> None:
    async with hostile.replying(lambda path: raw) as port:
        for claimed in (None, "comfyui"):
            found = await probe.identify(Endpoint("127.0.0.1", port), claimed)
            assert found.kind is None
