"""Places at the gate: who hangs at one address holds up nobody elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hybridisco.sources.gate import Gate


async def enter(gate: Gate, address: str, inside: list[str], leave: asyncio.Event) -> None:
    async with gate.passing(address):
        inside.append(address)
        await leave.wait()
        inside.remove(address)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_address_takes_its_own_places_only() -> None:
    gate, inside, leave = Gate(4, 2), [], asyncio.Event()
    tasks = [asyncio.create_task(enter(gate, "10.0.0.1", inside, leave)) for _ in range(9)]
    await settle()
    assert inside == ["10.0.0.1"] * 2
    tasks += [asyncio.create_task(enter(gate, address, inside, leave)) for address in ("10.0.0.2", "10.0.0.3")]
    await settle()
    assert sorted(inside) == ["10.0.0.1"] * 2 + ["10.0.0.2", "10.0.0.3"]
    leave.set()
    await asyncio.gather(*tasks)
    assert not inside
    assert not gate._addresses, "nothing is kept of an address that nobody waits for"


async def test_this_machine_has_all_places_and_no_more() -> None:
    gate, inside, leave = Gate(4, 2), [], asyncio.Event()
    tasks = [asyncio.create_task(enter(gate, address, inside, leave)) for address in ("127.0.0.1", "::1") * 3]
    await settle()
    assert len(inside) == 4
    leave.set()
    await asyncio.gather(*tasks)


async def test_who_gives_up_waiting_leaves_no_trace() -> None:
    gate, inside, leave = Gate(1, 1), [], asyncio.Event()
    first = asyncio.create_task(enter(gate, "fe80::1%eth0", inside, leave))
    await settle()
    waiting = [asyncio.create_task(enter(gate, address, inside, leave)) for address in ("fe80::1%eth0", "10.0.0.2")]
    await settle()
    for task in waiting:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    leave.set()
    await first
    assert not gate._addresses
    async with gate.passing("10.0.0.2"):
        assert list(gate._addresses) == ["10.0.0.2"]
