"""The sockets of mDNS are closed whatever happens while they are being opened."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hybridisco.sources.guard import Guard
from hybridisco.sources.wire import Wire

_DESCRIPTORS = Path("/proc/self/fd")


def sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for descriptor in _DESCRIPTORS.iterdir():
        try:
            found.add(str(descriptor.readlink()))
        except OSError:
            continue  # the one that lists the folder
    return {name for name in found if name.startswith("socket:")}


@pytest.mark.skipif(not _DESCRIPTORS.exists(), reason="open sockets are counted in /proc")
@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("cancels", [1, 2])
async def test_ending_while_it_starts_leaves_no_socket(turns: int, cancels: int) -> None:
    """As when an extension is disabled right after Discover; a loop that ends cancels once more."""
    before = sockets()

    async def browse() -> None:
        wire = Wire(["127.0.0.1"], Guard(lambda *_: "lo"), lambda _: None)
        assert sockets() - before, "it has opened some"
        try:
            await wire.listen()
            await asyncio.Event().wait()
        finally:
            await wire.close()

    task = asyncio.create_task(browse())
    for _ in range(turns + 1):
        await asyncio.sleep(0)
    for _ in range(cancels):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)  # a transport closes its socket at the loop's next turn
    assert sockets() - before == set()
