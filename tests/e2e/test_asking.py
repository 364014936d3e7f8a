"""What is asked on the LAN, and how often."""

from __future__ import annotations

import json

import pytest

from tests.e2e import liar
from tests.e2e.conftest import Studio
from tests.lab.net import python

pytestmark = pytest.mark.netns

_QUESTION = liar.name(liar.TYPE)

# Somebody presses Discover fifty times in 2.5 seconds.
_IMPATIENT = """
import asyncio, json, time, hybridisco

async def main():
    async with hybridisco.ServiceDiscoveryManager(hybridisco.Config(), sources=("mdns",)) as manager:
        await manager.discover_all_services(10)
        began = time.monotonic()
        for _ in range(50):
            manager.rescan()
            await asyncio.sleep(0.05)
        found = await manager.discover_all_services(10)
        print(json.dumps({"complete": found.complete, "seconds": time.monotonic() - began}))

asyncio.run(main())
"""


def test_the_same_question_is_not_put_twice_within_a_second(studio: Studio) -> None:
    """However often somebody wants to know (RFC 6762 section 5.2)."""
    with studio.gpu_box.entered(), liar.open_socket("10.77.0.1") as sock:
        done = json.loads(studio.desk.run(python("-c", _IMPATIENT)).stdout)
        sock.settimeout(0.2)
        questions = 0
        try:
            while True:
                packet = sock.recv(9000)
                questions += packet[2] & 0x80 == 0 and _QUESTION in packet
        except TimeoutError:
            pass
    assert done["complete"]
    # One a second; besides, at the start and at 1.1 and 5.1 s, zeroconf's own, from both ports that are asked from.
    assert 1 + done["seconds"] / 2 < questions <= 8 + done["seconds"], done
