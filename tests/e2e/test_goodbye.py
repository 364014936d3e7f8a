"""What said goodbye stays away, whatever records of it are left in caches."""

from __future__ import annotations

import socket

import pytest

from tests.e2e import liar
from tests.e2e.app import Watch
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio

pytestmark = pytest.mark.netns

WITHIN_S = 10.0  # a bound: each of these takes a fraction of a second


def test_a_new_address_of_its_host_does_not_bring_it_back(studio: Studio, backends: Backends) -> None:
    """Its goodbye is spelt in other letters, too: names are compared without regard to case (RFC 6762 section 16)."""
    for port in (8188, 8189):
        backends(studio.gpu_box, "comfyui", port)
    with studio.gpu_box.entered(), liar.open_socket("10.77.0.1") as sock:
        sock.settimeout(WITHIN_S)
        watch = Watch(studio.desk)
        sock.recv(9000)  # it asks: now it listens

        def say(packet: bytes) -> None:
            sock.sendto(packet, (liar.GROUP, liar.PORT))

        say(liar.packet(b"ghost", b"shared", ("10.77.0.1",), (b"kind=comfyui",)))
        watch.until(lambda now: [one["name"] for one in now] == ["ghost"], WITHIN_S, "it is there")
        say(liar.response(liar.record(liar.TYPE, liar.PTR, liar.IN, liar.name((b"GHOST", *liar.TYPE)), ttl_s=0)))
        watch.until(lambda now: not now, WITHIN_S, "it is gone")
        moved = liar.record((b"shared", b"local"), liar.A, liar.IN | liar.FLUSH, socket.inet_aton("10.77.0.77"))
        say(liar.response(moved))
        # Packets are taken in order: when this one is there, the one before has had its effect.
        say(liar.packet(b"dirty one", b"dirty", ("10.77.0.1",), (b"kind=comfyui",)))
        watch.until(lambda now: "dirty one" in [one["name"] for one in now], WITHIN_S, "the next is there")
    told = [event for event, service in watch.events if service["name"] == "ghost"]
    assert told[-1] == "removed"
    assert told.count("added") == 1
