"""A test as a program on the GPU box of a studio, and an ear on the desk that hears what it says."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from zeroconf._dns import DNSRecord
from zeroconf._protocol.incoming import DNSIncoming

from announcers import network
from tests.e2e import liar
from tests.e2e.conftest import Studio, backends, studio
from tests.lab.fixtures import lab
from tests.lab.wait import POLL_S, LabError

__all__ = ["backends", "lab", "studio"]


async def until(condition: Callable[[], object], limit_s: float, what: str) -> None:
    """Wait until something is so, while the event loop goes on."""
    try:
        async with asyncio.timeout(limit_s):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise LabError(f"not within {limit_s} s: {what}") from None


@pytest.fixture
def inside(studio: Studio) -> Iterator[Studio]:
    """What this test opens is opened on the GPU box."""
    with studio.gpu_box.entered():
        network._announceable.cache_clear()
        yield studio
    network._announceable.cache_clear()


class Ear:
    """A socket on the desk that hears and asks, as any mDNS program does."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.setblocking(False)
        self.records: list[DNSRecord] = []
        """Every record that was heard, in order."""

    def listen(self) -> Ear:
        asyncio.get_running_loop().add_reader(self.sock, self._read)
        return self

    def say(self, packet: bytes) -> None:
        self.sock.sendto(packet, (liar.GROUP, liar.PORT))

    def heard(self, kind: int, name: str = "") -> list[DNSRecord]:
        return [each for each in self.records if each.type == kind and each.name.lower().endswith(name.lower())]

    def _read(self) -> None:
        packet = DNSIncoming(self.sock.recv(9000))
        if packet.is_response():
            self.records += packet.answers()


@pytest.fixture
async def ear(studio: Studio) -> AsyncIterator[Ear]:
    """The desk's ear; it hears from the start of the test on."""
    with studio.desk.entered():
        sock = liar.open_socket("10.77.0.2")
    made = Ear(sock).listen()
    yield made
    asyncio.get_running_loop().remove_reader(sock)
    sock.close()
