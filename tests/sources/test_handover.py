"""Sockets that are handed on: who is looked at is asked on the same connection, and nobody is kept waiting."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from hybridisco.core.model import Endpoint
from hybridisco.kinds import BUILTIN
from hybridisco.sources.knock import Target, knock
from hybridisco.sources.probe import HttpProbe
from hybridisco.sources.sweep import SweepSource
from hybridisco.testing import MockBackend
from tests.lab import hostile
from tests.lab.web import answer, read_request
from tests.sources.conftest import Recorder, running

LOOPBACK = "127.0.0.1"
AT_ONCE = 4  # connections to one endpoint
RVC = b'{"service": "rvc", "status": "ok"}'


@pytest_asyncio.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    made = HttpProbe(BUILTIN)
    yield made
    await made.close()


class Server:
    """An RVC that counts its connections.

    With ``alone`` it talks to one at a time, and answers once; with ``rude`` it hangs up on the first.
    """

    def __init__(self, *, alone: bool = False, rude: bool = False) -> None:
        self.connections = 0
        self._alone, self._rude = alone, rude
        self._talk = asyncio.Semaphore(1 if alone else 100)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._rude and self.connections == 1:
            return
        async with self._talk:
            while (await read_request(reader)).path != "/api/status":
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                if self._alone:
                    writer.close()
                    return
            writer.write(answer(RVC))
            await writer.drain()


@asynccontextmanager
async def sweeping(probe: HttpProbe, port: int, sink: Recorder, **options: object) -> AsyncIterator[SweepSource]:
    source = SweepSource(lambda: asyncio.sleep(0, probe), ["localhost"], [(port, port)], (), 1000.0, **options)  # type: ignore[arg-type]
    async with running(source, sink):
        await asyncio.wait_for(source.settled(), 5)
        yield source


async def test_it_is_asked_on_the_connection_by_which_it_was_found(probe: HttpProbe) -> None:
    server, sink = Server(), Recorder()
    async with hostile.serving(server) as port, sweeping(probe, port, sink):
        assert sink.kinds == ["rvc"]
    assert server.connections <= AT_ONCE, "none that was for looking only"


@pytest.mark.parametrize("how", ["alone", "rude"])
async def test_who_talks_to_one_at_a_time_or_hangs_up_on_who_says_nothing_is_found(probe: HttpProbe, how: str) -> None:
    server, sink = Server(**{how: True}), Recorder()
    async with hostile.serving(server) as port, sweeping(probe, port, sink):
        assert sink.kinds == ["rvc"]


async def test_a_socket_that_was_hung_up_on_is_not_used(probe: HttpProbe) -> None:
    server = Server(rude=True)
    async with hostile.serving(server) as port:
        sock = socket.create_connection((LOOPBACK, port))
        sock.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(sock, 1) == b"", "it has hung up"
        found = await probe.identify(Endpoint(LOOPBACK, port), "rvc", lambda: sock)
        assert (found.kind, sock.fileno()) == ("rvc", -1)


async def test_what_is_not_used_is_closed(probe: HttpProbe) -> None:
    async with MockBackend("comfyui") as backend:
        place = Endpoint(LOOPBACK, backend.port)
        await probe.identify(place, "comfyui")
        sock = socket.create_connection((LOOPBACK, backend.port))
        sock.setblocking(False)
        found = await probe.identify(place, "comfyui", lambda: sock)  # by the connection from before
        assert (found.kind, sock.fileno()) == ("comfyui", -1)


async def test_who_is_not_waited_for_any_more_is_hung_up_on(probe: HttpProbe) -> None:
    async with hostile.tarpit() as port:
        sock = socket.create_connection((LOOPBACK, port))
        sock.setblocking(False)
        look = asyncio.create_task(probe.identify(Endpoint(LOOPBACK, port), None, lambda: sock))
        await asyncio.sleep(0)
        look.cancel()
        await asyncio.gather(look, return_exceptions=True)
        assert sock.fileno() == -1


# -- an early knock -----------------------------------------------------------------------------------


def knocking(port: int) -> tuple[socket.socket, tuple[dict[Target, socket.socket | None], list[Target]]]:
    knocked = knock([(LOOPBACK, port), ("::1", port)])
    sock = knocked[0][LOOPBACK, port]
    assert sock is not None
    return sock, knocked


async def test_the_first_sweep_goes_by_an_early_knock_and_the_second_looks_itself(probe: HttpProbe) -> None:
    server, sink = Server(), Recorder()
    async with hostile.serving(server) as port:
        async with sweeping(probe, port, sink, knocked=({}, [])) as source:
            assert (sink.kinds, server.connections) == ([], 0)
            source.rescan()
            await sink.until(lambda: sink.kinds == ["rvc"])
        sock, knocked = knocking(port)
        async with sweeping(probe, port, Recorder(), knocked=knocked):
            assert sock.fileno() == -1, "it was handed on"


async def test_who_had_no_time_to_answer_the_knock_is_waited_for(probe: HttpProbe) -> None:
    sink = Recorder()
    async with hostile.serving(Server()) as port:
        later = [("::1", port), (LOOPBACK, port)]
        async with sweeping(probe, port, sink, knocked=({}, later)):
            assert sink.kinds == ["rvc"]


async def test_the_sockets_of_a_knock_are_closed_though_nobody_sweeps(probe: HttpProbe) -> None:
    async with hostile.serving(Server()) as port:
        sock, knocked = knocking(port)
        source = SweepSource(lambda: asyncio.sleep(0, probe), ["localhost"], [(port, port)], (), knocked=knocked)
        del source
        gc.collect()
        assert sock.fileno() == -1


async def test_what_somebody_else_looks_after_is_not_kept_on_the_line(probe: HttpProbe) -> None:
    sink = Recorder()
    async with hostile.serving(Server()) as port:
        sock, knocked = knocking(port)
        async with sweeping(probe, port, sink, knocked=knocked, tended=lambda target: True):
            assert (sink.kinds, sock.fileno()) == ([], -1)
